import type { At } from './outcome.ts'

/** What to do with a signal: tell it, with the number of repeats left out before it, or count it. */
export type Admission =
  | { readonly tell: true; readonly suppressed: number }
  | { readonly tell: false; readonly suppressed: number }

interface Window {
  toldAt: At
  suppressed: number
}

/**
 * Lets each signal through once per window and counts the rest. The window starts when the signal was last told, so a
 * condition that lasts is told once per window and not once in all.
 */
export class Dedupe {
  readonly #windowMs: () => number
  readonly #most: number
  readonly #windows = new Map<string, Window>()

  /** `most` bounds the number of signals that are remembered; the longest untold are forgotten first. */
  constructor(windowMs: () => number, most = 10_000) {
    this.#windowMs = windowMs
    this.#most = most
  }

  admit(signal: string, now: At): Admission {
    const window = this.#windows.get(signal)
    if (window && now - window.toldAt < this.#windowMs()) {
      window.suppressed++
      return { tell: false, suppressed: window.suppressed }
    }
    this.#remember(signal, { toldAt: now, suppressed: 0 })
    return { tell: true, suppressed: window?.suppressed ?? 0 }
  }

  /** Puts back what was known before a restart. */
  restore(signal: string, toldAt: At, suppressed: number): void {
    const window = this.#windows.get(signal)
    this.#remember(signal, { toldAt: Math.max(toldAt, window?.toldAt ?? 0), suppressed })
  }

  /** Somebody else told the signal then: the window starts anew, and what was counted here stays counted. */
  heard(signal: string, toldAt: At): void {
    const window = this.#windows.get(signal)
    if (window && window.toldAt >= toldAt) return
    this.#remember(signal, { toldAt, suppressed: window?.suppressed ?? 0 })
  }

  /** Counts that have not been told yet, by signal. */
  pending(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>()
    for (const [signal, window] of this.#windows) if (window.suppressed > 0) counts.set(signal, window.suppressed)
    return counts
  }

  #remember(signal: string, window: Window): void {
    this.#windows.delete(signal)
    this.#windows.set(signal, window)
    if (this.#windows.size <= this.#most) return
    const [oldest] = this.#windows.keys()
    this.#windows.delete(oldest!)
  }
}
