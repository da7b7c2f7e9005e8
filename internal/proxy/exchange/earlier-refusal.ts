import { Attempt } from '../attempt/attempt.ts'
import type { RoundTrip } from './state.ts'

/**
 * The first refusal of a request that went on to other members. One of these may say that the request names state of
 * another account: then the refusal of the member that owns it is the true answer.
 */
export class EarlierRefusal {
  #refusal: Attempt | null = null

  /** Keeps what came of the member that is left, if it is the first one's whole refusal; otherwise lets it go. */
  leave(trip: RoundTrip): void {
    if (this.#refusal === null && trip instanceof Attempt && trip.isWholeRefusal) this.#refusal = trip
    else trip.discard()
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
