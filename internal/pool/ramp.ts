import type { At } from './outcome.ts'

/** Nobody waits longer than this for the ramp, in ms. */
export const longestRampMs = 2_000

/** Those who have waited long enough go within this time of each other, and not all at once. */
const spreadMs = 200
const stepMs = 10

/**
 * Letting requests that move to a member because another one failed onto it: the first at once, then so many a second.
 * Gives the instant at which the next one may go, or null when this one has to wait. `freeAt`: what the last call gave.
 */
export function letOn(freeAt: At, perSecond: number, now: At): At | null {
  if (now < freeAt) return null
  const stepAfter = 1_000 / perSecond
  // A timer that came late does not slow the others down; a pause is not made up for.
  return now - freeAt < stepAfter ? freeAt + stepAfter : now + stepAfter
}

/** Until when the request that is the `rank`-th to wait does so, having waited for `waitedMs` before: 2 s at most in all. */
export function rampDeadline(now: At, waitedMs: number, rank: number): At {
  const early = (rank * stepMs) % spreadMs
  return now + Math.max(0, longestRampMs - early - waitedMs)
}
