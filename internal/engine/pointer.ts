import type { At } from '../pool/pool.ts'
import type { Write } from '../store/store.ts'
import type { Core } from './core.ts'
import type { LiveSeat, LiveTurn, Pool } from './live.ts'
import { poolStateRow } from './registry.ts'
import { failedHealth } from './standing.ts'

/** Who is active in each pool: follows those who serve, and tells a failover when somebody was left because he failed. */
export class Pointers {
  readonly #core: Core

  constructor(core: Core) {
    this.#core = core
  }

  /** `seat` answered a request of this walk: the pointer follows. */
  served(seat: LiveSeat, { failed, leases }: LiveTurn): void {
    const { pool } = seat
    if (pool.record.strategy !== 'sticky') {
      pool.active = seat
      if (failed && failed !== seat) this.#tellFailover(pool, failed, seat, [])
      return
    }
    // Before anybody has served, the one that was asked first is the one that is left.
    const first = leases[0]?.seat
    if (!pool.active && first && first !== seat && pool.holds(first)) {
      pool.active = first
      this.#core.journal.record([poolStateRow(pool)], [])
    }
    if (pool.active !== seat) this.#follow(pool, seat)
  }

  /** The sticky pointer goes to who served, unless the active member could have served or its key is just being tested. */
  #follow(pool: Pool, seat: LiveSeat): void {
    const left = pool.active
    if (left && pool.roster.standing(left) === 'ready') return
    if (left && left.owner.gate.health.state === 'suspect' && left.owner.finding) pool.standIn = seat
    else this.move(pool, seat)
  }

  /** Points the pool at `seat`; tells a failover when the member that is left has failed. */
  move(pool: Pool, seat: LiveSeat): void {
    const left = pool.active
    pool.active = seat
    pool.standIn = null
    const row = poolStateRow(pool)
    if (!left || !this.#tellFailover(pool, left, seat, [row])) this.#core.journal.record([row], [])
  }

  /** Points the pool at `seat` because the active member is near its limit, which lasts until `until`. */
  preempt(pool: Pool, seat: LiveSeat, until: At | null): void {
    const from = pool.active?.member ?? null
    pool.active = seat
    const about = { pool: pool.name, from, to: seat.member, reason: 'preempted' } as const
    const signal = { kind: 'cred_failover', ...about, detail: { until, status: null } } as const
    this.#core.signals.record([poolStateRow(pool)], signal)
  }

  #tellFailover(pool: Pool, left: LiveSeat, seat: LiveSeat, rows: readonly Write[]): boolean {
    const health = failedHealth(left)
    if (!health) return false
    const detail = { until: 'until' in health ? health.until : null, status: left.owner.lastStatus }
    const about = { pool: pool.name, from: left.member, to: seat.member, reason: health.reason }
    this.#core.signals.record(rows, { kind: 'cred_failover', ...about, detail })
    return true
  }
}
