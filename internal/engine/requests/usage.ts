import { type At, isNearLimit, mergedUsage, type Usage } from '../../pool/pool.ts'
import type { Core } from '../state/context.ts'
import type { LiveCredential, LiveLease, LiveSeat, Pool } from '../state/live.ts'
import type { ActiveMembers } from './active-member.ts'

const everyMs = 1_000

/** Keeps what upstreams say of their limits, and moves a sticky pool with `preemptAt` to another member before a limit is reached. */
export class UsageWatch {
  readonly #core: Core
  readonly #activeMembers: ActiveMembers

  constructor(core: Core, activeMembers: ActiveMembers) {
    this.#core = core
    this.#activeMembers = activeMembers
  }

  /** Whether its answer is read: what refuses always is, because its member may say nothing for long. */
  wants({ seat, isAnswered }: LiveLease): boolean {
    return !isAnswered || this.#core.clock.now() - seat.owner.meteredAt >= everyMs
  }

  observe({ seat, generation, isAnswered }: LiveLease, usage: readonly Usage[]): void {
    const { owner, pool } = seat
    const now = this.#core.clock.now()
    owner.meteredAt = now
    if (usage.length === 0 || owner.generation !== generation) return
    owner.meter.windows = mergedUsage(owner.meter.windows, usage, now)
    if (steers(owner)) this.#core.registry.refile(owner.gate, now)
    // Who refuses is left because of that, and told so.
    if (!isAnswered) return
    const preemptAt = pool.record.preemptAt ?? this.#core.settings.preemptAt
    if (pool.record.strategy !== 'sticky' || pool.active !== seat || !isNearLimit(usage, preemptAt, now)) return
    const next = fresher(pool, seat, { preemptAt, now })
    if (next) this.#activeMembers.preempt(pool, next, latestReset(usage))
  }
}

/** Whether what is known of its limits decides who serves. */
function steers({ seats }: LiveCredential): boolean {
  for (const { caps, pool } of seats) {
    if (pool.record.strategy === 'expiring-first' || Object.keys(caps).length > 0) return true
  }
  return false
}

/** The next member that can serve and is not near a limit itself; the pool stays where it is when there is none. */
function fresher(pool: Pool, seat: LiveSeat, at: { preemptAt: number | null; now: At }): LiveSeat | undefined {
  const { seats, selectionIndex } = pool
  return [...seats.slice(seat.index + 1), ...seats.slice(0, seat.index)].find(
    (other) =>
      other.tier === seat.tier &&
      selectionIndex.availability(other) === 'ready' &&
      !isNearLimit(other.meter.windows, at.preemptAt, at.now),
  )
}

function latestReset(usage: readonly Usage[]): At | null {
  return usage.reduce<At | null>((late, { resetAt }) => Math.max(late ?? 0, resetAt ?? 0) || null, null)
}
