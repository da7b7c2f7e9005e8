import type { DomainEvent } from '../../events/events.ts'
import type { At } from './notice.ts'

/** An event that begins an incident or belongs to one that has begun. */
export interface Opening {
  readonly does: 'opens'
  /** Incidents of one group are the same condition at different times. */
  readonly group: string
  readonly subject: string | null
  /** false: a moment without a length, told once and not open afterwards. */
  readonly lasts: boolean
  /** How long it must have lasted before it is worth telling. */
  readonly holdMs: number
  /** It is over when nothing was signalled for so long; null: another event ends it. */
  readonly quietMs: number | null
  /** It is over at this instant at the latest. */
  readonly endsAt: At | null
  /** No incident of the group lasts longer; what comes later begins another. */
  readonly longestMs: number
}

/** An event that ends the open incident of a group. */
interface Ending {
  readonly does: 'ends'
  readonly group: string
  /** Worth telling even if the beginning is unknown. */
  readonly alone: boolean
}

/** What an event does to an incident. */
export type Role = Opening | Ending

const hostHoldMs = 5_000
const helpHoldMs = 60_000
const quietMs = 600_000
/** Failovers of a pool are told by the hour. */
const failoverHourMs = 3_600_000
/** A failover is over when its member can return, and nothing more has come for so long: pools that flap do not open and close. */
const failoverNewsMs = 900_000
/** How long it takes to find out whether a key that was rejected is dead; the key's own notice tells the failover, then. */
const suspicionMs = 30_000

/** The groups that more than one kind of event names. */
export const groups = {
  exhaustion: (pool: string | null) => `exhausted:${pool ?? ''}`,
  failover: (pool: string | null) => `failover:${pool ?? ''}`,
  credential: (name: string | null) => `credential:${name ?? ''}`,
} as const

function opens(group: string, more: Partial<Opening> = {}): Opening {
  const usual = { subject: null, lasts: true, holdMs: 0, quietMs: null, endsAt: null, longestMs: Infinity } as const
  return { does: 'opens', group, ...usual, ...more }
}

function ends(group: string, alone = false): Ending {
  return { does: 'ends', group, alone }
}

/** What an event means for incidents; null for those that only the audit log tells. */
export function roleOf(event: DomainEvent): Role | null {
  switch (event.kind) {
    case 'cred_failover':
      return opens(groups.failover(event.pool), {
        subject: event.from,
        holdMs: isSuspicion(event) ? suspicionMs : 0,
        endsAt: Math.max(event.detail.until ?? 0, event.at + failoverNewsMs),
        longestMs: failoverHourMs,
      })
    case 'pool_rotated':
      return opens(`rotated:${event.pool}`, {
        subject: event.from,
        endsAt: event.detail.until ?? event.at + failoverNewsMs,
      })
    case 'backup_serves':
      // What only helps out is worth a word when it goes on.
      return opens(`backup:${event.pool}`, { subject: event.to, holdMs: event.detail.helpsOut ? helpHoldMs : 0 })
    case 'backup_over':
      return ends(`backup:${event.pool}`)
    case 'config_rejected':
      return opens('configuration')
    case 'config_changed':
      return ends('configuration')
    case 'pool_runs_dry':
      return opens(`dry:${event.pool}`, { subject: event.detail.reliefMember })
    case 'pool_lasts':
      return ends(`dry:${event.pool}`)
    case 'cred_reset':
      return opens(`reset:${event.from}`, { subject: event.from, lasts: false })
    case 'pool_exhausted':
      return opens(groups.exhaustion(event.pool), { subject: event.detail.first })
    case 'pool_recovered':
      return ends(groups.exhaustion(event.pool), true)
    case 'cred_needs_login':
    case 'cred_unreadable':
    case 'cred_disabled':
      return opens(groups.credential(event.from), { subject: event.from })
    case 'cred_expiring':
      return opens(groups.credential(event.from), { subject: event.from, endsAt: event.detail.endsAt })
    case 'cred_account_changed':
      return opens(`account:${event.from}`, { subject: event.from, lasts: false })
    case 'cred_revived':
    case 'cred_removed':
      return ends(groups.credential(event.from))
    case 'keys_guessed':
      return opens('keys', { quietMs })
    case 'egress_blocked':
      return opens(`egress:${event.pool}`, { subject: event.from, quietMs })
    case 'weak_storm':
      return opens(`storm:${event.pool}`, { endsAt: event.detail.until })
    case 'host_down':
      // A blip of a few seconds mends itself before anybody has read about it.
      return opens(`host:${event.detail.host}`, { subject: event.detail.host, holdMs: hostHoldMs })
    case 'host_up':
      return ends(`host:${event.detail.host}`)
    case 'store_trouble':
      return opens(event.detail.disk ? 'disk' : 'store')
    case 'store_healed':
      return ends(event.detail.disk ? 'disk' : 'store')
    case 'worker_down':
      return opens(`worker:${event.from}`, { subject: event.from })
    case 'worker_up':
      return ends(`worker:${event.from}`)
    case 'path_unrecovered':
      return opens(`path:${event.from}`, { subject: event.from })
    case 'path_readable':
      return ends(`path:${event.from}`)
    case 'budget_over':
      return opens(`budget:${event.from}`, { subject: event.from })
    case 'budget_within':
      return ends(`budget:${event.from}`)
    case 'budget_filling':
      return opens(`filling:${event.from}`, { subject: event.from })
    case 'budget_calm':
      return ends(`filling:${event.from}`)
    case 'member_parked':
    case 'member_unparked':
    case 'member_cleared':
    case 'cred_cooled':
    case 'cred_suspect':
    case 'cred_added':
    case 'cred_replaced':
    case 'pool_changed':
    case 'key_created':
    case 'key_revoked':
    case 'master_key_rotated':
    case 'token_issued':
    case 'worker_started':
    case 'worker_stopped':
    case 'worker_refused':
    case 'path_recovered':
    case 'path_recovery_failed':
    case 'budget_pruned':
    case 'guard_enabled':
    case 'guard_disabled':
      return null
  }
}

/** Whether the key of the member that was left may be dead. */
function isSuspicion({ reason }: DomainEvent): boolean {
  return reason === 'auth-rejected' || reason === 'auth-expired' || reason === 'account-closed'
}

/** Whether only a person can end it: a login, a key to replace, a secret to mend. */
export function needsPerson(kind: DomainEvent['kind']): boolean {
  return kind === 'cred_needs_login' || kind === 'cred_disabled' || kind === 'cred_unreadable'
}

/** Whether it is told at once also while notices are muted: nobody can serve, or only a person can help. */
export function isUrgent(kind: DomainEvent['kind']): boolean {
  return kind === 'pool_exhausted' || needsPerson(kind)
}

/** Whether it is the ordinary work of a pool, which nobody has to be woken for and which is no condition of its own. */
export function isRoutine(kind: string): boolean {
  return kind === 'cred_failover' || kind === 'pool_rotated'
}

/** What makes two events the same signal; config problems are part of it, for they are what is told. */
export function signalOf(event: DomainEvent): string {
  const more =
    event.kind === 'config_rejected'
      ? event.detail.problems
      : event.kind === 'host_down'
        ? event.detail.host
        : event.kind === 'cred_failover'
          ? (event.detail.model ?? '')
          : ''
  return JSON.stringify([event.kind, event.pool, event.from, event.to, event.reason, more])
}
