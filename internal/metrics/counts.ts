import type { Histogram } from 'prom-client'
import type { Announcement } from '../events/events.ts'
import { observe, overheadBuckets, storeWriteBuckets, ttfbBuckets } from './buckets.ts'
import { PoolCounts } from './pool.ts'
import type { Exposition } from './registry.ts'
import { Suppressed } from './suppressed.ts'
import { Tally } from './tally.ts'

/** Everything that is counted as it happens. */
export class Counts {
  readonly refreshes = new Tally()
  readonly suppressed = new Suppressed()
  readonly #overhead: Histogram
  readonly #storeWrite: Histogram
  readonly #firstBytes: Histogram
  readonly #pools = new Map<string, PoolCounts>()

  constructor(exposition: Exposition) {
    const ttfb = 'From sending a request to an upstream until the head of its answer.'
    const writes = 'Time until a write was durable.'
    this.#overhead = exposition.histogram('spillway_overhead_seconds', 'Our own part of a request.', overheadBuckets)
    this.#storeWrite = exposition.histogram('spillway_store_write_seconds', writes, storeWriteBuckets)
    this.#firstBytes = exposition.histogram('spillway_upstream_ttfb_seconds', ttfb, ttfbBuckets, ['pool'])
  }

  overhead(seconds: number): void {
    observe(this.#overhead, seconds)
  }

  storeWrite(seconds: number): void {
    observe(this.#storeWrite, seconds)
  }

  pool(name: string): PoolCounts {
    const known = this.#pools.get(name)
    if (known) return known
    this.#firstBytes.zero({ pool: name })
    const counts = new PoolCounts(this.#firstBytes.labels(name))
    this.#pools.set(name, counts)
    return counts
  }

  /** The pools that have counts; those of a removed pool stay in memory, for its name may come back. */
  pools(): Iterable<[name: string, counts: PoolCounts]> {
    return this.#pools
  }

  hear({ event, suppressed }: Announcement): void {
    if (suppressed > 0) this.suppressed.carried(event.kind, suppressed)
    if (event.kind !== 'cred_failover' || event.pool === null) return
    // A left-out signal is a failover all the same: only its row and its notice are missing.
    this.pool(event.pool).failovers.add(event.reason ?? 'unknown', 1 + suppressed)
  }

  /** Forgets the histograms of removed pools. */
  forgetAllBut(shown: ReadonlySet<string>): void {
    for (const name of this.#pools.keys()) if (!shown.has(name)) this.#firstBytes.remove(name)
  }
}
