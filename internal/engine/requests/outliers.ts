import { type At, type Effect, isOutlier, outlierCoolMs, remember } from '../../pool/pool.ts'
import type { LiveSeat } from '../state/live.ts'

/** When a credential last succeeded on a host. */
interface Success {
  readonly id: string
  at: At
}

/** Finds the members that alone fail with upstream errors, while others on the same host succeed. */
export class Outliers {
  /** The latest success on each host, and the latest of another credential before it: an outlier needs a sibling that works. */
  readonly #successes = new Map<string, { readonly last: Success; readonly before: Success | null }>()

  succeeded({ owner, host }: LiveSeat, now: At): void {
    const { id } = owner.record
    const known = this.#successes.get(host.name)
    if (known?.last.id === id) known.last.at = now
    else this.#successes.set(host.name, { last: { id, at: now }, before: known?.last ?? null })
  }

  /** What an upstream error does to its member: it cools an outlier, and nobody else. */
  failed(seat: LiveSeat, now: At): Effect {
    const { owner } = seat
    owner.failedAt = remember(owner.failedAt, now)
    if (!isOutlier(owner.failedAt, this.#siblingSuccess(seat), now)) return { do: 'restore' }
    owner.failedAt = []
    return { do: 'cool', reason: 'outlier', until: now + outlierCoolMs, forMs: null }
  }

  #siblingSuccess({ owner, host }: LiveSeat): At | null {
    const known = this.#successes.get(host.name)
    if (!known) return null
    return known.last.id === owner.record.id ? (known.before?.at ?? null) : known.last.at
  }
}
