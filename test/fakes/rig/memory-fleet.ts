import type { Clock } from '../../../internal/clock/clock.ts'
import { rowOf } from '../../../internal/engine/record/row.ts'
import {
  type Changes,
  Conflict,
  type Lease,
  LeaseLost,
  type Replica,
  type Shared,
  type SharedBatch,
  type Store,
  StoreError,
  type Watcher,
  type Write,
} from '../../../internal/store/store.ts'
import { MemoryStore } from './store.ts'

interface Changed {
  readonly number: number
  readonly origin: string
  readonly write: Write
}

const kept: ReadonlySet<string> = new Set(['incident', 'outbox', 'refresh'])

/** A store in memory that several replicas open, and whose notifications and connections a test can take away. */
export class MemoryFleet {
  readonly base = new MemoryStore()
  /** Whether others are told of batches at once; otherwise their sweeps find them. */
  notifies = true
  /** The origins that cannot reach the store. */
  readonly cutOff = new Set<string>()
  number = 0
  readonly #clock: Clock
  readonly #rows = new Map<string, Changed>()
  readonly #leases = new Map<string, Lease & { until: number }>()
  readonly #replicas = new Map<string, Replica & { seenAt: number }>()
  readonly #watchers = new Map<string, Watcher>()
  #last: Promise<unknown> = Promise.resolve()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The store as one replica sees it. */
  open(origin: string): Store & { readonly shared: Shared } {
    const { base } = this
    const asked = <A extends unknown[], R>(method: (...args: A) => Promise<R>) => {
      return async (...args: A) => {
        this.#reach(origin)
        return method(...args)
      }
    }
    return {
      load: asked(() => base.load()),
      commit: asked(async (batch) => (await this.#commit(origin, batch)).seqs),
      refreshState: asked((id) => base.refreshState(id)),
      audit: asked((query) => base.audit(query)),
      verifyAudit: asked(() => base.verifyAudit()),
      prune: asked(() => base.prune()),
      incidents: asked(() => base.incidents()),
      outbox: asked(() => base.outbox()),
      usage: asked((query) => base.usage(query)),
      pruneUsage: asked(() => base.pruneUsage()),
      usageSamples: asked((query) => base.usageSamples(query)),
      thinSamples: asked(() => base.thinSamples()),
      space: asked(() => base.space()),
      close: async () => {},
      shared: this.#sharedOf(origin, asked),
    }
  }

  /** Takes the store from a replica, or gives it back. */
  cut(origin: string, isCut: boolean): void {
    if (isCut) {
      this.cutOff.add(origin)
      this.#watchers.get(origin)?.away(away())
    } else if (this.cutOff.delete(origin)) this.#watchers.get(origin)?.back()
  }

  #sharedOf(
    origin: string,
    asked: <A extends unknown[], R>(method: (...args: A) => Promise<R>) => (...args: A) => Promise<R>,
  ): Shared {
    return {
      origin,
      health: asked(async () => ({
        label: 'memory',
        server: 'memory',
        encrypted: false,
        latencyMs: 0,
        isPooled: false,
      })),
      snapshot: asked(async () => ({ snapshot: await this.base.load(), number: this.number })),
      changes: asked(async (after): Promise<Changes> => {
        const found = [...this.#rows.values()].filter((row) => row.number > after && row.origin !== origin)
        found.sort((one, other) => one.number - other.number)
        return { writes: found.map(({ write }) => write), number: this.number }
      }),
      commit: asked((batch) => this.#commit(origin, batch)),
      watch: (watcher) => {
        this.#watchers.set(origin, watcher)
        queueMicrotask(() => watcher.back())
        return async () => void this.#watchers.delete(origin)
      },
      leases: {
        take: asked(async (name, holder, ttlMs) => this.#take(name, holder, ttlMs)),
        renew: asked(
          async (lease, ttlMs) => this.#isCurrent(lease) && this.#take(lease.name, lease.holder, ttlMs) !== null,
        ),
        release: asked(async (lease) => {
          if (this.#isCurrent(lease)) this.#leases.set(lease.name, { ...lease, until: 0 })
        }),
        held: asked(async () => [...this.#leases.values()].filter(({ until }) => until > this.#clock.now())),
      },
      replicas: {
        beat: asked(async (replica) => void this.#replicas.set(replica.id, { ...replica, seenAt: this.#clock.now() })),
        list: asked(async (withinMs) =>
          [...this.#replicas.values()].filter(({ seenAt }) => seenAt > this.#clock.now() - withinMs),
        ),
        leave: asked(async (id) => void this.#replicas.delete(id)),
      },
    }
  }

  #reach(origin: string): void {
    if (this.cutOff.has(origin)) throw away()
  }

  #take(name: string, holder: string, ttlMs: number): Lease | null {
    const now = this.#clock.now()
    const held = this.#leases.get(name)
    const isHeld = held !== undefined && held.until > now
    if (isHeld && held.holder !== holder) return null
    const generation = isHeld ? held.generation : (held?.generation ?? 0) + 1
    this.#leases.set(name, { name, holder, generation, until: now + ttlMs })
    return { name, holder, generation }
  }

  #isCurrent({ name, holder, generation }: Lease): boolean {
    const held = this.#leases.get(name)
    return held?.holder === holder && held.generation === generation && held.until > this.#clock.now()
  }

  /** One after the other, as transactions on the same rows are. */
  #commit(origin: string, batch: SharedBatch) {
    const committed = this.#last.then(() => this.#commitNow(origin, batch))
    this.#last = committed.catch(() => {})
    return committed
  }

  async #commitNow(origin: string, { seen, fence, ...batch }: SharedBatch) {
    if (fence && !this.#isCurrent(fence)) throw new LeaseLost('the lease is not current')
    const rows = batch.writes.filter((write) => !kept.has('put' in write ? write.put : write.drop))
    const contested = rows.flatMap((write) => this.#rows.get(keyOf(write)) ?? [])
    const theirs = contested.filter((row) => row.origin !== origin && row.number > (seen ?? this.number))
    if (theirs.length > 0) throw new Conflict({ writes: theirs.map(({ write }) => write), number: this.number })
    const seqs = await this.base.commit(batch)
    if (rows.length === 0) return { seqs, number: null }
    const number = ++this.number
    for (const write of rows) {
      if ('drop' in write && (write.drop === 'credential' || write.drop === 'pool')) this.#forget(write)
      this.#rows.set(keyOf(write), { number, origin, write })
    }
    for (const [other, watcher] of this.#watchers)
      if (this.notifies && other !== origin && !this.cutOff.has(other)) queueMicrotask(() => watcher.changed(number))
    return { seqs, number }
  }

  /** What goes with a credential or a pool. */
  #forget(write: Extract<Write, { drop: 'credential' | 'pool' }>): void {
    for (const [key, { write: other }] of this.#rows) {
      if (!('put' in other) || !('row' in other)) continue
      const row: Partial<Record<string, unknown>> = { ...other.row }
      const isOf =
        write.drop === 'pool' ? row.pool === write.name : row.credentialId === write.id || row.owner === write.id
      const isState =
        write.drop === 'pool' ? other.put === 'pool-state' && row.name === write.name : row.id === write.id
      if (isOf || isState) this.#rows.delete(key)
    }
  }
}

/** A row and its removal have one key. */
function keyOf(write: Write): string {
  return rowOf(write).replace(/^drop /, '')
}

function away(): StoreError {
  return new StoreError('unavailable', 'the database cannot be reached')
}
