import type { At } from '../pool/pool.ts'
import type { Batch, Snapshot } from './batch.ts'
import type {
  AuditRow,
  IncidentRecord,
  OutboxRecord,
  RefreshRecord,
  SecretRecord,
  UsageRecord,
  UsageSample,
} from './records.ts'
import type { Shared } from './shared.ts'

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

/** The newest sample of each credential, or all that are later than an instant. */
export type SampleQuery = { readonly latest: true } | { readonly after: At }

/** How many samples of limits are kept. */
export interface SampleRetention {
  /** What is older than this is thinned to one an hour. */
  readonly finestMs: number
  readonly maxAgeMs: number
  readonly maxBytes: number
}

/** What usage can be added up by. */
export const usageDimensions = ['key', 'member', 'model', 'pool'] as const
export type UsageDimension = (typeof usageDimensions)[number]

export interface UsageQuery {
  /** Hours that began at or after this instant, and before `to`. */
  readonly from: At
  readonly to: At
  /** One sum for each combination of these that occurs; one for all when it is empty. */
  readonly by: readonly UsageDimension[]
}

/** What usage records come to; a dimension that was not asked for is null. */
export type UsageSum = { readonly [D in UsageDimension]: string | null } & Pick<
  UsageRecord,
  'requests' | 'unmetered' | 'unpriced' | 'input' | 'cached' | 'cacheWrite' | 'output' | 'reasoning' | 'cost'
>

/** How much of the usage is kept. */
export interface UsageRetention {
  readonly maxAgeMs: number
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
  /** The sums in the order of their dimensions. */
  usage(query: UsageQuery): Promise<readonly UsageSum[]>
  /** Removes whole hours that are over the budget, oldest first, but never the newest; returns how many rows went. */
  pruneUsage(now: At, retention: UsageRetention): Promise<number>
  incidents(): Promise<readonly IncidentRecord[]>
  outbox(): Promise<readonly OutboxRecord[]>
  /** Samples of limits, oldest first. */
  usageSamples(query: SampleQuery): Promise<readonly UsageSample[]>
  /** Removes samples that are over the budget; returns how many went. */
  thinSamples(now: At, retention: SampleRetention): Promise<number>
  /** Bytes that the database and its log occupy, and bytes free on their disk. */
  space(): Promise<{ readonly usedBytes: number; readonly freeBytes: number; readonly totalBytes: number }>
  /** What replicas of a fleet need of the store that they share; null where one process has the store to itself. */
  readonly shared: Shared | null
  close(): Promise<void>
}
