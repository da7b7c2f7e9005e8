import type { Core } from './core.ts'
import type { Exhausted } from './engine.ts'
import type { LiveSeat, Pool } from './live.ts'
import { poolStateRow } from './registry.ts'
import { worseHealth } from './standing.ts'

/** The exhaustion of pools: one incident from the first refused request to the first served one. */
export class Exhaustions {
  readonly #core: Core

  constructor(core: Core) {
    this.#core = core
  }

  /** A request was answered locally: opens the pool's exhaustion once, then only counts. */
  refused(pool: Pool, decision: Exhausted): void {
    const now = this.#core.clock.now()
    if (!pool.exhausted) {
      pool.exhausted = { since: now, told: false, refused: 1 }
      this.#tell(pool, decision)
      return
    }
    pool.exhausted.refused++
    // It came so soon after the last one that nobody was told; now it has outlived the window, it is news.
    if (!pool.exhausted.told && now - pool.exhausted.since >= this.#core.settings.dedupeMs) this.#tell(pool, decision)
  }

  #tell(pool: Pool, decision: Exhausted): void {
    const { exhausted } = pool
    if (!exhausted) return
    const { retryAt, members, needsPerson, first, remedy } = decision
    const why = Object.fromEntries(pool.seats.slice(0, 20).map((seat) => [seat.member, worseHealth(seat).state]))
    const detail = { retryAt, members, needsPerson, first, why, remedy }
    // The row and what the pool remembers of having told it are one transaction.
    exhausted.told = true
    const told = this.#core.signals.record([poolStateRow(pool)], { kind: 'pool_exhausted', pool: pool.name, detail })
    if (told) return
    exhausted.told = false
    this.#core.journal.record([poolStateRow(pool)], [])
  }

  /** The exhaustion is over because `seat` serves or can serve again. */
  endedBy(pool: Pool, seat: LiveSeat): void {
    const { exhausted } = pool
    if (!exhausted) return
    pool.exhausted = null
    const detail = { exhaustedAt: exhausted.since, refused: exhausted.refused }
    const signal = { kind: 'pool_recovered', pool: pool.name, to: seat.member, detail } as const
    if (exhausted.told) this.#core.signals.record([poolStateRow(pool)], signal, exhausted.refused)
    else this.#core.journal.record([poolStateRow(pool)], [])
  }
}
