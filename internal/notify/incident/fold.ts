import type { Announcement, DomainEvent } from '../../events/events.ts'
import { type Opening, signalOf } from './condition.ts'
import { lineOf } from './decide.ts'
import type { Incident, Line } from './incident.ts'
import type { At, UpdateReason } from './notice.ts'

const mostLines = 5

/** The incident that an announcement begins; it has no updates yet. */
export function begin(heard: Announcement, opening: Opening, tellAt: At): Incident {
  const { event, seq, suppressed } = heard
  const { group, subject, lasts, quietMs, endsAt } = opening
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
    endsAt,
    count: 1,
    lines: [newLine(event, suppressed)],
    more: 0,
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

/** The incident with one more signal: a repeat is counted, a new one gets its line or replaces what was known. */
export function add(incident: Incident, heard: Announcement, opening: Opening, dedupeMs: number): Incident {
  const { event, suppressed } = heard
  const repeated = lineOf(incident, event, dedupeMs)
  const signals = 1 + suppressed
  const grown = {
    ...incident,
    count: incident.count + signals,
    lastAt: Math.max(incident.lastAt, event.at),
    endsAt: opening.endsAt ?? incident.endsAt,
  }
  if (!incident.lasts) {
    if (!repeated) return withLine(grown, newLine(event, suppressed))
    const lines = incident.lines.map((line) =>
      line === repeated ? { ...line, event, count: line.count + signals } : line,
    )
    return { ...grown, lines }
  }
  const newest = accumulated(incident.lines.at(-1)?.event, event)
  const line = repeated ? { ...repeated, event: newest, count: repeated.count + signals } : newLine(newest, 0)
  return { ...grown, kind: event.kind, reason: event.reason, subject: opening.subject, lines: [line] }
}

/** The incident after its end; `event` is null when it ended by itself. */
export function close(incident: Incident, event: DomainEvent | null, at: At): Incident {
  return { ...incident, closedAt: Math.max(incident.openedAt, at), end: event }
}

/** The incident with an update that its channels have to hear; unchanged when there is no reason for one. */
export function updated(incident: Incident, why: UpdateReason | null, now: At): Incident {
  if (why === null) return incident
  return { ...incident, why, version: incident.version + 1, updatedAt: now, updatedCount: incident.count }
}

function newLine(event: DomainEvent, before: number): Line {
  return { signal: signalOf(event), event, at: event.at, count: 1, before }
}

function withLine(incident: Incident, line: Line): Incident {
  if (incident.lines.length >= mostLines) return { ...incident, more: incident.more + 1 }
  return { ...incident, lines: [...incident.lines, line] }
}

/** Guessed keys are told as a sum over the incident; of everything else the newest facts count. */
function accumulated(known: DomainEvent | undefined, event: DomainEvent): DomainEvent {
  if (event.kind !== 'keys_guessed' || known?.kind !== 'keys_guessed') return event
  return { ...event, detail: { attempts: known.detail.attempts + event.detail.attempts } }
}
