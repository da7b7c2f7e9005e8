import type { Caps } from './cap.ts'

/** What an operator sets of a member in one pool. */
export interface Tuning {
  /** Its share under the strategy `weighted`. */
  readonly weight: number
  /** Tier 2 serves only when nobody of tier 1 can. */
  readonly tier: number
  /** How many requests it may have under way; null: as many as come. */
  readonly maxInFlight: number | null
  /** Percent of a window at which it counts as used up. */
  readonly caps: Caps
}

/** How a member is that nobody has tuned. */
export const untuned: Tuning = { weight: 1, tier: 1, maxInFlight: null, caps: {} }

/** The tuning of whatever carries it. */
export function tuningOf({ weight, tier, maxInFlight, caps }: Tuning): Tuning {
  return { weight, tier, maxInFlight, caps }
}
