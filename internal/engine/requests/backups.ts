import { type At, recoversAt, servesModel } from '../../pool/pool.ts'
import type { Core } from '../state/context.ts'
import type { LiveSeat, LiveTurn, Pool } from '../state/live.ts'
import { poolStateRow } from '../state/registry.ts'

/** How long a backup that only helped out has not to be needed before that is over, in ms. */
const quietMs = 60_000

/** Tells when members of a later tier begin to serve a pool, and when the first tier has taken over again: that is when money starts and ends. */
export class Backups {
  readonly #core: Core

  constructor(core: Core) {
    this.#core = core
  }

  /** `seat` has answered the request of this turn. */
  served(seat: LiveSeat, turn: LiveTurn): void {
    const { pool } = seat
    const { backup, firstTier } = pool
    if (seat.tier > firstTier) this.#byBackup(seat, turn)
    else if (backup && !(backup.helpsOut && this.#core.clock.now() - backup.lastAt < quietMs)) this.#over(seat)
  }

  #byBackup(seat: LiveSeat, { model }: LiveTurn): void {
    const { pool, tier } = seat
    const now = this.#core.clock.now()
    if (pool.backup?.tier === tier) {
      pool.backup.lastAt = now
      pool.backup.served++
      return
    }
    const earlier = pool.seats.filter((other) => other.tier < tier)
    const helpsOut = earlier.some((other) => isBusyOnly(pool, other))
    const soonest = Math.min(...earlier.map((other) => recoversAt(other, model)))
    const until = helpsOut || soonest <= now || soonest === Number.POSITIVE_INFINITY ? null : soonest
    const { since, served } = pool.backup ?? { since: now, served: 0 }
    pool.backup = { tier, since, lastAt: now, served: served + 1, helpsOut }
    const detail = {
      tier,
      first: pool.firstTier,
      until,
      helpsOut,
      ...(limitedFor(earlier, model, now) ? { model } : {}),
    }
    this.#core.signals.record([poolStateRow(pool)], { kind: 'backup_serves', pool: pool.name, to: seat.member, detail })
  }

  #over(seat: LiveSeat): void {
    const { pool } = seat
    if (!pool.backup) return
    const { since, tier, served } = pool.backup
    pool.backup = null
    const detail = { tier, first: pool.firstTier, since, served }
    this.#core.signals.record([poolStateRow(pool)], { kind: 'backup_over', pool: pool.name, to: seat.member, detail })
  }
}

/** Whether the member is well for most requests: it has no room, or is limited for this one alone. */
function isBusyOnly({ selectionIndex }: Pool, seat: LiveSeat): boolean {
  const stands = selectionIndex.availability(seat)
  return stands === 'ready' || stands === 'full'
}

/** Whether it is the request's model alone that those who are well cannot serve. */
function limitedFor(seats: readonly LiveSeat[], model: string | null, now: At): boolean {
  return model !== null && seats.some((seat) => !servesModel(seat, model, now))
}
