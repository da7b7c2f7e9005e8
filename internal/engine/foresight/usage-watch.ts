import { type At, isLong, isNearLimit, mergedUsage, type Usage, windowMs } from '../../pool/pool.ts'
import type { ActiveMembers } from '../requests/active-member.ts'
import type { Core } from '../state/context.ts'
import type { LiveCredential, LiveLease, LiveSeat, Pool } from '../state/live.ts'

const everyMs = 1_000
/** Two words on the same reset differ by less than this, in ms. */
const sameResetMs = 600_000

/** Keeps what upstreams say of their limits, and moves a sticky pool with `preemptAt` to another member before a limit is reached. */
export class UsageWatch {
  readonly #core: Core
  readonly #activeMembers: ActiveMembers
  /** Called when something was counted or heard of the credential. */
  readonly #heard: (credential: LiveCredential) => void

  constructor(core: Core, activeMembers: ActiveMembers, heard: (credential: LiveCredential) => void) {
    this.#core = core
    this.#activeMembers = activeMembers
    this.#heard = heard
  }

  /** Counts a request that was answered, where its member has limits that can be foreseen; false where it has not. */
  count({ seat, isAnswered }: LiveLease, key: string): boolean {
    const { owner, pool } = seat
    if (!isAnswered || !owner.meter.windows.some(({ window }) => isLong(window))) return false
    owner.tally.count(pool.name, key)
    this.#heard(owner)
    return true
  }

  /** Whether the answer is read: a refusal always is, because its member may say nothing for long. */
  wants({ seat, isAnswered }: LiveLease): boolean {
    return !isAnswered || this.#core.clock.now() - seat.owner.meteredAt >= everyMs
  }

  /** Takes up what an answer says. */
  observe({ seat, generation, isAnswered }: LiveLease, usage: readonly Usage[]): void {
    const { owner, pool } = seat
    const now = this.#core.clock.now()
    owner.meteredAt = now
    if (usage.length === 0 || owner.generation !== generation) return
    this.learn(owner, usage)
    // Who refuses is left because of that, and told so.
    if (!isAnswered) return
    const preemptAt = pool.record.preemptAt ?? this.#core.settings.preemptAt
    if (pool.record.strategy !== 'sticky' || pool.active !== seat || !isNearLimit(usage, preemptAt, now)) return
    const next = fresher(pool, seat, { preemptAt, now })
    if (next) this.#activeMembers.preempt(pool, next, latestReset(usage))
  }

  /** What an upstream said of the credential's limits is what is known from now on. */
  learn(owner: LiveCredential, usage: readonly Usage[]): void {
    const { meter, tally } = owner
    tally.grew(growth(meter.windows, usage))
    const now = this.#core.clock.now()
    meter.windows = mergedUsage(meter.windows, usage, now)
    if (steers(owner)) this.#core.registry.refile(owner.gate, now)
    if (usage.some(({ window }) => isLong(window))) this.#heard(owner)
  }
}

/** Whether what is known of its limits decides who serves. */
function steers({ seats }: LiveCredential): boolean {
  for (const { caps, pool } of seats) {
    if (pool.record.strategy === 'expiring-first' || Object.keys(caps).length > 0) return true
  }
  return false
}

/** By how much the longest limit of the whole plan has grown. */
function growth(before: readonly Usage[], usage: readonly Usage[]): number {
  const whole = usage.filter(({ isPartial, window }) => !isPartial && isLong(window))
  const [longest] = whole.toSorted((one, other) => (windowMs(other.window) ?? 0) - (windowMs(one.window) ?? 0))
  const known = before.find(({ window }) => window === longest?.window)
  if (!longest || !known) return 0
  const isSame = Math.abs((longest.resetAt ?? 0) - (known.resetAt ?? 0)) < sameResetMs
  return isSame ? Math.max(0, longest.usedPercent - known.usedPercent) : longest.usedPercent
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
