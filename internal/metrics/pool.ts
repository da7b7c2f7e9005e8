import type { Histogram } from 'prom-client'
import { observe } from './buckets.ts'
import { Tally } from './tally.ts'

/** What is counted for one pool on the way of a request. */
export interface PoolMetrics {
  /** A request is over: how it ended for the client. */
  request(outcome: string): void
  /** An attempt is over: what the upstream's answer meant. */
  attempt(outcome: string): void
  /** 1 when a request begins, -1 when it is over. */
  inflight(change: 1 | -1): void
  /** From sending a request until the head of its answer. */
  ttfb(seconds: number): void
}

/** The counts of one pool: plain numbers, which prom-client reads when somebody asks, and its histogram. */
export class PoolCounts implements PoolMetrics {
  readonly requests = new Tally()
  readonly attempts = new Tally()
  readonly failovers = new Tally()
  inFlight = 0
  readonly #firstBytes: Histogram.Internal<'pool'>

  constructor(firstBytes: Histogram.Internal<'pool'>) {
    this.#firstBytes = firstBytes
  }

  request(outcome: string): void {
    this.requests.add(outcome)
  }

  attempt(outcome: string): void {
    this.attempts.add(outcome)
  }

  inflight(change: 1 | -1): void {
    this.inFlight += change
  }

  ttfb(seconds: number): void {
    observe(this.#firstBytes, seconds)
  }
}
