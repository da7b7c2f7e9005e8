import type { Announcement } from '../events/events.ts'
import { overheadBuckets, storeWriteBuckets, ttfbBuckets } from './buckets.ts'
import { PoolCounts } from './pool.ts'
import { type Exposition, observer } from './registry.ts'
import { Suppressed } from './suppressed.ts'
import { Tally } from './tally.ts'

/** Everything that is counted as it happens. */
export class Counts {
  readonly refreshes = new Tally()
  readonly suppressed = new Suppressed()
  readonly overhead: (seconds: number) => void
  readonly storeWrite: (seconds: number) => void
  readonly #pools = new Map<string, PoolCounts>()
  readonly #ttfb

  constructor(exposition: Exposition) {
    this.overhead = observer(
      exposition.histogram('spillway_overhead_seconds', 'Our own part of a request.', overheadBuckets),
    )
    this.storeWrite = observer(
      exposition.histogram('spillway_store_write_seconds', 'Time until a write was durable.', storeWriteBuckets),
    )
    this.#ttfb = exposition.histogram(
      'spillway_upstream_ttfb_seconds',
      'From sending a request to an upstream until the head of its answer.',
      ttfbBuckets,
      ['pool'],
    )
  }

  pool(name: string): PoolCounts {
    const known = this.#pools.get(name)
    if (known) return known
    const counts = new PoolCounts(observer(this.#ttfb.labels(name)))
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
    for (const name of this.#pools.keys()) if (!shown.has(name)) this.#ttfb.remove(name)
  }
}
