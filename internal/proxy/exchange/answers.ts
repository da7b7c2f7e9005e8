import { clientKind, type LocalError } from '../../dialect/dialect.ts'
import type { Exhausted } from '../../engine/engine.ts'
import { type Frame, headerIn, type IncomingRequest, type RequestBody } from '../../http1/http1.ts'
import { type Prepared, prepared, sendPrepared } from '../local/answer.ts'
import { readableTo } from '../local/cors.ts'
import type { AdmittedRequest, ProxyContext } from './context.ts'
import type { AnyAttempt } from './state.ts'

/** What is left unread of a refused request's body before its connection is closed instead, in bytes. */
const mostDiscarded = 1_048_576

/** Whether closing the connection beats reading what has not come of a body of this frame. */
export function isLongUnread(request: IncomingRequest, { length }: Frame): boolean {
  return !request.complete && (length === null || length > mostDiscarded)
}

/** Answers with what kept us from serving, after so many attempts. */
export function sendError(context: ProxyContext, admitted: AdmittedRequest, error: LocalError, attempts: number): void {
  const answer = readableTo(admitted.request, prepared(admitted.dialect.error(error)))
  sendOwn(context, admitted, answer, attempts)
}

/** Answers that nobody in the pool can serve, and when that ends. */
export function sendExhausted(
  context: ProxyContext,
  admitted: AdmittedRequest,
  decision: Exhausted,
  attempts: number,
): void {
  const { dialect, pool, request } = admitted
  const { refusals, clock } = context
  const client = clientKind(headerIn(request.rawHeaders, 'user-agent'))
  const answer = refusals.answer({ dialect, client }, pool.name, decision, clock.now())
  sendOwn(context, admitted, readableTo(request, answer), attempts)
}

/** Gives an answer that is here as a whole. */
export function sendOwn(
  { draining }: ProxyContext,
  { id, request, response, frame }: AdmittedRequest,
  answer: Prepared,
  attempts: number,
): void {
  sendPrepared(response, answer, marks(id, attempts), isLongUnread(request, frame) || draining)
}

/** What there is to know of an answer of a member. */
interface Passing {
  readonly body: RequestBody
  readonly attempts: number
  readonly retryAfterSeconds: number | null
}

/** Gives the member's answer to the client. */
export function passOn(
  { draining, settings, turnStates }: ProxyContext,
  { id, request }: AdmittedRequest,
  attempt: AnyAttempt,
  { body, attempts, retryAfterSeconds }: Passing,
): void {
  const { credential, member } = attempt.lease
  if (credential.provider === 'codex') turnStates.note(attempt.headers, credential.id)
  const added = marks(id, attempts)
  if (settings.exposeMember) added.push('x-spillway-member', member)
  const isUnfinished = !body.held && !request.complete
  if (isUnfinished || draining) added.push('connection', 'close')
  attempt.pass({ marks: added, retryAfterSeconds })
}

/** The raw pairs that every answer carries. */
function marks(id: string, attempts: number): string[] {
  return ['x-spillway-request-id', id, 'x-spillway-attempts', String(attempts)]
}
