import type { Counts } from './counts.ts'
import type { PoolCounts } from './pool.ts'
import type { Exposition, Sample } from './registry.ts'
import type { Tally } from './tally.ts'
import type { View } from './view.ts'

/** What the metrics are read from when somebody asks. */
export interface Sources {
  readonly counts: Counts
  /** The view of this scrape; null shows what was counted, and no states. */
  readonly view: () => View | null
}

/** Declares the metrics that are counted by pool and word, or by word. */
export function declareCounters(exposition: Exposition, sources: Sources): void {
  const byPool = (name: string, help: string, word: string, tallyOf: (counts: PoolCounts) => Tally) =>
    exposition.counter(name, help, ['pool', word], (sample) => {
      for (const [pool, counts] of shownPools(sources)) {
        for (const [value, count] of tallyOf(counts).entries()) sample({ pool, [word]: value }, count)
      }
    })
  byPool('spillway_requests_total', 'Requests by how they ended.', 'outcome', (counts) => counts.requests)
  byPool('spillway_attempts_total', 'Attempts by what the answer meant.', 'outcome', (counts) => counts.attempts)
  const tokens = 'Tokens of answers; cached and cache_write are parts of input, reasoning is one of output.'
  byPool('spillway_tokens_total', tokens, 'kind', (counts) => counts.tokenKinds)
  byPool('spillway_failovers_total', 'Failovers by their reason.', 'reason', (counts) => counts.failovers)

  const crowded = 'Requests that were refused because all connections to their upstream stayed in use.'
  exposition.counter('spillway_upstream_crowded_total', crowded, ['origin'], (sample) => {
    for (const { origin, refused } of sources.view()?.upstreams ?? []) sample({ origin }, refused)
  })

  const decided = 'Decisions about a worker by their reason; started stands for none against it.'
  exposition.counter('spillway_worker_decisions_total', decided, ['worker', 'reason'], (sample) => {
    for (const { worker, reason, count } of sources.view()?.guard?.decisions ?? []) sample({ worker, reason }, count)
  })

  const byWord = (name: string, help: string, word: string, tally: Tally) =>
    exposition.counter(name, help, [word], (sample) => {
      for (const [value, count] of tally.entries()) sample({ [word]: value }, count)
    })
  const { refreshes, suppressed } = sources.counts
  byWord('spillway_signals_suppressed_total', 'Repeated signals that were not told again.', 'kind', suppressed.total)
  byWord('spillway_refreshes_total', 'Token refreshes by their result.', 'result', refreshes)
}

/** Declares the metrics that are states of pools, of the disk and of the process. */
export function declareGauges(exposition: Exposition, sources: Sources): void {
  const gauge = (name: string, help: string, labels: readonly string[], read: (view: View, sample: Sample) => void) =>
    exposition.gauge(name, help, labels, (sample) => {
      const view = sources.view()
      if (view) read(view, sample)
    })
  gauge('spillway_pool_exhausted', '1 while nobody can serve.', ['pool'], ({ pools }, sample) => {
    for (const pool of pools) sample({ pool: pool.name }, pool.exhausted ? 1 : 0)
  })
  gauge('spillway_inflight', 'Requests in flight.', ['pool'], ({ pools }, sample) => {
    for (const { name } of pools) sample({ pool: name }, sources.counts.pool(name).inFlight)
  })
  gauge('spillway_upstream_connections', 'Open connections to an upstream.', ['origin'], ({ upstreams }, sample) => {
    for (const { origin, open } of upstreams) sample({ origin }, open)
  })
  gauge('spillway_upstream_waiting', 'Requests that wait for a connection.', ['origin'], ({ upstreams }, sample) => {
    for (const { origin, waiting } of upstreams) sample({ origin }, waiting)
  })
  gauge('spillway_disk_free_bytes', 'Bytes free on the disk of the data directory.', [], (view, sample) => {
    if (view.diskFreeBytes !== null) sample({}, view.diskFreeBytes)
  })
  gauge('spillway_disk_reserve_bytes', 'Bytes that are to stay free on that disk.', [], (view, sample) => {
    if (view.diskReserveBytes != null) sample({}, view.diskReserveBytes)
  })
  gauge('spillway_store_away', '1 while the store takes no writes or cannot be reached.', [], (view, sample) => {
    sample({}, view.storeAway ? 1 : 0)
  })
  gauge('spillway_guard_budget_bytes', 'Bytes in a directory with a budget.', ['budget'], ({ guard }, sample) => {
    for (const { name, bytes } of guard?.budgets ?? []) sample({ budget: name }, bytes)
  })
  gauge('spillway_guard_path_state', '1 for the state of a hot path.', ['path', 'state'], ({ guard }, sample) => {
    for (const { name, state } of guard?.paths ?? []) sample({ path: name, state }, 1)
  })
  const shouldRun = '1 while a worker is wanted and jobs wait for it.'
  gauge('spillway_worker_should_run', shouldRun, ['worker'], ({ guard }, sample) => {
    for (const { name, shouldRun: should } of guard?.workers ?? []) sample({ worker: name }, should ? 1 : 0)
  })
  const fastPath = '1 if requests bypass node:http for speed, 0 if this Node does not allow that.'
  gauge('spillway_fast_path', fastPath, [], (view, sample) => {
    sample({}, view.fastPath ? 1 : 0)
  })
}

function* shownPools({ counts, view }: Sources): Generator<[name: string, counts: PoolCounts]> {
  const shown = view()?.pools.map(({ name }) => name)
  const names = shown && new Set(shown)
  for (const [name, pool] of counts.pools()) if (!names || names.has(name)) yield [name, pool]
}
