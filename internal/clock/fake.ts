import type { Cancel, Clock } from './port.ts'

interface Timer {
  readonly at: number
  readonly order: number
  readonly run: () => void
}

/** A clock that stands still until a test moves it; timers run in order of their instants while it moves. */
export class FakeClock implements Clock {
  #now: number
  #order = 0
  readonly #start: number
  readonly #timers = new Set<Timer>()

  constructor(now = Date.UTC(2026, 0, 5, 14, 0, 0)) {
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
    const timer = { at: this.#now + Math.max(0, delayMs), order: this.#order++, run }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  /** Moves the time forward by `ms`, running every timer that falls due, and lets pending promises settle between them. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms
    for (let due = this.#next(end); due; due = this.#next(end)) {
      this.#timers.delete(due)
      this.#now = Math.max(this.#now, due.at)
      due.run()
      await new Promise((resolve) => setImmediate(resolve))
    }
    this.#now = end
    await new Promise((resolve) => setImmediate(resolve))
  }

  #next(end: number): Timer | undefined {
    let first: Timer | undefined
    for (const timer of this.#timers) {
      if (timer.at > end) continue
      if (!first || timer.at < first.at || (timer.at === first.at && timer.order < first.order)) first = timer
    }
    return first
  }
}
