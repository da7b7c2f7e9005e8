import type { DomainEvent } from '../events/events.ts'
import type { At } from '../pool/pool.ts'
import type {
  CredentialRecord,
  CredentialState,
  DomainState,
  HostState,
  IncidentRecord,
  KeyRecord,
  OutboxRecord,
  PoolRecord,
  PoolState,
  RefreshRecord,
  SeatRecord,
  SecretRecord,
  UsageRecord,
  UsageSample,
} from './records.ts'

/** One row to write or to remove. Later writes of a batch win; a batch is one transaction. */
export type Write =
  | { readonly put: 'credential'; readonly row: CredentialRecord }
  | { readonly put: 'credential-state'; readonly row: CredentialState }
  | { readonly put: 'pool'; readonly row: PoolRecord }
  | { readonly put: 'pool-state'; readonly row: PoolState }
  | { readonly put: 'seat'; readonly row: SeatRecord }
  | { readonly put: 'domain'; readonly row: DomainState }
  | { readonly put: 'host'; readonly row: HostState }
  | { readonly put: 'key'; readonly row: KeyRecord }
  | { readonly put: 'secret'; readonly row: SecretRecord }
  /** Fails the whole batch with StaleGeneration unless the row's generation is `expected` (null: there is no row). */
  | { readonly put: 'refresh'; readonly row: RefreshRecord; readonly expected: number | null }
  | { readonly put: 'incident'; readonly row: IncidentRecord }
  | { readonly put: 'outbox'; readonly row: OutboxRecord }
  | { readonly put: 'usage-sample'; readonly row: UsageSample }
  | { readonly put: 'meta'; readonly name: string; readonly value: string }
  | { readonly put: 'usage'; readonly row: UsageRecord }
  /** A count of left-out repeats, outside the audit chain and updated in place. */
  | { readonly put: 'suppressed'; readonly signal: string; readonly count: number; readonly at: At }
  | { readonly drop: 'credential'; readonly id: string } // with its state, secrets, seats, samples and refresh row
  | { readonly drop: 'pool'; readonly name: string } // with its state and seats
  | { readonly drop: 'seat'; readonly pool: string; readonly credentialId: string }
  | { readonly drop: 'host'; readonly host: string }
  | { readonly drop: 'secret'; readonly owner: string }
  | { readonly drop: 'incident'; readonly id: string }
  | { readonly drop: 'outbox'; readonly id: string }
  | { readonly drop: 'meta'; readonly name: string }
  | { readonly drop: 'suppressed'; readonly signal: string }

/** An event that becomes an audit row in the same transaction as the writes it describes. */
export interface AuditEntry {
  readonly event: DomainEvent
  readonly suppressed: number
}

export interface Batch {
  readonly writes: readonly Write[]
  readonly audit: readonly AuditEntry[]
}

/** All that the engine, the keys and the credentials keep in memory. */
export interface Snapshot {
  readonly credentials: readonly CredentialRecord[]
  readonly states: readonly CredentialState[]
  readonly pools: readonly PoolRecord[]
  readonly poolStates: readonly PoolState[]
  readonly seats: readonly SeatRecord[]
  readonly domains: readonly DomainState[]
  readonly hosts: readonly HostState[]
  readonly keys: readonly KeyRecord[]
  readonly secrets: readonly SecretRecord[]
  readonly suppressed: readonly { readonly signal: string; readonly count: number; readonly at: At }[]
  readonly meta: Readonly<Record<string, string>>
}

/** Rows as they are now, each as the write that brings a copy up to date; rows that are gone as drops. */
export interface Changes {
  /** In an order in which they can be applied. */
  readonly writes: readonly Write[]
  /** Everything up to this batch is in them, or was there before. */
  readonly number: number
}
