import type { At } from '../outcome.ts'
import type { Usage } from './usage.ts'

/** A limit that resets sooner than this is no reason to leave: it is over before anybody notices. */
const shortestMs = 5 * 60_000

/** Whether a member is so near one of its limits that a pool with `preemptAt` (percent) leaves it before it refuses. */
export function isNearLimit(usage: readonly Usage[], preemptAt: number | null, now: At): boolean {
  if (preemptAt === null) return false
  return usage.some(
    ({ isPartial, usedPercent, resetAt }) =>
      !isPartial && usedPercent >= preemptAt && resetAt !== null && resetAt - now >= shortestMs,
  )
}
