import { uptime } from 'node:os'
import { performance } from 'node:perf_hooks'
import type { Cancel, Clock } from './port.ts'
import { type Reading, sleptMs } from './slept.ts'

const tickMs = 25
/** How often the monotonic clock is compared with those that run on while the machine sleeps. */
const compareMs = 1_000

/**
 * The real clock. All timers share one coarse wheel of 25 ms ticks, so that arming and cancelling a deadline for each
 * request costs a set insertion. The time that the machine sleeps counts: it is noticed within a second after waking.
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

function wheel(elapsed: () => number): (delayMs: number, run: () => void) => Cancel {
  const slots = new Map<number, Set<() => void>>()
  let last = Math.floor(elapsed() / tickMs)
  let armed: NodeJS.Timeout | undefined

  function fire(slot: number): void {
    const due = slots.get(slot)
    if (!due) return
    slots.delete(slot)
    for (const run of due) run()
  }

  function tick(): void {
    const current = Math.floor(elapsed() / tickMs)
    // After a sleep there are far more ticks than timers.
    if (current - last > slots.size) {
      for (const slot of [...slots.keys()].filter((each) => each < current).sort((a, b) => a - b)) {
        last = slot
        fire(slot)
      }
    } else for (; last < current && slots.size > 0; last++) fire(last)
    last = Math.max(last, current)
    if (slots.size === 0) {
      clearInterval(armed)
      armed = undefined
    }
  }

  return (delayMs, run) => {
    const now = elapsed()
    if (!armed) {
      last = Math.floor(now / tickMs)
      armed = setInterval(tick, tickMs)
    }
    const slot = Math.max(last, Math.floor((now + Math.max(0, delayMs)) / tickMs) + 1)
    let entries = slots.get(slot)
    if (!entries) {
      entries = new Set()
      slots.set(slot, entries)
    }
    // A fresh function object per timer: the same callback armed twice is two timers.
    const entry = () => run()
    entries.add(entry)
    return () => {
      entries.delete(entry)
      if (entries.size === 0 && slots.get(slot) === entries) slots.delete(slot)
    }
  }
}
