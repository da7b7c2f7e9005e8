import type { Announcement } from '../events/events.ts'
import { Buckets, overheadBuckets, storeWriteBuckets, ttfbBuckets } from './buckets.ts'
import { PoolCounts } from './pool.ts'
import type { Exposition } from './registry.ts'
import { Suppressed } from './suppressed.ts'
import { Tally } from './tally.ts'

/** Everything that is counted as it happens. */
export class Counts {
  readonly refreshes = new Tally()
  readonly suppressed = new Suppressed()
  readonly overhead = new Buckets(overheadBuckets)
  readonly storeWrite = new Buckets(storeWriteBuckets)
  readonly #pools = new Map<string, PoolCounts>()
  /** The pools there are; null while nobody knows. */
  #shown: ReadonlySet<string> | null = null

  constructor(exposition: Exposition) {
    exposition.histogram('spillway_overhead_seconds', 'Our own part of a request.', (series) =>
      series({}, this.overhead),
    )
    exposition.histogram('spillway_store_write_seconds', 'Time until a write was durable.', (series) =>
      series({}, this.storeWrite),
    )
    const ttfb = 'From sending a request to an upstream until the head of its answer.'
    exposition.histogram('spillway_upstream_ttfb_seconds', ttfb, (series) => {
      for (const [pool, { firstBytes }] of this.#pools) {
        if (this.#shown?.has(pool) ?? true) series({ pool }, firstBytes)
      }
    })
  }

  pool(name: string): PoolCounts {
    const known = this.#pools.get(name)
    if (known) return known
    const counts = new PoolCounts(new Buckets(ttfbBuckets))
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

  /** Takes the histograms of removed pools out of what is shown. */
  hideAllBut(shown: ReadonlySet<string>): void {
    this.#shown = shown
  }
}
