import { phrasedHint, Refusal, type RefusalCode } from '../ops/ops.ts'

/** An error body (RFC 9457) with the code that programs go by. */
export interface Problem {
  readonly type: 'about:blank'
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: ProblemCode
  readonly hint: string | null
}

/** Refusals keep their code; the others are the admin API's own. */
export type ProblemCode =
  | RefusalCode
  | 'unauthorized' // no bearer token, or a wrong one
  | 'foreign-origin' // a browser page asks
  | 'foreign-host' // the Host header names somebody else
  | 'socket-only' // a verb that returns a secret, asked over TCP
  | 'no-such-route'
  | 'bad-body' // too large, not JSON, or cut off
  | 'too-many' // more event streams than are kept
  | 'internal'

const statuses: Readonly<Record<ProblemCode, readonly [number, string]>> = {
  'not-found': [404, 'Not found'],
  conflict: [409, 'Conflict'],
  invalid: [400, 'Invalid arguments'],
  'try-later': [503, 'Try again later'],
  'needs-person': [503, 'A person must act'],
  failed: [500, 'Failed'],
  unauthorized: [401, 'Unauthorized'],
  'foreign-origin': [403, 'Foreign origin'],
  'foreign-host': [421, 'Foreign host'],
  'socket-only': [403, 'Only on the Unix socket'],
  'no-such-route': [404, 'No such route'],
  'bad-body': [400, 'Bad body'],
  'too-many': [429, 'Too many'],
  internal: [500, 'Internal error'],
}

/** A request that the admin API itself turns away. */
export class TurnedAway extends Error {
  override readonly name = 'TurnedAway'
  readonly problem: Problem

  constructor(code: ProblemCode, detail: string, hint: string | null = null) {
    super(detail)
    this.problem = problemOf(code, detail, hint)
  }
}

/** The body of an error answer. */
export function problemOf(code: ProblemCode, detail: string, hint: string | null = null): Problem {
  const [status, title] = statuses[code]
  return { type: 'about:blank', title, status, detail, code, hint }
}

/** What an error thrown while answering means for the caller; an unforeseen one shows nothing of itself. */
export function explained(error: unknown): Problem {
  if (error instanceof TurnedAway) return error.problem
  if (error instanceof Refusal) return problemOf(error.code, error.message, phrasedHint(error.hint))
  const status = statusOf(error)
  if (status !== null && status < 500)
    return { ...problemOf('bad-body', error instanceof Error ? error.message : 'the body cannot be read'), status }
  return problemOf('internal', 'something went wrong inside spillway; its log says what')
}

/** The HTTP status that fastify gave an error about the request itself. */
function statusOf(error: unknown): number | null {
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : null
  return typeof status === 'number' ? status : null
}
