import { usageEndpoint } from '../../dialect/dialect.ts'
import { type At, farProbeAt } from '../../pool/pool.ts'
import { type Core, spreadOf } from '../state/context.ts'
import type { LiveSeat, LiveTurn, Pool } from '../state/live.ts'

/** How long between two such tests in one pool, in ms. */
const betweenMs = 60_000

/**
 * Has a request of the pool test a member whose end is far away although others can serve, once in `farProbeMs`: limits end
 * early, and nobody else would find out. Logins whose provider can be asked are left to looks.
 */
export class FarProbes {
  readonly #core: Core
  /** When the members of a pool are to be looked through again. */
  readonly #nextAt = new WeakMap<Pool, At>()

  constructor(core: Core) {
    this.#core = core
  }

  /** The member that this request tests; null: none. `serving`: who else would serve it. */
  seatFor(turn: LiveTurn, now: At, serving: () => LiveSeat | null): LiveSeat | null {
    const { pool } = turn
    if (!turn.mayTest || turn.leases.length > 0 || now < (this.#nextAt.get(pool) ?? 0)) return null
    const other = serving()
    if (other === null) return null
    // Whoever is refused from now on is not due before that.
    let nextAt = now + this.#core.settings.cooldown.farProbeMs
    let found: LiveSeat | null = null
    for (const seat of pool.seats) {
      const dueAt = this.#dueAt(seat, now)
      if (dueAt > now) nextAt = Math.min(nextAt, dueAt)
      else if (seat.tier <= other.tier) {
        found ??= seat
        nextAt = now
      }
    }
    this.#nextAt.set(pool, Math.max(nextAt, now + betweenMs))
    return found
  }

  #dueAt(seat: LiveSeat, now: At): At {
    const { auth, provider, id } = seat.owner.record
    if (auth === 'oauth' && usageEndpoint(provider) !== null) return Number.POSITIVE_INFINITY
    return farProbeAt(seat, { ...this.#core.settings.cooldown, spread: spreadOf(id) }, now)
  }
}
