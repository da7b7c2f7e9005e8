/**
 * What happened, in the words of the product: the DomainEvent union and the typed bus that carries it.
 * An event is announced only after the change that it describes is durable (`recorded` says so when the store is ill).
 */
import type { Actor, At, ModelFamily, Reason, Remedy, Scope } from '../pool/pool.ts'

export { closing, type EventSource, type Feeds, feed, type LiveEvent, maxFeeds, type Streaming } from './feed.ts'

/** How a pool recovered: a request was served, somebody made a member usable, the canonical probe was accepted, or its time is over and nobody has asked. */
export type RecoveredHow = 'request' | 'operator' | 'probe' | 'untested'

/** Facts that only some kinds carry; they are kept in the audit row's `detail`. */
export interface Details {
  /** A used member failed, another serves. */
  /** `model`: for requests of that family only. */
  cred_failover: { until: At | null; status: number | null; model?: ModelFamily | null }
  pool_exhausted: {
    retryAt: At | null
    members: number
    needsPerson: boolean
    first: string | null
    why: Record<string, string>
    /** What a person has to do, when only a person can help; a command in rows of earlier versions, or absent. */
    remedy?: Remedy | string | null
    /** For requests of that family only. */
    model?: ModelFamily
  }
  /** `how` is absent in rows of earlier versions. */
  pool_recovered: { exhaustedAt: At; refused: number; how?: RecoveredHow }
  /** `to`, of tier `tier`, serves because nobody of tier `first` can, which returns at `until`; `helpsOut`: some of it are well and only have no room, or not for this request. */
  backup_serves: { tier: number; first: number; until: At | null; helpsOut: boolean; model?: ModelFamily | null }
  /** Tier `first` has taken over again. */
  backup_over: { tier: number; first: number; since: At; served: number }
  /** Told ahead: nobody in the pool will be able to serve; `burner`: the client key that uses most of it, with its part of 1. */
  pool_runs_dry: {
    dryAt: At
    reliefAt: At | null
    reliefMember: string | null
    burner: { readonly key: string; readonly share: number } | null
  }
  /** What was told ahead holds no longer; `isKnown`: because it lasts, and not because too little is known. */
  pool_lasts: { isKnown: boolean }
  pool_rotated: { until: At | null }
  member_parked: { until: At | null }
  member_unparked: Record<string, never>
  member_cleared: Record<string, never>
  cred_cooled: { until: At; scope: Scope; model: ModelFamily | null; status: number | null }
  cred_suspect: { until: At; status: number | null }
  /** `command` stands in the place of `remedy` in rows of earlier versions. */
  cred_needs_login: { remedy?: Remedy; command?: string }
  /** A token that cannot be refreshed; `kept`: another can be put in its place here. */
  cred_expiring: { endsAt: At; days: number; kept: boolean }
  cred_unreadable: { remedy: Remedy }
  /** Its usage endpoint says that a limit was reset before `until`. */
  cred_reset: { until: At; window: string | null }
  cred_revived: { how: 'probe' | 'login' | 'operator' | 'read' }
  /** Its variable, file or command holds another key than before, which serves from now on. */
  cred_replaced: { source: string }
  cred_disabled: { by: 'upstream' | 'operator' }
  /** The login in its place is another account's than before, by e-mail address or id. */
  cred_account_changed: { before: string; after: string }
  cred_added: { provider: string }
  cred_removed: Record<string, never>
  pool_changed: { what: string }
  key_created: { pools: readonly string[] | null }
  key_revoked: Record<string, never>
  /** By the fingerprints of the keys. */
  master_key_rotated: { before: string; after: string }
  keys_guessed: { attempts: number }
  token_issued: Record<string, never>
  config_changed: { what: string }
  config_rejected: { problems: readonly string[] }
  egress_blocked: { status: number | null }
  weak_storm: { members: number; until: At }
  host_down: { host: string; nextAttemptAt: At }
  /** `refused`: requests that met the outage, of these pools. Both are absent in rows of earlier versions. */
  host_up: { host: string; downAt: At; refused?: number; pools?: readonly string[] }
  /** `disk`: it is short of room; absent when the store does not take what is written. */
  store_trouble: { what: string; disk?: { freeBytes: number; reserveBytes: number; path: string } }
  store_healed: { disk?: true }
  /** `from` names the worker, hot path or budget; `reason` says why, in the guard's words. `code` is the command's. */
  worker_started: { pending: number | null; code: number | null }
  worker_stopped: { path: string; code: number | null }
  worker_refused: { pending: number | null }
  /** It does not run although jobs wait; `since`: what keeps it from running has held so long. */
  worker_down: { pending: number; since: At | null }
  worker_up: { downAt: At }
  path_recovered: { path: string; steps: readonly string[] }
  /** Refused, or failed at this step. */
  path_recovery_failed: { path: string; step: string | null; said: string | null }
  path_unrecovered: { path: string; state: string; since: At }
  path_readable: { path: string; since: At }
  budget_pruned: { path: string; files: number; bytes: number }
  budget_over: { path: string; bytes: number; files: number; over: readonly string[]; prunes: boolean }
  budget_within: { path: string }
  budget_filling: Filling
  budget_calm: { path: string }
  guard_enabled: { what: string }
  guard_disabled: { what: string }
}

/** How a directory grows since the first error of a pool. */
export type Filling = {
  path: string
  bytesPerHour: number
  /** null: nothing was written in the same time before. */
  multiplier: number | null
  errorAt: At
  /** What is wrong with the pool, such as a member that needs a login. */
  cause: 'needs-login' | 'disabled' | 'unreadable' | 'exhausted'
  freeBytes: number | null
  fullAt: At | null
}

/** Why a worker is not started; `check-failed`: what was asked about it did not answer. */
export type WorkerReason =
  | 'disabled'
  | 'active'
  | 'nothing-pending'
  | 'deploy-locked'
  | 'storage-unreadable'
  | 'marked-running'
  | 'rate-limited'
  | 'needs-person'
  | 'check-failed'

/** Why a recovery is not begun. */
export type RecoveryRefusal = 'disabled' | 'not-stale' | 'outside-root' | 'not-a-mountpoint' | 'busy' | 'rate-limited'

/** Why the guard does not do something, or what is wrong. */
export type GuardReason = WorkerReason | RecoveryRefusal | 'failed'

export type EventKind = keyof Details

interface Shape<K extends EventKind> {
  readonly kind: K
  readonly at: At
  readonly pool: string | null
  /** The member that was left or is spoken of. */
  readonly from: string | null
  /** The member that serves now. */
  readonly to: string | null
  readonly reason: Reason | GuardReason | null
  readonly actor: Actor
  readonly detail: Details[K]
}

/** One thing that happened; `from`, `to`, `pool` and `reason` together identify a signal for deduplication. */
export type DomainEvent = { [K in EventKind]: Shape<K> }[EventKind]

/** An event with what the store knows of it. */
export interface Announcement {
  readonly event: DomainEvent
  /** Its audit row; null when the store could not write it (told from memory). */
  readonly seq: number | null
  /** How many identical signals were left out since the previous row of this condition. */
  readonly suppressed: number
}

export interface EventBus {
  publish(announcement: Announcement): void
  /** Calls `listener` for each announcement from now on; returns the end of the subscription. A throwing listener stops nobody. */
  subscribe(listener: (announcement: Announcement) => void): () => void
}

/** A bus that hands errors of listeners to `onError`. */
export function eventBus(onError: (error: unknown) => void): EventBus {
  const listeners = new Set<(announcement: Announcement) => void>()
  return {
    publish(announcement) {
      for (const listener of listeners) {
        try {
          listener(announcement)
        } catch (error) {
          onError(error)
        }
      }
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

/** A kind that is added to the union does not compile until it stands here, too. */
const all: Readonly<Record<EventKind, true>> = {
  cred_failover: true,
  backup_serves: true,
  backup_over: true,
  pool_exhausted: true,
  pool_runs_dry: true,
  pool_lasts: true,
  pool_recovered: true,
  pool_rotated: true,
  member_parked: true,
  member_unparked: true,
  member_cleared: true,
  cred_cooled: true,
  cred_suspect: true,
  cred_needs_login: true,
  cred_expiring: true,
  cred_unreadable: true,
  cred_revived: true,
  cred_reset: true,
  cred_replaced: true,
  cred_disabled: true,
  cred_account_changed: true,
  cred_added: true,
  cred_removed: true,
  pool_changed: true,
  key_created: true,
  key_revoked: true,
  master_key_rotated: true,
  keys_guessed: true,
  token_issued: true,
  config_changed: true,
  config_rejected: true,
  egress_blocked: true,
  weak_storm: true,
  host_down: true,
  host_up: true,
  store_trouble: true,
  store_healed: true,
  worker_started: true,
  worker_stopped: true,
  worker_refused: true,
  worker_down: true,
  worker_up: true,
  path_recovered: true,
  path_recovery_failed: true,
  path_unrecovered: true,
  path_readable: true,
  budget_pruned: true,
  budget_over: true,
  budget_within: true,
  budget_filling: true,
  budget_calm: true,
  guard_enabled: true,
  guard_disabled: true,
}

/** Every kind of event, in the order of the union. */
export const eventKinds = Object.keys(all) as readonly EventKind[]
