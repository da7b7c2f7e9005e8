import type { Cancel, Clock } from '../../internal/clock/clock.ts'

interface Timer {
  readonly at: number
  readonly run: () => void
}

/**
 * A clock that leaps: what falls due in between runs once, late, as on a machine that slept. With it days pass in the time
 * that `FakeClock` takes for the ticks of an hour. Let real I/O come to rest before a leap, or its deadlines pass.
 */
export class LeapingClock implements Clock {
  #now: number
  readonly #start: number
  readonly #timers = new Set<Timer>()

  constructor(now: number) {
    this.#now = now
    this.#start = now
  }

  now(): number {
    return this.#now
  }

  mono(): number {
    return this.#now - this.#start
  }

  after(delayMs: number, run: () => void): Cancel {
    const timer = { at: this.#now + Math.max(0, delayMs), run }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  /** Moves the time at once and runs what was due, in its order. */
  async leap(ms: number): Promise<void> {
    this.#now += ms
    const due = [...this.#timers].filter(({ at }) => at <= this.#now).sort((one, other) => one.at - other.at)
    for (const timer of due) {
      if (this.#timers.delete(timer)) timer.run()
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
}
