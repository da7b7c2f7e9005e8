import { request } from 'node:http'
import { type Actor, type AnyVerb, type Ops, opsFrom, Refusal, type RefusalCode } from '../ops/ops.ts'
import { Unreachable } from './exit.ts'

interface Problem {
  readonly code: string
  readonly detail: string
  readonly hint: string | null
}

interface Answer {
  readonly status: number
  readonly body: string
}

const refusalCodes: ReadonlySet<string> = new Set<RefusalCode>([
  'not-found',
  'conflict',
  'invalid',
  'try-later',
  'needs-person',
  'failed',
])

/** How long a daemon may take for one answer; a probe of an upstream is the slowest thing that it waits for. */
const patienceMs = 60_000

/** The verbs of the daemon behind a Unix socket; what it refuses is a Refusal here as it is there. */
export function remoteOps(socketPath: string, actor: Actor): Ops {
  return opsFrom((verb) => async (args) => {
    const { path, body } = requestOf(verb, args)
    const answer = await exchange(socketPath, { method: verb.method, path, body, actor })
    return resultOf(answer, socketPath)
  })
}

/** Whether a daemon answers behind the socket. */
export async function answers(socketPath: string): Promise<boolean> {
  try {
    const { status } = await exchange(socketPath, { method: 'GET', path: '/healthz', body: null, actor: null })
    return status === 200
  } catch (error) {
    if (error instanceof Unreachable) return false
    throw error
  }
}

/** Where a call goes: `:name` parts into the path, the rest into the query of GET and DELETE or a JSON body. */
function requestOf(verb: AnyVerb, args: Record<string, unknown>): { path: string; body: string | null } {
  const rest = new Map(Object.entries(args).filter(([, value]) => value !== undefined))
  const path = verb.path.replace(/:([A-Za-z]+)/g, (_, name: string) => {
    const value = rest.get(name)
    rest.delete(name)
    return encodeURIComponent(String(value))
  })
  if (verb.method !== 'GET' && verb.method !== 'DELETE') return { path, body: JSON.stringify(Object.fromEntries(rest)) }
  const query = new URLSearchParams([...rest].map(([name, value]): [string, string] => [name, String(value)]))
  return { path: rest.size > 0 ? `${path}?${query}` : path, body: null }
}

interface Message {
  readonly method: string
  readonly path: string
  readonly body: string | null
  readonly actor: Actor | null
}

function exchange(socketPath: string, { method, path, body, actor }: Message): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = {
      ...(body === null ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
      ...(actor === null ? {} : { 'x-spillway-actor': actor }),
    }
    const sent = request({ socketPath, method, path, headers, timeout: patienceMs, agent: false }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', (error) => reject(silent(socketPath, error)))
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }),
      )
    })
    sent.on('timeout', () => sent.destroy(new Error(`no answer within ${patienceMs / 1000} s`)))
    sent.on('error', (error) => reject(silent(socketPath, error)))
    sent.end(body ?? undefined)
  })
}

function silent(socketPath: string, error: Error): Unreachable {
  return new Unreachable(`the daemon does not answer at ${socketPath} (${error.message})`)
}

function resultOf({ status, body }: Answer, socketPath: string): unknown {
  const parsed = parse(body)
  if (status >= 200 && status < 300 && parsed !== undefined) return parsed
  if (!isProblem(parsed))
    throw new Unreachable(`what answers at ${socketPath} is no spillway daemon of this kind (HTTP ${status})`)
  const code: RefusalCode = isRefusalCode(parsed.code) ? parsed.code : 'failed'
  throw new Refusal(code, parsed.detail, parsed.hint)
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

function isRefusalCode(code: string): code is RefusalCode {
  return refusalCodes.has(code)
}

function isProblem(value: unknown): value is Problem {
  return (
    typeof value === 'object' &&
    value !== null &&
    'code' in value &&
    typeof value.code === 'string' &&
    'detail' in value &&
    typeof value.detail === 'string' &&
    'hint' in value
  )
}
