import type { LocalError } from '../../dialect/dialect.ts'
import type { Exhausted, Lease } from '../../engine/engine.ts'
import type { Outcome } from '../../pool/pool.ts'
import type { Attempt } from '../attempt/attempt.ts'
import type { RequestOutcome } from '../local/meter.ts'
import type { Failure } from '../upstream/failure.ts'
import type { UpgradeAttempt } from '../websocket/upgrade.ts'

/** A attempt with one member, whether it asks for an answer or for a WebSocket. */
export type AnyAttempt = Attempt | UpgradeAttempt

/** Where an exchange is: the step that is done next, with what it needs. */
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

/** A wait between two steps; `then` names the next state. */
export interface Waiting {
  readonly at: 'waiting'
  readonly work: Promise<unknown>
  readonly then: (result: never) => State | null
}

/** The one answer of an exchange. */
export type Answer = MemberAnswer | OwnAnswer

/** The member's own, with a `Retry-After` of ours unless that is null. */
export interface MemberAnswer {
  readonly by: 'member'
  readonly attempt: AnyAttempt
  readonly retryAfterSeconds: number | null
}

/** What kept us from serving, or that nobody in the pool can serve and when that ends. */
export type OwnAnswer = { readonly by: 'spillway'; readonly ending: RequestOutcome } & (
  | { readonly error: LocalError }
  | { readonly exhausted: Exhausted }
)

/** Waits for `work`; what comes after the end of the exchange is not told. */
export function waitingFor<T>(work: Promise<T>, then: (result: T) => State | null): State {
  return { at: 'waiting', work, then }
}

/** The member's answer goes to the client. */
export function passing(attempt: AnyAttempt, retryAfterSeconds: number | null): State {
  return { at: 'answering', answer: { by: 'member', attempt, retryAfterSeconds } }
}

/** The client is told what kept us from serving. */
export function refusing(error: LocalError, ending: RequestOutcome): State {
  return { at: 'answering', answer: { by: 'spillway', error, ending } }
}

/** The client is told that nobody can serve, and when that ends. */
export function exhausting(exhausted: Exhausted, ending: 'exhausted' | 'passed'): State {
  return { at: 'answering', answer: { by: 'spillway', exhausted, ending } }
}
