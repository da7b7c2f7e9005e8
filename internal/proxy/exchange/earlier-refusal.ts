import { Attempt } from '../attempt/attempt.ts'
import type { AnyAttempt } from './state.ts'

/**
 * The first refusal of a request that went on to other members. One of these may say that the request names state of
 * another account: then the refusal of the member that owns it is the true answer.
 */
export class EarlierRefusal {
  #refusal: Attempt | null = null

  /** Keeps what came of the member that is left, if it is the first one's whole refusal; otherwise lets it go. */
  leave(attempt: AnyAttempt): void {
    if (this.#refusal === null && attempt instanceof Attempt && attempt.isWholeRefusal) this.#refusal = attempt
    else attempt.discard()
  }

  /** Gives it, and keeps it no longer; null when there is none. */
  take(): Attempt | null {
    const refusal = this.#refusal
    this.#refusal = null
    return refusal
  }

  discard(): void {
    this.take()?.discard()
  }
}
