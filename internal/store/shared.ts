import type { At } from '../pool/pool.ts'
import type { Batch, Changes, Snapshot } from './batch.ts'
import type { StoreError } from './fault.ts'

/**
 * What a store can do beside the Store port when several replicas share it. Every committed batch has a number; the
 * numbers of the fleet grow in the order in which the batches become visible, so that whoever has seen number n has seen
 * everything up to n.
 */
export interface Shared {
  /** Names this opening of the store: what it commits is nobody else's change. */
  readonly origin: string
  /** Everything as it is after the batch `number`. */
  snapshot(): Promise<{ readonly snapshot: Snapshot; readonly number: number }>
  /** What others have changed of a Snapshot's rows since the batch `after`; null when that is too long ago to tell: take a snapshot then. */
  changes(after: number): Promise<Changes | null>
  /**
   * As `commit` of the Store, under conditions. Rejects with Conflict or LeaseLost, and nothing is written then.
   */
  commit(batch: SharedBatch): Promise<Committed>
  /** Hears of others' batches, and of the connection, until the function that is returned is called. */
  watch(listener: Watcher): () => Promise<void>
  readonly leases: Leases
  readonly replicas: Replicas
  /** How the database is reached, asked now. */
  health(): Promise<StoreHealth>
}

export interface StoreHealth {
  /** The address of the database, without a password. */
  readonly label: string
  /** The version of the server. */
  readonly server: string
  readonly encrypted: boolean
  readonly latencyMs: number
  /** Whether a pooler in transaction mode stands in between: then notifications do not come through. */
  readonly isPooled: boolean
}

/** A batch with what must hold for it to be written. */
export interface SharedBatch extends Batch {
  /**
   * The number up to which the writer knew what others changed when it decided: Conflict when a row that the batch writes
   * was changed by somebody else after it. Without it the last writer wins.
   */
  readonly seen?: number
  /** The lease under which the writer acts: LeaseLost when it is not current any more. */
  readonly fence?: Lease
}

export interface Committed {
  /** Of the audit rows, in order. */
  readonly seqs: readonly number[]
  /** Of the batch; null when it wrote audit rows only. */
  readonly number: number | null
}

/** What the connection that hears of changes tells. Nothing is said twice in a row. */
export interface Watcher {
  /** Somebody else committed the batch with this number. */
  changed(number: number): void
  /** The connection is lost; it is tried again until `back`. */
  away(error: StoreError): void
  /** The connection hears again, the first time, too; what was said meanwhile is found by `changes` only. */
  back(): void
  /** Notifications do not come through (a pooler in transaction mode stands in between): only sweeps find changes. */
  deaf(why: string): void
}

/** The right to do something that is done once in the fleet. */
export interface Lease {
  readonly name: string
  readonly holder: string
  /** Grows with each taking; an older one is not current any more. */
  readonly generation: number
}

/** All times are told by the database's clock. */
export interface Leases {
  /**
   * The lease; null while somebody else holds it. Whoever holds it already has it for `ttlMs` more, of the same generation;
   * every other taking begins a new one.
   */
  take(name: string, holder: string, ttlMs: number): Promise<Lease | null>
  /** Whether it was current and is so for `ttlMs` more. */
  renew(lease: Lease, ttlMs: number): Promise<boolean>
  /** Lets somebody else take it at once; nothing happens when it is not current. */
  release(lease: Lease): Promise<void>
  /** Those that somebody holds. */
  held(): Promise<readonly (Lease & { readonly until: At })[]>
}

export interface Replica {
  /** As `origin`. */
  readonly id: string
  readonly name: string
  /** Of the program. */
  readonly version: string
  readonly startedAt: At
  readonly draining: boolean
}

export interface Replicas {
  /** Says that the replica lives. */
  beat(replica: Replica): Promise<void>
  /** Those that lived within `withinMs`, with when they said so last, by the database's clock. */
  list(withinMs: number): Promise<readonly (Replica & { readonly seenAt: At })[]>
  /** The replica is gone for good. */
  leave(id: string): Promise<void>
}
