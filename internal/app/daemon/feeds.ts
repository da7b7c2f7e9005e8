import type { EventSource } from '../../admin/admin.ts'
import type { Announcement, DomainEvent, EventBus, EventKind } from '../../events/events.ts'
import type { Logger } from '../../log/log.ts'

/** The bus as the admin API streams it: an event in the shape of an audit row. */
export function adminEvents(bus: EventBus): EventSource {
  return (listener) =>
    bus.subscribe(({ event, seq, suppressed }) => {
      const { at, ...rest } = event
      listener({ kind: event.kind, seq, data: { seq, at: new Date(at).toISOString(), ...rest, suppressed } })
    })
}

const troubles: ReadonlySet<EventKind> = new Set<EventKind>([
  'pool_exhausted',
  'backup_serves',
  'cred_needs_login',
  'cred_unreadable',
  'cred_disabled',
  'cred_expiring',
  'cred_account_changed',
  'egress_blocked',
  'weak_storm',
  'host_down',
  'store_trouble',
  'keys_guessed',
  'config_rejected',
  'worker_down',
  'path_unrecovered',
  'path_recovery_failed',
  'budget_over',
  'budget_filling',
])

/** Logs one line for each transition that is told. */
export function logTransitions(bus: EventBus, log: Logger): () => void {
  return bus.subscribe((announcement) => {
    const line = fieldsOf(announcement)
    if (troubles.has(announcement.event.kind)) log.warn(line, announcement.event.kind)
    else log.info(line, announcement.event.kind)
  })
}

function fieldsOf({ event, seq, suppressed }: Announcement) {
  const { pool, from, to, reason, actor } = event
  const problems = event.kind === 'config_rejected' ? { problems: event.detail.problems } : {}
  const fields = {
    seq,
    pool,
    from,
    to,
    reason,
    actor,
    suppressed: suppressed || null,
    ...problems,
    ...accountsOf(event),
    ...untilOf(event),
  }
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null))
}

function accountsOf(event: DomainEvent): { accountBefore?: string; account?: string } {
  return event.kind === 'cred_account_changed'
    ? { accountBefore: event.detail.before, account: event.detail.after }
    : {}
}

function untilOf(event: DomainEvent): { until?: string } {
  const { detail } = event
  return 'until' in detail && detail.until !== null ? { until: new Date(detail.until).toISOString() } : {}
}
