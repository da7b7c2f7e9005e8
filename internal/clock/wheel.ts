import type { Cancel } from './port.ts'

/** What is due within one tick runs together. */
const tickMs = 25
/** However far the next timer is, the time is read this often: only so is it seen that the machine has slept. */
const mostTicks = 38

/** Calls a function once, not earlier than `delayMs` from now. */
type After = (delayMs: number, run: () => void) => Cancel

/** Timers by the tick in which they are due, over one of Node's, which is armed for the next of them. */
export function wheel(elapsed: () => number): After {
  const slots = new Map<number, Set<() => void>>()
  /** The last tick whose timers have run. */
  let last = 0
  let armed: NodeJS.Timeout | undefined
  /** The tick in which Node's timer runs; Infinity while there is none, and -Infinity while timers run. */
  let armedFor = Number.POSITIVE_INFINITY

  function fire(slot: number): void {
    const due = slots.get(slot)
    if (!due) return
    slots.delete(slot)
    for (const run of due) run()
  }

  function fireUpTo(current: number): void {
    // After a sleep there are far more ticks than timers.
    if (current - last > slots.size) {
      for (const slot of [...slots.keys()].filter((each) => each <= current).sort((a, b) => a - b)) fire(slot)
    } else while (last < current && slots.size > 0) fire(++last)
    last = Math.max(last, current)
  }

  function tick(): void {
    armedFor = Number.NEGATIVE_INFINITY
    try {
      fireUpTo(Math.floor(elapsed() / tickMs))
    } finally {
      if (slots.size === 0) rest()
      else arm(soonest())
    }
  }

  function soonest(): number {
    for (let slot = last + 1; slot < last + mostTicks; slot++) if (slots.has(slot)) return slot
    return last + mostTicks
  }

  function arm(slot: number): void {
    clearTimeout(armed)
    armedFor = slot
    // Node counts from when its loop woke up, in whole ms.
    armed = setTimeout(tick, Math.max(0, Math.ceil(slot * tickMs - elapsed())) + 1)
  }

  /** Without timers, nothing keeps the process alive. */
  function rest(): void {
    clearTimeout(armed)
    armedFor = Number.POSITIVE_INFINITY
  }

  return (delayMs, run) => {
    const now = elapsed()
    if (slots.size === 0 && armedFor > 0) last = Math.floor(now / tickMs)
    const slot = Math.floor((now + Math.max(0, delayMs)) / tickMs) + 1
    let entries = slots.get(slot)
    if (!entries) {
      entries = new Set()
      slots.set(slot, entries)
    }
    // A fresh function object per timer: the same callback armed twice is two timers.
    const entry = () => run()
    entries.add(entry)
    if (slot < armedFor) arm(Math.min(slot, last + mostTicks))
    return () => {
      entries.delete(entry)
      if (entries.size > 0 || slots.get(slot) !== entries) return
      slots.delete(slot)
      if (slots.size === 0 && armedFor > 0) rest()
    }
  }
}
