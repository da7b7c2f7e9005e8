/**
 * The Store port: everything that outlives the process. All methods are asynchronous and may be answered by SQLite in a
 * worker thread (the default) or by PostgreSQL (a fleet). Nothing on the way of a request waits for them.
 */
export type {
  AuditQuery,
  ChainVerdict,
  Retention,
  SampleQuery,
  SampleRetention,
  Store,
  UsageDimension,
  UsageQuery,
  UsageRetention,
  UsageSum,
} from './api.ts'
export { usageDimensions } from './api.ts'
export type { AuditEntry, Batch, Changes, Snapshot, Write } from './batch.ts'
export { copyDatabase, keptFingerprint } from './copy.ts'
export { Conflict, LeaseLost, StaleGeneration, StoreError, type StoreErrorCode } from './fault.ts'
export type { StoreKey } from './fingerprint.ts'
export { acquireLock, type Holder, type Lock, type LockAttempt, tryLock } from './lock.ts'
export { openSqliteStore } from './open.ts'
export { openPostgresStore, type PostgresSettings } from './postgres/start.ts'
export type * from './records.ts'
export { type Rekeyed, rekeyDatabase } from './rekey.ts'
export type * from './shared.ts'
export type { CopiedTable } from './transfer/copy.ts'
export { type Survey, survey } from './transfer/survey.ts'
export { type Place, transfer } from './transfer/transfer.ts'
