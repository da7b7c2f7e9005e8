import type { Clock } from '../clock/clock.ts'
import type { Details, EventKind, Filling, GuardReason } from '../events/events.ts'
import type { Logger } from '../log/log.ts'
import type { Actor, BreakerShape, GuardSettings } from '../ops/ops.ts'
import type { SystemCalls } from './system-calls.ts'

/** What the guard tells: it becomes an audit row, and a notice where it begins or ends an incident. */
export interface GuardSignal<K extends EventKind> {
  readonly kind: K
  readonly from: string
  readonly pool?: string | null
  readonly reason?: GuardReason | null
  readonly actor?: Actor
  readonly detail: Details[K]
}

/** A pool as the guard sees it. */
export interface PoolFacts {
  readonly breaker: BreakerShape
  /** When its current incident began; null: all is well. */
  readonly incidentAt: number | null
  readonly cause: Filling['cause'] | null
  /** Whether nobody can serve before a person acts. */
  readonly needsPerson: boolean
}

/** What the guard works with; the composition root provides it. */
export interface GuardDeps {
  readonly clock: Clock
  readonly log: Logger
  readonly system: SystemCalls
  /** Where sentinel files are that the configuration does not name. */
  readonly data: string
  /** The configuration in force. */
  settings(): GuardSettings
  /** As configured: bytes, or `auto`. */
  reserveBytes(): number | 'auto'
  /** The bytes that are to stay free on a file system of this size. */
  reserveOf(totalBytes: number): number
  pool(name: string): Promise<PoolFacts | null>
  /** Records what happened; `memory` is written in the same transaction. */
  tell<K extends EventKind>(signal: GuardSignal<K>, memory: string): void
  /** What was remembered last; null: nothing. */
  recall(): Promise<string | null>
  /** Resolves when it is durable. */
  remember(memory: string): Promise<void>
}
