import { existsSync } from 'node:fs'
import { request } from 'node:http'
import { Refusal, type RefusalCode } from '../ops/client.ts'
import type { Actor, Ops } from '../ops/ops.ts'
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

/** How long a daemon may take to say that it is there. */
const readinessMs = 5_000

/**
 * The verbs of the daemon behind a Unix socket; what it refuses is a Refusal here as it is there. Which verbs there are is
 * the daemon's affair: loading them all to ask for one takes longer than the answer.
 */
export function remoteOps(socketPath: string, actor: Actor): Ops {
  const call = (verb: string) => async (args: Record<string, unknown>) => {
    const body = JSON.stringify(args)
    const answer = await exchange(socketPath, {
      method: 'POST',
      path: `/v1/verbs/${verb}`,
      body,
      actor,
      withinMs: patienceMs,
    })
    return resultOf(answer, socketPath)
  }
  // A promise that resolves with it asks for `then`.
  const verbs = new Proxy(
    {},
    { get: (_target, name) => (typeof name === 'string' && name !== 'then' ? call(name) : undefined) },
  )
  return verbs as Ops
}

/** Whether a daemon answers behind the socket, hangs, or is not there; a hung one is not waited for longer than 5 s. */
export async function answerOf(socketPath: string): Promise<'answers' | 'hangs' | 'gone'> {
  if (!existsSync(socketPath)) return 'gone'
  try {
    const asked = { method: 'GET', path: '/healthz', body: null, actor: null, withinMs: readinessMs }
    const { status } = await exchange(socketPath, asked)
    return status === 200 ? 'answers' : 'gone'
  } catch (error) {
    if (error instanceof Unreachable) return error.isLate ? 'hangs' : 'gone'
    throw error
  }
}

interface Message {
  readonly method: string
  readonly path: string
  readonly body: string | null
  readonly actor: Actor | null
  readonly withinMs: number
}

function exchange(socketPath: string, { method, path, body, actor, withinMs }: Message): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = {
      ...(body === null ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
      ...(actor === null ? {} : { 'x-spillway-actor': actor }),
    }
    const sent = request({ socketPath, method, path, headers, timeout: withinMs, agent: false }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', (error) => reject(silent(socketPath, error)))
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }),
      )
    })
    sent.on('timeout', () => sent.destroy(new Late(`no answer within ${withinMs / 1000} s`)))
    sent.on('error', (error) => reject(silent(socketPath, error)))
    sent.end(body ?? undefined)
  })
}

/** The time that was given is over. */
class Late extends Error {}

function silent(socketPath: string, error: Error): Unreachable {
  return new Unreachable(
    `the daemon does not answer at ${socketPath} (${error.message})`,
    error instanceof Late ? 'spillway doctor says whether it hangs' : null,
    error instanceof Late,
  )
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
