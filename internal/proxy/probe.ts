import type { Clock } from '../clock/clock.ts'
import { type Credentials, NoMaterial } from '../credential/credential.ts'
import type { Dialect } from '../dialect/dialect.ts'
import type { Finding, Lease, LivePool, Prober } from '../engine/engine.ts'
import type { Outcome, Reason } from '../pool/pool.ts'
import { noBody } from './outgoing.ts'
import { type Held, Reading } from './reading.ts'
import type { AnswerListener, Sending, Transport, UpstreamRequest } from './upstream/port.ts'
import type { Upstreams } from './upstreams.ts'

/** What a probe needs of the proxy. */
export interface ProbeParts {
  readonly credentials: Credentials
  dialectOf(provider: string): Dialect
  readonly upstreams: Upstreams
  readonly clock: Clock
}

interface Found {
  readonly finding: Finding
  readonly reason: Reason
  readonly status: number | null
}

const deadlineMs = 10_000
const mostBody = 65_536

/**
 * The canonical probe: one cheap request with the credential alone, so that nothing of a client can influence what it
 * finds. The probe of an OAuth credential is its refresh.
 */
export function createProber(parts: ProbeParts): Prober {
  return {
    async probe(credential, pool) {
      try {
        return credential.auth === 'oauth' ? await refreshed(parts, credential) : await asked(parts, credential, pool)
      } catch (error) {
        return inconclusive(error instanceof NoMaterial ? error.reason : 'connect', null)
      }
    },
  }
}

async function refreshed({ credentials }: ProbeParts, credential: Lease['credential']): Promise<Found> {
  const { generation } = await credentials.material(credential)
  switch (await credentials.renew(credential, generation)) {
    case 'renewed':
      return { finding: 'cleared', reason: 'ok', status: null }
    case 'needs-login':
      return { finding: 'confirmed', reason: 'refresh-rejected', status: null }
    case 'unavailable':
      return inconclusive('auth-expired', null)
  }
}

async function asked(parts: ProbeParts, credential: Lease['credential'], pool: LivePool['record']): Promise<Found> {
  const dialect = parts.dialectOf(credential.provider)
  const baseUrl = credential.baseUrl ?? pool.upstream ?? dialect.defaultBaseUrl
  const request = baseUrl === null ? null : dialect.probe(baseUrl, pool.probePath)
  if (baseUrl === null || request === null) return inconclusive('auth-rejected', null)
  const { injection } = await parts.credentials.material(credential)
  const headers = ['accept', 'application/json']
  dialect.inject(headers, injection)
  const { transport, pathOf } = parts.upstreams.at(baseUrl)
  const { method, path } = request
  const sent = { method, path: pathOf(path), headers, body: noBody }
  const { status, headers: raw, held } = await beginningOf(transport, sent, parts.clock)
  return findingOf(
    new Reading({ method, status, headers: raw, oauth: false }, dialect).conclude(held, parts.clock.now()),
  )
}

/** An answer as far as a probe reads it. */
interface Beginning {
  readonly status: number
  readonly headers: string[]
  readonly held: Held
}

/** The answer to a request, up to its first 64 KiB; rejects without one in time. */
function beginningOf(transport: Transport, request: UpstreamRequest, clock: Clock): Promise<Beginning> {
  return new Promise((resolve, reject) => {
    let head = { status: 0, headers: [] as string[] }
    let sending: Sending | null = null
    const chunks: Buffer[] = []
    let bytes = 0
    const forget = clock.after(deadlineMs, () => {
      sending?.abort(listener)
      reject(new Error('no answer in time'))
    })
    const end = (complete: boolean) => {
      forget()
      resolve({ ...head, held: { parts: chunks, bytes, complete } })
    }
    const listener: AnswerListener = {
      onSend(now) {
        sending = now
      },
      onHead(status, headers) {
        head = { status, headers }
      },
      onData(chunk) {
        chunks.push(chunk)
        bytes += chunk.length
        if (bytes > mostBody) {
          sending?.abort(listener)
          end(false)
        }
        return true
      },
      onComplete: () => end(true),
      onError(error) {
        forget()
        reject(error)
      },
    }
    transport.send(request, listener)
  })
}

/** Only an accepted request clears, and only an explicit word about the credential confirms. */
function findingOf({ kind, evidence, reason, status }: Outcome): Found {
  if (kind === 'success') return { finding: 'cleared', reason: 'ok', status }
  if (kind === 'auth-rejected' && evidence === 'strong') return { finding: 'confirmed', reason, status }
  return inconclusive(reason, status)
}

function inconclusive(reason: Reason, status: number | null): Found {
  return { finding: 'inconclusive', reason, status }
}
