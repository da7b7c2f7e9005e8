import type { At } from './outcome.ts'

const windowMs = 60_000
const threshold = 5
/** How long an outlier is left alone, in ms. */
export const outlierCoolMs = 60_000

/**
 * Whether a member that fails with upstream errors is alone in that: at least five of them within 60 s while another
 * member on the same host succeeded in that time.
 */
export function isOutlier(failedAt: readonly At[], siblingSucceededAt: At | null, now: At): boolean {
  if (siblingSucceededAt === null || now - siblingSucceededAt > windowMs) return false
  return failedAt.filter((at) => now - at <= windowMs).length >= threshold
}

/** The instants that still count after a failure at `now`, oldest first; never more than needed. */
export function remember(failedAt: readonly At[], now: At): readonly At[] {
  return [...failedAt.filter((at) => now - at <= windowMs), now].slice(-threshold)
}
