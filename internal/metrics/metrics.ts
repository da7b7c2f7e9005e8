/**
 * The Prometheus metrics: what happens to a request is counted in plain numbers, and what is a state is read from a view of
 * the live pools when somebody scrapes. Labels hold names of pools and members and our own words, nothing of a client's.
 */
import type { EventBus, EventKind } from '../events/events.ts'
import { Counts } from './counts.ts'
import { memberGauges } from './members.ts'
import type { PoolMetrics } from './pool.ts'
import { Exposition } from './registry.ts'
import { declareCounters, declareGauges } from './series.ts'
import type { View } from './view.ts'

export type { PoolMetrics } from './pool.ts'
export type { MemberView, PoolView, View } from './view.ts'

export interface Metrics {
  /** The counters of a pool: the same object for the same name, to be kept or asked for again. */
  pool(name: string): PoolMetrics
  /** Our own part of a request, without the upstream's. */
  overhead(seconds: number): void
  /** How long a write took until it was durable. */
  storeWrite(seconds: number): void
  /** A token refresh ended with this result, a word of a fixed vocabulary. */
  refresh(result: string): void
  /** A signal was left out just now; the announcement that carries the number later does not count it again. */
  suppressed(kind: EventKind): void
  /** Counts failovers and left-out signals from now on; returns the end of the subscription. */
  listen(bus: EventBus): () => void
  /** All metrics in Prometheus' text format; rejects when the view throws. */
  render(): Promise<string>
  readonly contentType: string
}

export interface MetricsOptions {
  /** Called once for each scrape; null while there is nothing to see yet. */
  readonly view: () => View | null
}

/** The metrics of this process, with Node's own among them. */
export function createMetrics(options: MetricsOptions): Metrics {
  const exposition = new Exposition()
  const counts = new Counts(exposition)
  let view: View | null = null
  declareCounters(exposition, { counts, view: () => view })
  declareGauges(exposition, { counts, view: () => view })
  return {
    pool: (name) => counts.pool(name),
    overhead: (seconds) => counts.overhead(seconds),
    storeWrite: (seconds) => counts.storeWrite(seconds),
    refresh: (result) => counts.refreshes.add(result),
    suppressed: (kind) => counts.suppressed.now(kind),
    listen: (bus) => bus.subscribe((announcement) => counts.hear(announcement)),
    async render() {
      const seen = options.view()
      view = seen
      if (seen) counts.forgetAllBut(new Set(seen.pools.map(({ name }) => name)))
      const members = memberGauges(seen ?? { now: 0, pools: [], upstreams: [], diskFreeBytes: null, fastPath: false })
      return (await exposition.render()) + members
    },
    contentType: exposition.contentType,
  }
}
