import type { Histogram } from 'prom-client'
import { observe } from './buckets.ts'
import { Tally } from './tally.ts'

/** Tokens by their kind, as the ledger understands them: `cached` and `cacheWrite` are parts of `input`, `reasoning` is one of `output`. */
export interface TokenCounts {
  readonly input: number
  readonly cached: number
  readonly cacheWrite: number
  readonly output: number
  readonly reasoning: number
}

/** What is counted for one pool on the way of a request. */
export interface PoolMetrics {
  /** A request is over: how it ended for the client. */
  request(outcome: string): void
  /** An attempt is over: what the upstream's answer meant. */
  attempt(outcome: string): void
  /** 1 when a request begins, -1 when it is over. */
  inflight(change: 1 | -1): void
  /** What an answer took and gave. */
  tokens(counts: TokenCounts): void
  /** From sending a request until the head of its answer. */
  ttfb(seconds: number): void
}

/** The counts of one pool: plain numbers, which prom-client reads when somebody asks, and its histogram. */
export class PoolCounts implements PoolMetrics {
  readonly requests = new Tally()
  readonly attempts = new Tally()
  readonly failovers = new Tally()
  readonly tokenKinds = new Tally()
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

  tokens({ input, cached, cacheWrite, output, reasoning }: TokenCounts): void {
    this.tokenKinds.add('input', input)
    this.tokenKinds.add('cached', cached)
    this.tokenKinds.add('cache_write', cacheWrite)
    this.tokenKinds.add('output', output)
    this.tokenKinds.add('reasoning', reasoning)
  }

  ttfb(seconds: number): void {
    observe(this.#firstBytes, seconds)
  }
}
