import type { Clock } from '../../clock/clock.ts'
import type { Tokens } from '../../dialect/dialect.ts'
import type { EventKind } from '../../events/events.ts'
import type { GuardGauges } from '../../guard/guard.ts'
import { createMetrics, type View } from '../../metrics/metrics.ts'
import type { ProxyMeter } from '../../proxy/proxy.ts'
import type { Store } from '../../store/store.ts'
import type { Core } from '../core.ts'

/** What the parts of the program count with, and how it is shown. */
export interface Meters {
  readonly meter: ProxyMeter
  readonly contentType: string
  tokens(pool: string, tokens: Tokens): void
  suppressed(kind: EventKind): void
  refreshed(result: string): void
  /** The store with its writes measured. */
  timed(store: Store, clock: Clock): Store
  /** Shows the live pools from now on. */
  watch(core: Core, clock: Clock, facts: Facts): void
  render(): Promise<string>
}

/** What is shown beside the pools. */
interface Facts {
  readonly disk: { readonly freeBytes: number | null; readonly reserveBytes: number | null }
  readonly guard: GuardGauges
  readonly fastPath: boolean
  upstreams(): View['upstreams']
}

/** The metrics of this process. */
export function createMeters(): Meters {
  let view: () => View | null = () => null
  const metrics = createMetrics({ view: () => view() })
  return {
    meter: {
      request: (pool, outcome) => metrics.pool(pool).request(outcome),
      attempt: (pool, outcome) => metrics.pool(pool).attempt(outcome),
      inflight: (pool, change) => metrics.pool(pool).inflight(change),
      overhead: (ms) => metrics.overhead(ms / 1_000),
      ttfb: (pool, ms) => metrics.pool(pool).ttfb(ms / 1_000),
    },
    contentType: metrics.contentType,
    tokens: (pool, tokens) => metrics.pool(pool).tokens(tokens),
    suppressed: metrics.suppressed,
    refreshed: metrics.refresh,
    timed: (store, clock) => ({
      ...bound(store),
      async commit(batch) {
        const started = clock.mono()
        const seqs = await store.commit(batch)
        metrics.storeWrite((clock.mono() - started) / 1_000)
        return seqs
      },
    }),
    watch(core, clock, { disk, guard, fastPath, upstreams }) {
      metrics.listen(core.bus)
      view = () => ({
        now: clock.now(),
        pools: core.engine.pools().map(({ record, ...pool }) => ({ ...pool, name: record.name })),
        upstreams: upstreams(),
        diskFreeBytes: disk.freeBytes,
        diskReserveBytes: disk.reserveBytes,
        storeAway: core.engine.storeIsAway(),
        fastPath,
        guard: {
          budgets: guard.budgets(),
          paths: guard.paths(),
          workers: guard.workers(),
          decisions: guard.decisions(),
        },
      })
    },
    render: () => metrics.render(),
  }
}

function bound(store: Store): Store {
  return {
    load: () => store.load(),
    commit: (batch) => store.commit(batch),
    refreshState: (id) => store.refreshState(id),
    audit: (query) => store.audit(query),
    verifyAudit: () => store.verifyAudit(),
    prune: (now, retention) => store.prune(now, retention),
    usage: (query) => store.usage(query),
    pruneUsage: (now, retention) => store.pruneUsage(now, retention),
    incidents: () => store.incidents(),
    outbox: () => store.outbox(),
    usageSamples: (query) => store.usageSamples(query),
    thinSamples: (now, retention) => store.thinSamples(now, retention),
    space: () => store.space(),
    shared: store.shared,
    close: () => store.close(),
  }
}
