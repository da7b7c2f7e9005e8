import type { Announcement, DomainEvent } from '../../events/events.ts'
import type { Opening } from './condition.ts'
import type { Incident } from './incident.ts'
import type { At, UpdateReason } from './notice.ts'

/** The incident that an announcement begins; it has no updates yet. */
export function begin(heard: Announcement, opening: Opening, tellAt: At): Incident {
  const { event, seq } = heard
  const { group, subject, lasts, quietMs } = opening
  return {
    id: `${group}@${seq ?? `memory-${event.at}`}`,
    group,
    kind: event.kind,
    pool: event.pool,
    subject,
    reason: event.reason,
    lasts,
    openedAt: event.at,
    closedAt: lasts ? null : event.at,
    lastAt: event.at,
    quietMs,
    endsAt: endOf(opening, event.at),
    count: 1,
    event,
    since: event.at,
    spells: 1,
    isBack: false,
    end: null,
    tellAt,
    updatedAt: event.at,
    updatedCount: 0,
    version: 0,
    why: 'opened',
    told: {},
    persisted: seq !== null,
  }
}

/** The incident with one more signal: its newest facts count, and all signals. */
export function add(incident: Incident, heard: Announcement, opening: Opening): Incident {
  const { event, suppressed } = heard
  return {
    ...incident,
    kind: event.kind,
    reason: event.reason,
    subject: opening.subject,
    event: accumulated(incident.event, event),
    count: incident.count + 1 + suppressed,
    lastAt: Math.max(incident.lastAt, event.at),
    endsAt: endOf(opening, incident.openedAt) ?? incident.endsAt,
  }
}

/** The incident that was over and has come back. */
export function reopen(incident: Incident, heard: Announcement, opening: Opening): Incident {
  const { event } = heard
  const again = { closedAt: null, end: null, since: event.at, spells: incident.spells + 1, isBack: false }
  return { ...add(incident, heard, opening), ...again, event, quietMs: opening.quietMs }
}

/** The incident after its end; `event` is null when it ended by itself. */
export function close(incident: Incident, event: DomainEvent | null, at: At): Incident {
  return { ...incident, closedAt: Math.max(incident.since, at), end: event }
}

/** The incident with an update that its channels have to hear; unchanged when there is no reason for one. */
export function updated(incident: Incident, why: UpdateReason | null, now: At): Incident {
  if (why === null) return incident
  return { ...incident, why, version: incident.version + 1, updatedAt: now, updatedCount: incident.count }
}

function endOf({ endsAt, longestMs }: Opening, openedAt: At): At | null {
  return endsAt === null ? null : Math.min(endsAt, openedAt + longestMs)
}

/** Guessed keys are told as a sum over the incident; of everything else the newest facts count. */
function accumulated(known: DomainEvent, event: DomainEvent): DomainEvent {
  if (event.kind !== 'keys_guessed' || known.kind !== 'keys_guessed') return event
  return { ...event, detail: { attempts: known.detail.attempts + event.detail.attempts } }
}
