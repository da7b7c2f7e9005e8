/** Upper bounds in seconds. Our own time is near 0.2 ms; a park of requests behind a full disk would show in the last ones. */
export const overheadBuckets = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1]

/** Upper bounds in seconds: the first byte of a model's answer comes between 0.1 s and the deadline of 900 s. */
export const ttfbBuckets = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 900]

/** Upper bounds in seconds: a durable commit takes 0.4 ms on a healthy disk, and 2 s is an ill one. */
export const storeWriteBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5]

/** Notes a duration in a histogram: what is no number is left out, and what is negative counts as 0. */
export function observe(histogram: { observe(value: number): void }, seconds: number): void {
  if (Number.isFinite(seconds)) histogram.observe(Math.max(0, seconds))
}
