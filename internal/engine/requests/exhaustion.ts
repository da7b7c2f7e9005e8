import type { RecoveredHow } from '../../events/events.ts'
import { type At, cappedUntil, doubtMs, isRefuted, type ModelFamily } from '../../pool/pool.ts'
import type { Exhausted } from '../api/data-path.ts'
import type { Core } from '../state/context.ts'
import type { LiveSeat, Pool } from '../state/live.ts'
import { poolStateRow } from '../state/registry.ts'
import { worseHealth } from '../state/seat-health.ts'
import type { Leasing } from './leasing.ts'

/** The exhaustion of pools: one incident from the first refused request until a member serves, or a probe shows that one can. */
export class Exhaustions {
  readonly #core: Core
  readonly #leasing: Leasing
  /** Called when one begins. */
  readonly #began: () => void

  constructor(core: Core, leasing: Leasing, began: () => void) {
    this.#core = core
    this.#leasing = leasing
    this.#began = began
  }

  /** A request for that model was answered locally: opens the pool's exhaustion once, then only counts. */
  refused(pool: Pool, decision: Exhausted, model: ModelFamily | null): void {
    const now = this.#core.clock.now()
    const { exhausted } = pool
    if (!exhausted) {
      pool.exhausted = { since: now, told: false, refused: 1, model: this.#isFor(pool, model) }
      pool.unserved = pool.exhausted.model === null
      if (isRefuted(pool.unprovenSince, now)) this.#refuted(pool, now)
      this.#tell(pool, decision)
      this.#began()
      return
    }
    exhausted.refused++
    if (exhausted.model !== null && exhausted.model !== model && this.#isFor(pool, model) === null) {
      exhausted.model = null
      pool.unserved = true
      this.#tell(pool, decision)
    }
    // It came so soon after the last one that nobody was told; now it has outlived the window, it is news.
    if (!exhausted.told && now - exhausted.since >= this.#core.settings.dedupeMs) this.#tell(pool, decision)
  }

  /** Another replica says that the pool is exhausted. */
  heard(pool: Pool, exhausted: NonNullable<Pool['exhausted']>): void {
    pool.exhausted = exhausted
    pool.unserved = exhausted.model === null
    this.#began()
  }

  /** Another replica says that the pool's exhaustion is over. */
  overElsewhere(pool: Pool): void {
    pool.exhausted = null
    pool.unserved = false
    pool.unprovenSince = null
  }

  /** The pool was told to have recovered without a request, and the next request says otherwise. */
  #refuted(pool: Pool, now: At): void {
    const refuted = pool.doubt.refuted + 1
    pool.unprovenSince = null
    pool.doubt = { refuted, until: now + doubtMs(refuted) }
  }

  /** The family that the pool is exhausted for; null when it is for all. */
  #isFor(pool: Pool, model: ModelFamily | null): ModelFamily | null {
    if (model === null || pool.modelLimits === 0) return null
    return this.#leasing.preview(pool, null).seat ? model : null
  }

  #tell(pool: Pool, decision: Exhausted): void {
    const { exhausted } = pool
    if (!exhausted) return
    const { model } = exhausted
    const { retryAt, members, needsPerson, first, remedy } = decision
    const now = this.#core.clock.now()
    const why = Object.fromEntries(pool.seats.slice(0, 20).map((seat) => [seat.member, stateFor(seat, model, now)]))
    const detail = { retryAt, members, needsPerson, first, why, remedy, ...(model === null ? {} : { model }) }
    // The row and what the pool remembers of having told it are one transaction.
    exhausted.told = true
    const told = this.#core.signals.record([poolStateRow(pool)], { kind: 'pool_exhausted', pool: pool.name, detail })
    if (told) return
    exhausted.told = false
    this.#core.journal.record([poolStateRow(pool)], [])
  }

  /** `seat` has served a request for that model, which ends an exhaustion of others only when it is over as well. */
  servedBy(pool: Pool, seat: LiveSeat, model: ModelFamily | null): void {
    const limited = pool.exhausted?.model ?? null
    if (limited !== null && limited !== model && !this.#leasing.preview(pool, limited).seat) return
    this.endedBy(pool, seat, 'request')
  }

  /** The exhaustion is over because `seat` serves, or can. */
  endedBy(pool: Pool, seat: LiveSeat, how: RecoveredHow): void {
    const { exhausted } = pool
    if (!exhausted) return
    pool.exhausted = null
    pool.unprovenSince = how === 'probe' || how === 'untested' ? this.#core.clock.now() : null
    const detail = { exhaustedAt: exhausted.since, refused: exhausted.refused, how }
    const signal = { kind: 'pool_recovered', pool: pool.name, to: seat.member, detail } as const
    if (exhausted.told) this.#core.signals.record([poolStateRow(pool)], signal, exhausted.refused)
    else this.#core.journal.record([poolStateRow(pool)], [])
  }
}

/** Why the member cannot serve, as a named state. */
function stateFor(seat: LiveSeat, model: ModelFamily | null, now: At): string {
  const { state } = worseHealth(seat)
  if (state === 'healthy' && cappedUntil(seat) > now) return 'capped'
  const limit = model === null ? undefined : seat.models.get(model)
  return state === 'healthy' && limit && limit.health.state !== 'healthy' ? 'limited' : state
}
