import { uptime } from 'node:os'
import { performance } from 'node:perf_hooks'
import type { Clock } from './port.ts'
import { type Reading, sleptMs } from './slept.ts'
import { wheel } from './wheel.ts'

/** How often the monotonic clock is compared with those that run on while the machine sleeps, at most. */
const compareMs = 900

/**
 * The real clock. All timers share one coarse wheel, so that arming and cancelling a deadline for each request costs a
 * set insertion, and a process with nothing to do wakes once a second. The time that the machine sleeps counts: it is noticed within a second after waking.
 */
export function systemClock(): Clock {
  return clockOver({
    mono: () => performance.now(),
    uptime: uptimeMs,
    wall: () => Date.now(),
  })
}

function uptimeMs(): number {
  try {
    return uptime() * 1_000
  } catch {
    // Some sandboxes hide it.
    return Number.NaN
  }
}

/** A clock over these sources, which are in ms. */
export function clockOver(sources: { readonly [K in keyof Reading]: () => number }): Clock {
  const read = (): Reading => ({ mono: sources.mono(), uptime: sources.uptime(), wall: sources.wall() })
  let last = read()
  let slept = 0
  const origin = last.wall - last.mono

  /** Monotonic time with the sleep of the machine. */
  function elapsed(): number {
    const mono = sources.mono()
    if (mono - last.mono >= compareMs) {
      const reading = read()
      slept += sleptMs(last, reading)
      last = reading
    }
    return mono + slept
  }

  return { now: () => Math.round(origin + elapsed()), mono: () => sources.mono(), after: wheel(elapsed) }
}
