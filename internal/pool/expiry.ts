import { isCurrent, type Usage, windowMs } from './foresight/usage.ts'
import type { At } from './outcome.ts'

/** From this percentage on nothing is left of a window. */
const spentPercent = 100

/**
 * When what is left of a member's quota expires: the reset of its longest window, which governs what it can serve in all.
 * Infinity where that is not known, where the window has not begun since its last reset, and where nothing is left to expire.
 */
export function expiresAt(windows: readonly Usage[], now: At): At {
  let longest = 0
  let at = Number.POSITIVE_INFINITY
  for (const usage of windows) {
    if (usage.isPartial || usage.resetAt === null || !isCurrent(usage, now)) continue
    if (usage.usedPercent >= spentPercent) return Number.POSITIVE_INFINITY
    const ms = windowMs(usage.window) ?? 0
    if (ms < longest) continue
    longest = ms
    at = usage.resetAt
  }
  return at
}
