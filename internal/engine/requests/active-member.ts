import { type At, cappedUntil, type ModelFamily } from '../../pool/pool.ts'
import type { Write } from '../../store/store.ts'
import type { Core } from '../state/context.ts'
import type { LiveSeat, LiveTurn, Pool } from '../state/live.ts'
import { poolStateRow } from '../state/registry.ts'
import { failedHealth } from '../state/seat-health.ts'

/** Keeps the active member of each pool: it follows the member that served, and tells a failover when the pool left a member that had failed. */
export class ActiveMembers {
  readonly #core: Core

  constructor(core: Core) {
    this.#core = core
  }

  /** `seat` has answered the request of this turn: the pool's active member follows. */
  served(seat: LiveSeat, turn: LiveTurn): void {
    const { pool } = seat
    const { leases, model } = turn
    const isRecovery = pool.unserved
    pool.unserved = false
    pool.unprovenSince = null
    if (pool.doubt.refuted > 0) pool.doubt = { refuted: 0, until: 0 }
    // Before anybody has served, the one that was asked first is the one that is left.
    const first = leases[0]?.seat
    const left = pool.active ?? (first && pool.holds(first) ? first : null)
    if (model !== null && pool.modelLimits > 0) this.#servedFor(seat, model, left)
    if (pool.record.strategy !== 'sticky') {
      this.#inTurn(seat, turn, isRecovery)
      return
    }
    if (!pool.active && left && left !== seat) {
      pool.active = left
      this.#core.journal.record([poolStateRow(pool)], [])
    }
    if (pool.active !== seat) this.#follow(pool, seat, isRecovery)
  }

  #inTurn(seat: LiveSeat, { failed }: LiveTurn, isRecovery: boolean): void {
    const { pool } = seat
    pool.active = seat
    pool.isPointed = false
    if (failed && failed !== seat && !isRecovery) this.#tellFailover(pool, failed, seat, [])
  }

  /** `seat` served a family that members of the pool are limited for: told when it took over from one that is. */
  #servedFor(seat: LiveSeat, model: ModelFamily, active: LiveSeat | null): void {
    const { pool } = seat
    const left = pool.servesFor.get(model) ?? active
    if (left === seat || left === null) return
    if (seat === pool.active) pool.servesFor.delete(model)
    else pool.servesFor.set(model, seat)
    const limit = left.models.get(model)?.health
    const health = limit?.state === 'probing' ? limit.was : limit
    if (health?.state !== 'cooling' || pool.exhausted?.model === model) return
    const detail = { until: health.until, status: left.owner.lastStatus, model }
    const about = { pool: pool.name, from: left.member, to: seat.member, reason: health.reason }
    this.#core.signals.record([], { kind: 'cred_failover', ...about, detail })
  }

  /** The sticky pointer goes to who served, unless the active member could have served or its key is just being tested. */
  #follow(pool: Pool, seat: LiveSeat, isRecovery: boolean): void {
    const left = pool.active
    // A backup that is well hands back to the earlier tier.
    if (left && left.tier <= seat.tier && pool.selectionIndex.availability(left) === 'ready') return
    if (left && left.owner.gate.health.state === 'suspect' && left.owner.finding) pool.standIn = seat
    else this.move(pool, seat, isRecovery)
  }

  /** Points the pool at `seat`; tells a failover when the member that is left has failed, unless the pool has just recovered. */
  move(pool: Pool, seat: LiveSeat, isRecovery = false): void {
    const left = pool.active
    pool.active = seat
    pool.isPointed = false
    pool.standIn = null
    const row = poolStateRow(pool)
    if (!left || isRecovery || !this.#tellFailover(pool, left, seat, [row])) this.#core.journal.record([row], [])
  }

  /** Points the pool at `seat` because the active member is near its limit, which lasts until `until`. */
  preempt(pool: Pool, seat: LiveSeat, until: At | null): void {
    const from = pool.active?.member ?? null
    pool.active = seat
    pool.isPointed = false
    const about = { pool: pool.name, from, to: seat.member, reason: 'preempted' } as const
    const signal = { kind: 'cred_failover', ...about, detail: { until, status: null } } as const
    this.#core.signals.record([poolStateRow(pool)], signal)
  }

  #tellFailover(pool: Pool, left: LiveSeat, seat: LiveSeat, rows: readonly Write[]): boolean {
    const health = failedHealth(left) ?? cappedAt(left, this.#core.clock.now())
    if (!health) return false
    const status = health.reason === 'capped' ? null : left.owner.lastStatus
    const detail = { until: 'until' in health ? health.until : null, status }
    const about = { pool: pool.name, from: left.member, to: seat.member, reason: health.reason }
    this.#core.signals.record(rows, { kind: 'cred_failover', ...about, detail })
    return true
  }
}

/** Why a member that is well was left: one of its windows has reached its cap. */
function cappedAt(seat: LiveSeat, now: At): { readonly reason: 'capped'; readonly until: At } | null {
  const until = cappedUntil(seat)
  return until > now ? { reason: 'capped', until } : null
}
