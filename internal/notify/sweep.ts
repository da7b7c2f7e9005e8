import type { DomainEvent } from '../events/events.ts'
import { editSpacingMs, needsUpdate } from './decide.ts'
import { close, updated } from './fold.ts'
import type { Incident } from './incident.ts'
import type { At } from './notice.ts'

/** How an exhausted pool stands now, as the engine sees it. */
export interface Glance {
  readonly retryAt: At | null
  /** The member that recovers first. */
  readonly first: string | null
  /** Requests refused so far; null when nobody counts them. */
  readonly refused: number | null
}

const retainMs = 600_000

/** The incident as the passing of time leaves it: ended by silence or by its own term, or due for an edit; the same object when nothing changed. */
export function swept(incident: Incident, now: At, dedupeMs: number, glance: Glance | null): Incident {
  const endsAt = ownEnd(incident)
  if (endsAt !== null && endsAt <= now) return updated(close(incident, null, endsAt), 'ended', now)
  const seen = glance ? refreshed(incident, glance) : incident
  if (seen !== incident && now - incident.updatedAt >= editSpacingMs) return updated(seen, 'changed', now)
  const why = needsUpdate(incident, null, now, dedupeMs)
  return updated(incident, why, now)
}

/** The incident after an end that no event tells: its pool is gone. */
export function ended(incident: Incident, now: At): Incident {
  return updated(close(incident, null, now), 'ended', now)
}

/** Whether the incident is kept no longer: over, told, and too old to be the same as a new one. */
export function isSpent({ closedAt, updatedAt }: Incident, now: At, dedupeMs: number): boolean {
  return closedAt !== null && now - Math.max(closedAt, updatedAt) > Math.max(retainMs, dedupeMs)
}

/** When an open incident ends without an event; null when only an event ends it. */
function ownEnd({ closedAt, endsAt, quietMs, lastAt }: Incident): At | null {
  if (closedAt !== null) return null
  return endsAt ?? (quietMs === null ? null : lastAt + quietMs)
}

/** The incident with the next recovery as it is known now. */
function refreshed(incident: Incident, { retryAt, first }: Glance): Incident {
  const line = incident.lines.at(-1)!
  const { event } = line
  if (event.kind !== 'pool_exhausted' || incident.closedAt !== null) return incident
  if (event.detail.retryAt === retryAt && event.detail.first === first) return incident
  const newest: DomainEvent = { ...event, detail: { ...event.detail, retryAt, first } }
  return { ...incident, subject: first, lines: [{ ...line, event: newest }] }
}
