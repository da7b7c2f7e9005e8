/** Upper bounds in seconds. Our own time is near 0.2 ms; a park of requests behind a full disk would show in the last ones. */
export const overheadBuckets = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1]

/** Upper bounds in seconds: the first byte of a model's answer comes between 0.1 s and the deadline of 900 s. */
export const ttfbBuckets = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 900]

/** Upper bounds in seconds: a durable commit takes 0.4 ms on a healthy disk, and 2 s is an ill one. */
export const storeWriteBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5]

/** One sample of a histogram, as Prometheus' text format wants it. */
export interface BucketSample {
  readonly metricName: string
  readonly labels: Record<string, string>
  readonly value: number
}

/** The observations of one series in plain numbers, so that each costs a look at a few bounds; they add up when somebody asks. */
export class Buckets {
  readonly #bounds: readonly number[]
  /** One more than there are bounds: the last is for what is above all of them. */
  readonly #counts: number[]
  #sum = 0

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
    this.#counts = new Array(bounds.length + 1).fill(0)
  }

  /** What is no number is left out, what is negative counts as 0. */
  observe(seconds: number): void {
    if (!Number.isFinite(seconds)) return
    const bounds = this.#bounds
    let at = 0
    while (at < bounds.length && seconds > (bounds[at] as number)) at++
    this.#counts[at] = (this.#counts[at] as number) + 1
    if (seconds > 0) this.#sum += seconds
  }

  /** The samples of this series. */
  samples(name: string, labels: Record<string, string>): BucketSample[] {
    let count = 0
    const metricName = `${name}_bucket`
    const buckets = this.#counts.map((here, at) => {
      count += here
      return { metricName, labels: { le: String(this.#bounds[at] ?? '+Inf'), ...labels }, value: count }
    })
    const sum = { metricName: `${name}_sum`, labels, value: this.#sum }
    return [...buckets, sum, { metricName: `${name}_count`, labels, value: count }]
  }
}
