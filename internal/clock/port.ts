/**
 * The Clock port: the only place where the time is read and the only owner of timers.
 * `systemClock()` is real; `FakeClock` is moved by hand in tests.
 */
export interface Clock {
  /** Milliseconds since 1970, advanced by monotonic time, so that a step of the wall clock moves no deadline. */
  now(): number
  /** Milliseconds of monotonic time with fractions, for measuring. */
  mono(): number
  /** Calls `run` once, not earlier than `delayMs` from now and at most one tick later; returns the cancellation. */
  after(delayMs: number, run: () => void): Cancel
}

/** Forgets a timer; calling it twice, or late, does nothing. */
export type Cancel = () => void

/** A promise that resolves after `delayMs` of the clock's time, or at once when `signal` aborts. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve()
    const end = () => {
      cancel()
      signal?.removeEventListener('abort', end)
      resolve()
    }
    const cancel = clock.after(delayMs, end)
    signal?.addEventListener('abort', end)
  })
}

/**
 * What `work` resolves to, or `late` after `ms` of the clock's time, whichever is first; rejects as `work` does. The work
 * itself goes on.
 */
export async function within<T, L>(clock: Clock, ms: number, work: Promise<T>, late: L): Promise<T | L> {
  let cancel: Cancel = () => {}
  const end = new Promise<L>((resolve) => {
    cancel = clock.after(ms, () => resolve(late))
  })
  try {
    return await Promise.race([work, end])
  } finally {
    cancel()
  }
}
