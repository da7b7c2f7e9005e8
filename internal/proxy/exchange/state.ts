import type { LocalError } from '../../dialect/dialect.ts'
import type { Exhausted, Lease } from '../../engine/engine.ts'
import type { Outcome } from '../../pool/pool.ts'
import type { Attempt } from '../attempt/attempt.ts'
import type { RequestOutcome } from '../local/meter.ts'
import type { Failure } from '../upstream/failure.ts'
import type { UpgradeAttempt } from '../websocket/upgrade.ts'

/** An attempt of either kind: of a request, or of an upgrade to a WebSocket. */
export type AnyAttempt = Attempt | UpgradeAttempt

/** The state of an exchange: which step comes next, with the values that the step needs. */
export type State =
  /** The body is being read. */
  | { readonly at: 'reading' }
  /** The engine is asked for a member. */
  | { readonly at: 'choosing' }
  /** The request goes to the member of the lease. */
  | { readonly at: 'sending'; readonly lease: Lease }
  /** The member serves; its answer is held back. */
  | { readonly at: 'succeeding'; readonly attempt: AnyAttempt; readonly outcome: Outcome }
  /** The member refuses; its answer is held back. */
  | { readonly at: 'judging'; readonly attempt: AnyAttempt; readonly outcome: Outcome }
  /** There is no answer of the member. */
  | { readonly at: 'failing'; readonly failure: Failure }
  /** Something has to be known or to happen first. */
  | Waiting
  /** The client gets its answer. */
  | { readonly at: 'answering'; readonly answer: Answer }
  | { readonly at: 'over'; readonly ending: RequestOutcome }

/** A wait between two steps: `then` gives the next state from the result of `work`, or null when there is none. */
export interface Waiting {
  readonly at: 'waiting'
  readonly work: Promise<unknown>
  readonly then: (result: never) => State | null
}

/** The one answer of an exchange. */
export type Answer = MemberAnswer | OwnAnswer

/** The member's own answer; `retryAfterSeconds` replaces its `Retry-After`, null keeps it. */
export interface MemberAnswer {
  readonly by: 'member'
  readonly attempt: AnyAttempt
  readonly retryAfterSeconds: number | null
}

/** An answer of the proxy's own: an error, or that the pool is exhausted and until when. `ending` is how metrics count the request. */
export type OwnAnswer = { readonly by: 'spillway'; readonly ending: RequestOutcome } & (
  | { readonly error: LocalError }
  | { readonly exhausted: Exhausted }
)

/** The state that waits for `work` and then enters what `then` returns. If the exchange ends meanwhile, `then` is not called. */
export function waitingFor<T>(work: Promise<T>, then: (result: T) => State | null): State {
  return { at: 'waiting', work, then }
}

/** The state that passes the member's answer on; `retryAfterSeconds` replaces its `Retry-After` unless it is null. */
export function passing(attempt: AnyAttempt, retryAfterSeconds: number | null): State {
  return { at: 'answering', answer: { by: 'member', attempt, retryAfterSeconds } }
}

/** The state that answers with an error of the proxy; `ending` is how metrics count the request. */
export function refusing(error: LocalError, ending: RequestOutcome): State {
  return { at: 'answering', answer: { by: 'spillway', error, ending } }
}

/** The state that answers that the pool is exhausted, and until when. */
export function exhausting(exhausted: Exhausted, ending: 'exhausted' | 'passed'): State {
  return { at: 'answering', answer: { by: 'spillway', exhausted, ending } }
}
