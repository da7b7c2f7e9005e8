import { performance } from 'node:perf_hooks'
import type { Cancel, Clock } from './clock.ts'

const tickMs = 25

/**
 * The real clock. All timers share one coarse wheel of 25 ms ticks, so that arming and cancelling a deadline for each
 * request costs a set insertion.
 */
export function systemClock(): Clock {
  const origin = Date.now() - performance.now()
  return { now: () => Math.round(origin + performance.now()), mono: () => performance.now(), after: wheel() }
}

function wheel(): (delayMs: number, run: () => void) => Cancel {
  const slots = new Map<number, Set<() => void>>()
  let last = Math.floor(performance.now() / tickMs)
  let armed: NodeJS.Timeout | undefined

  function tick(): void {
    const current = Math.floor(performance.now() / tickMs)
    for (; last < current && slots.size > 0; last++) {
      const due = slots.get(last)
      if (!due) continue
      slots.delete(last)
      for (const run of due) run()
    }
    last = Math.max(last, slots.size > 0 ? last : current)
    if (slots.size === 0) {
      clearInterval(armed)
      armed = undefined
    }
  }

  return (delayMs, run) => {
    const nowTick = Math.floor(performance.now() / tickMs)
    if (!armed) {
      last = nowTick
      armed = setInterval(tick, tickMs)
    }
    const slot = Math.max(last, Math.floor((performance.now() + Math.max(0, delayMs)) / tickMs) + 1)
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
