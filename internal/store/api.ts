import type { DomainEvent } from '../events/events.ts'
import type { At } from '../pool/pool.ts'
import type {
  AuditRow,
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
  | { readonly put: 'meta'; readonly name: string; readonly value: string }
  /** A count of left-out repeats, outside the audit chain and updated in place. */
  | { readonly put: 'suppressed'; readonly signal: string; readonly count: number; readonly at: At }
  | { readonly drop: 'credential'; readonly id: string } // with its state, secrets, seats and refresh row
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

export interface AuditQuery {
  /** Rows at or after this instant. */
  readonly since?: At
  readonly pool?: string
  readonly kind?: string
  /** Rows with a higher sequence number only, oldest first (for catching up). */
  readonly after?: number
  /** At most this many; the newest ones unless `after` is given. The answer is always oldest first. */
  readonly limit?: number
}

/** What a walk along the audit chain found. */
export type ChainVerdict =
  | { readonly ok: true; readonly rows: number; readonly head: { readonly seq: number; readonly hash: string } | null }
  | { readonly ok: false; readonly seq: number; readonly problem: string }

/** How much of the audit log is kept. */
export interface Retention {
  readonly maxAgeMs: number
  readonly maxRows: number
  readonly maxBytes: number
}

export interface Store {
  load(): Promise<Snapshot>
  /** Writes all or nothing and resolves when it is durable, with the sequence numbers of the audit rows in order. */
  commit(batch: Batch): Promise<readonly number[]>
  /** The refresh row and the sealed secrets of one credential as they are now, whoever wrote them. */
  refreshState(id: string): Promise<{ readonly row: RefreshRecord | null; readonly secrets: readonly SecretRecord[] }>
  audit(query: AuditQuery): Promise<readonly AuditRow[]>
  verifyAudit(): Promise<ChainVerdict>
  /** Removes what is over the budget, oldest first, leaving a signed anchor; returns how many rows went. */
  prune(now: At, retention: Retention): Promise<number>
  incidents(): Promise<readonly IncidentRecord[]>
  outbox(): Promise<readonly OutboxRecord[]>
  /** Bytes that the database and its log occupy, and bytes free on their disk. */
  space(): Promise<{ readonly usedBytes: number; readonly freeBytes: number; readonly totalBytes: number }>
  close(): Promise<void>
}
