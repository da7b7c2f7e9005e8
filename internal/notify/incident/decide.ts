import type { DomainEvent } from '../../events/events.ts'
import { roleOf, signalOf } from './condition.ts'
import { type Incident, type Line, wasTold } from './incident.ts'
import type { At, UpdateReason } from './notice.ts'

/** Edits of one message are at least this far apart, so that a lively incident does not use up the channel's own limits. */
export const editSpacingMs = 30_000

/** Kinds whose message says how long they have lasted. */
const timed: ReadonlySet<string> = new Set(['pool_exhausted', 'host_down'])

/** Lasting kinds whose message says how often they were signalled. */
export const counting: ReadonlySet<string> = new Set(['egress_blocked'])

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
  const line = lineOf(incident, event, dedupeMs)
  if (!incident.lasts) return line ? null : 'joined'
  return line && sameFacts(line.event, event) ? null : 'changed'
}

/** The line that `event` repeats: the same signal, for a moment also within the dedupe window. */
export function lineOf(incident: Incident, event: DomainEvent, dedupeMs: number): Line | undefined {
  const signal = signalOf(event)
  return incident.lines.find(
    (line) => line.signal === signal && (incident.lasts || Math.abs(event.at - line.at) < dedupeMs),
  )
}

function sameFacts(one: DomainEvent, other: DomainEvent): boolean {
  // Each event about guessed keys adds to the sum that is told.
  if (other.kind === 'keys_guessed') return false
  return JSON.stringify(one.detail) === JSON.stringify(other.detail)
}

function timeCallsFor(incident: Incident, now: At, dedupeMs: number): UpdateReason | null {
  if (!wasTold(incident)) return null
  const quietFor = now - incident.updatedAt
  const repeated = incident.count > incident.updatedCount && (!incident.lasts || counting.has(incident.kind))
  if (repeated && quietFor >= Math.max(dedupeMs, incident.lasts ? editSpacingMs : 0)) return 'repeated'
  if (incident.closedAt !== null || !timed.has(incident.kind)) return null
  // Each edit waits for a quarter of the time so far: thirty edits tell of a whole day.
  const growth = Math.max(editSpacingMs, (incident.updatedAt - incident.openedAt) / 4)
  return quietFor >= growth ? 'lasting' : null
}
