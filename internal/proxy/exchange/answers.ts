import { clientKind, type LocalError } from '../../dialect/dialect.ts'
import type { Exhausted } from '../../engine/engine.ts'
import { type Frame, headerIn, type IncomingRequest, type RequestBody } from '../../http1/http1.ts'
import type { Counting } from '../attempt/answer-count.ts'
import { type Prepared, prepared, sendPrepared } from '../local/answer.ts'
import { readableTo } from '../local/cors.ts'
import type { AdmittedRequest, ProxyContext } from './context.ts'
import type { AnyAttempt } from './state.ts'

/** Up to this many bytes of a refused request's body are read and dropped; above it the connection is closed. */
const maxDiscarded = 1_048_576

/** Whether so much of the body is still to come that the connection is closed rather than read to its end. */
export function isLongUnread(request: IncomingRequest, { length }: Frame): boolean {
  return !request.complete && (length === null || length > maxDiscarded)
}

/** Sends an error in the shape of the pool's API; `attempts` goes into `x-spillway-attempts`. */
export function sendError(context: ProxyContext, admitted: AdmittedRequest, error: LocalError, attempts: number): void {
  const answer = readableTo(admitted.request, prepared(admitted.dialect.error(error)))
  sendOwn(context, admitted, answer, attempts)
}

/** Sends the answer of an exhausted pool, phrased for the client's program; `attempts` goes into `x-spillway-attempts`. */
export function sendExhausted(
  context: ProxyContext,
  admitted: AdmittedRequest,
  decision: Exhausted,
  attempts: number,
): void {
  const { dialect, pool, request } = admitted
  const { exhaustedAnswers, clock } = context
  const client = clientKind(headerIn(request.rawHeaders, 'user-agent'))
  const answer = exhaustedAnswers.answer({ dialect, client }, pool.name, decision, clock.now())
  sendOwn(context, admitted, readableTo(request, answer), attempts)
}

/** Sends a complete answer with the proxy's own headers; closes the connection when the request's body is long and unread, or while draining. */
export function sendOwn(
  { draining }: ProxyContext,
  { id, request, response, frame }: AdmittedRequest,
  answer: Prepared,
  attempts: number,
): void {
  sendPrepared(response, answer, marks(id, attempts), isLongUnread(request, frame) || draining)
}

/** How a member's answer is passed on. */
interface Passing {
  readonly body: RequestBody
  readonly attempts: number
  readonly retryAfterSeconds: number | null
  readonly counting: Counting | null
}

/** Passes the member's answer on, with the proxy's own headers added. */
export function passOn(
  { draining, settings, turnStates }: ProxyContext,
  { id, request }: AdmittedRequest,
  attempt: AnyAttempt,
  { body, attempts, retryAfterSeconds, counting }: Passing,
): void {
  const { credential, member } = attempt.lease
  if (credential.provider === 'codex') turnStates.note(attempt.headers, credential.id)
  const added = marks(id, attempts)
  if (settings.exposeMember) added.push('x-spillway-member', member)
  const isUnfinished = !body.held && !request.complete
  if (isUnfinished || draining) added.push('connection', 'close')
  attempt.pass({ marks: added, retryAfterSeconds, counting })
}

/** The raw pairs that every answer carries. */
function marks(id: string, attempts: number): string[] {
  return ['x-spillway-request-id', id, 'x-spillway-attempts', String(attempts)]
}
