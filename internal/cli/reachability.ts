/** What one request through a pool came to. */
export interface Asked {
  /** Whether the upstream answered it, with the client key accepted. */
  readonly ok: boolean
  readonly status: number | null
  /** As a sentence. */
  readonly message: string
}

/** Longer than a pool holds a request while its members cool. */
const patienceMs = 15_000

/** What each shape of API lists its models under, which costs nothing. */
const models: Readonly<Record<string, string>> = { anthropic: '/v1/models', gemini: '/v1beta/models' }

/** Sends one request that costs nothing through the pool, as a client would, and says what came of it. */
export async function askThrough(call: {
  readonly baseUrl: string
  readonly shape: string
  readonly key: string
  readonly pool: string
}): Promise<Asked> {
  const { baseUrl, shape, key, pool } = call
  const header = shape === 'gemini' ? { 'x-goog-api-key': key } : { authorization: `Bearer ${key}` }
  try {
    const url = baseUrl + (models[shape] ?? '/models')
    const response = await fetch(url, { headers: header, redirect: 'manual', signal: AbortSignal.timeout(patienceMs) })
    await response.body?.cancel()
    return verdict(response, pool)
  } catch (error) {
    return { ok: false, status: null, message: `a request through ${pool} failed: ${reasonOf(error)}` }
  }
}

function verdict({ status, headers }: Response, pool: string): Asked {
  const isUpstreams = Number(headers.get('x-spillway-attempts') ?? 0) > 0
  if (status < 400) return { ok: true, status, message: `a request through ${pool} was answered (${status})` }
  if (status === 429 || status === 402)
    return { ok: true, status, message: `${pool} is reached, but it is exhausted: spillway pool status ${pool}` }
  // A provider without such a list has been asked all the same.
  if (isUpstreams && status < 500 && status !== 401 && status !== 403)
    return { ok: true, status, message: `a request through ${pool} reached the upstream (${status})` }
  return {
    ok: false,
    status,
    message: `a request through ${pool} was refused (${status}): spillway pool status ${pool}`,
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'TimeoutError') return `no answer within ${patienceMs / 1_000} s`
  const { cause } = error
  return cause instanceof Error ? ('code' in cause ? String(cause.code) : cause.message) : error.message
}
