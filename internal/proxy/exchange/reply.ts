import { clientKind, type LocalError } from '../../dialect/dialect.ts'
import type { Exhausted } from '../../engine/engine.ts'
import { type Frame, headerIn, type IncomingRequest, type RequestBody } from '../../http1/http1.ts'
import type { Attempt } from '../attempt/attempt.ts'
import { type Prepared, prepared, sendPrepared } from '../local/answer.ts'
import type { Admitted, Gateway } from './context.ts'

/** What is left unread of a refused request's body before its connection is closed instead, in bytes. */
const mostDiscarded = 1_048_576

/** Whether closing the connection beats reading what has not come of a body of this frame. */
export function isLongUnread(request: IncomingRequest, { length }: Frame): boolean {
  return !request.complete && (length === null || length > mostDiscarded)
}

/** The one answer of an exchange: spillway's own or a member's. */
export class Reply {
  readonly #gateway: Gateway
  readonly #admitted: Admitted

  constructor(gateway: Gateway, admitted: Admitted) {
    this.#gateway = gateway
    this.#admitted = admitted
  }

  /** Whether nothing has been sent yet. */
  get isOpen(): boolean {
    return !this.#admitted.response.headersSent
  }

  /** Says what kept us from serving, after so many attempts. */
  excuse(error: LocalError, attempts: number): void {
    this.own(prepared(this.#admitted.dialect.error(error)), attempts)
  }

  /** Says that nobody in the pool can serve, and when that ends. */
  exhausted(decision: Exhausted, attempts: number): void {
    const { dialect, pool, request } = this.#admitted
    const { refusals, clock } = this.#gateway
    const hearer = { dialect, client: clientKind(headerIn(request.rawHeaders, 'user-agent')) }
    this.own(refusals.answer(hearer, pool.name, decision, clock.now()), attempts)
  }

  /** Gives an answer that is here as a whole. */
  own(answer: Prepared, attempts: number): void {
    const { request, response, frame } = this.#admitted
    const isLong = isLongUnread(request, frame)
    sendPrepared(response, answer, this.#marks(attempts), isLong || this.#gateway.draining)
  }

  /** Gives the member's answer to the client, with a `Retry-After` of our own unless that is null. */
  pass(
    attempt: Pick<Attempt, 'lease' | 'headers' | 'pass'>,
    body: RequestBody,
    about: { attempts: number; retryAfterSeconds: number | null },
  ): void {
    const { draining, settings, turnStates } = this.#gateway
    const { provider, id } = attempt.lease.credential
    if (provider === 'codex') turnStates.note(attempt.headers, id)
    const marks = this.#marks(about.attempts)
    if (settings.exposeMember) marks.push('x-spillway-member', attempt.lease.member)
    const { request } = this.#admitted
    const isUnfinished = !body.held && !request.complete
    if (isUnfinished || draining) marks.push('connection', 'close')
    attempt.pass({ marks, retryAfterSeconds: about.retryAfterSeconds })
  }

  /** Breaks the client's connection. */
  destroy(): void {
    this.#admitted.response.destroy()
  }

  #marks(attempts: number): string[] {
    return ['x-spillway-request-id', this.#admitted.id, 'x-spillway-attempts', String(attempts)]
  }
}
