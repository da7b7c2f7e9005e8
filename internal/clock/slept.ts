/** What three clocks say at one moment, in ms. */
export interface Reading {
  /** Stands still while the machine sleeps, on some systems. */
  readonly mono: number
  /** Since the machine was started, sleep included; coarse. */
  readonly uptime: number
  /** Since 1970; somebody may set it. */
  readonly wall: number
}

/** `os.uptime` counts whole seconds on some systems, and the three are not read at the same instant. */
const coarseMs = 2_500

/**
 * How long the machine slept between two readings, in ms, for which the monotonic clock stood still; 0 when it did not. The
 * uptime decides, since a wall clock that is set (by a person or a time service) looks like a sleep; where both agree the
 * wall clock is the exact one.
 */
export function sleptMs(before: Reading, now: Reading): number {
  const ran = now.mono - before.mono
  const asleep = now.uptime - before.uptime - ran
  if (!(asleep >= coarseMs)) return 0
  const byWall = now.wall - before.wall - ran
  return Math.abs(byWall - asleep) <= coarseMs ? byWall : asleep
}
