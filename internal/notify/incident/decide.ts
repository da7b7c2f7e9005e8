import type { DomainEvent } from '../../events/events.ts'
import { needsPerson, roleOf, signalOf } from './condition.ts'
import { type Incident, wasTold } from './incident.ts'
import type { At, UpdateReason } from './notice.ts'

/** Edits of one message are at least this far apart, so that a lively incident does not use up the channel's own limits. */
export const editSpacingMs = 30_000

/** What ends and comes back within this time is the same incident. */
export const recurrenceMs = 900_000

const backMs = 300_000
/** Who has just logged in should not have to wait long to hear that it did not help. */
const personBackMs = 60_000

/** Kinds whose message says how long they have lasted. */
const timed: ReadonlySet<string> = new Set(['pool_exhausted', 'host_down'])

/** Kinds whose message says how often they were signalled. */
export const counting: ReadonlySet<string> = new Set(['egress_blocked', 'cred_failover'])

/**
 * Why people should hear of `event` now, or null when its incident's message already says it. `incident` is the one that
 * the event belongs to, undefined when there is none; without an event the question is whether time alone calls for an update.
 */
export function needsUpdate(
  incident: Incident | undefined,
  event: DomainEvent | null,
  now: At,
  dedupeMs: number,
): UpdateReason | null {
  if (!event) return incident ? timeCallsFor(incident, now, dedupeMs) : null
  if (!incident) return 'opened'
  if (roleOf(event)?.does === 'ends') return wasTold(incident) || incident.tellAt <= now ? 'ended' : null
  if (incident.closedAt !== null) return wasTold(incident) ? 'changed' : 'opened'
  return signalOf(incident.event) === signalOf(event) && sameFacts(incident.event, event) ? null : 'changed'
}

/** Whether the incident has come back and stayed long enough to be told with a message of its own. */
export function isBackToStay({ kind, spells, isBack, closedAt, since }: Incident, now: At): boolean {
  if (spells < 2 || isBack || closedAt !== null) return false
  return now - since >= (needsPerson(kind) ? personBackMs : backMs)
}

function sameFacts(one: DomainEvent, other: DomainEvent): boolean {
  // Each event about guessed keys adds to the sum that is told.
  if (other.kind === 'keys_guessed') return false
  return JSON.stringify(one.detail) === JSON.stringify(other.detail)
}

function timeCallsFor(incident: Incident, now: At, dedupeMs: number): UpdateReason | null {
  if (!wasTold(incident)) return null
  const quietFor = now - incident.updatedAt
  const repeated = incident.count > incident.updatedCount && counting.has(incident.kind)
  if (repeated && quietFor >= Math.max(dedupeMs, editSpacingMs)) return 'repeated'
  if (incident.closedAt !== null || !timed.has(incident.kind)) return null
  // Each edit waits for a quarter of the time so far: thirty edits tell of a whole day.
  const growth = Math.max(editSpacingMs, (incident.updatedAt - incident.since) / 4)
  return quietFor >= growth ? 'lasting' : null
}
