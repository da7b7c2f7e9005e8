import type { DomainEvent } from '../../events/events.ts'
import { editSpacingMs, isBackToStay, needsUpdate } from './decide.ts'
import { close, updated } from './fold.ts'
import type { Incident } from './incident.ts'
import type { At } from './notice.ts'
import { isOutdated } from './remedy.ts'

/** Longer than what comes back within a quarter of an hour, and than an hour of failovers with what was refused in it. */
const retainMs = 4_500_000

/** How a pool stands now, as the engine shows it: what the message of an exhaustion needs to stay true while it lasts. */
export interface PoolNow {
  /** Whether nobody could serve the next request. */
  readonly exhausted: boolean
  readonly retryAt: At | null
  readonly members: readonly {
    readonly name: string
    readonly health: { readonly state?: string; readonly until?: At }
  }[]
}

/** The incident as the passing of time leaves it: ended by silence or by its own term, or due for an edit; the same object when nothing changed. */
export function swept(incident: Incident, now: At, dedupeMs: number, pool: PoolNow | null): Incident {
  const endsAt = ownEnd(incident)
  if (endsAt !== null && endsAt <= now) return updated(close(incident, null, endsAt), 'ended', now)
  if (isOutdated(incident, now)) return updated(incident, 'lasting', now)
  if (isBackToStay(incident, now)) return updated({ ...incident, isBack: true }, 'lasting', now)
  const seen = pool ? refreshed(incident, pool) : incident
  if (seen !== incident) return updated(seen, 'changed', now)
  const why = needsUpdate(incident, null, now, dedupeMs)
  return updated(incident, why, now)
}

/** The incident after an end that no event tells: its pool is gone. */
export function ended(incident: Incident, now: At): Incident {
  return updated(close(incident, null, now), 'ended', now)
}

/** When the incident, which is over, is kept no longer, because it is too old to be the same as a new one; null while it is open. */
export function spentAt({ closedAt, updatedAt }: Incident, dedupeMs: number): At | null {
  return closedAt === null ? null : Math.max(closedAt, updatedAt) + Math.max(retainMs, dedupeMs)
}

/** When an open incident ends without an event; null when only an event ends it. */
function ownEnd({ closedAt, endsAt, quietMs, lastAt }: Incident): At | null {
  if (closedAt !== null) return null
  return endsAt ?? (quietMs === null ? null : lastAt + quietMs)
}

/** Whether the message of the incident would be edited if the pool stood otherwise than when it was last told. */
export function wantsPool(incident: Incident, now: At): boolean {
  const { kind, closedAt, updatedAt } = incident
  return kind === 'pool_exhausted' && closedAt === null && now - updatedAt >= editSpacingMs
}

/** What is known now; `reason` takes the place of the event's, the rest of what stands in its detail. */
export interface Facts {
  readonly reason?: DomainEvent['reason']
  readonly [fact: string]: unknown
}

const guarded: ReadonlySet<string> = new Set(['budget_filling', 'worker_down'])

/** Whether the message of the incident would be edited if what the guard knows of it were other facts; a quarter of its time apart. */
export function wantsFacts({ kind, closedAt, updatedAt, openedAt }: Incident, now: At): boolean {
  const apart = Math.max(editSpacingMs, (updatedAt - openedAt) / 4)
  return guarded.has(kind) && closedAt === null && now - updatedAt >= apart
}

/** The incident with facts of the guard that are newer than those that were told; the same object when they are the same. */
export function withFacts(incident: Incident, facts: Facts, now: At): Incident {
  const { reason = incident.event.reason, ...newer } = facts
  const detail = { ...incident.event.detail, ...newer }
  const event = { ...incident.event, reason, detail } as DomainEvent
  if (JSON.stringify(event) === JSON.stringify(incident.event)) return incident
  return updated({ ...incident, reason, event }, 'changed', now)
}

/** The incident with the next recovery and the members' states as they are known now; when somebody could serve already, the next request will tell. */
export function refreshed(incident: Incident, { exhausted, retryAt, members }: PoolNow): Incident {
  const { event } = incident
  if (event.kind !== 'pool_exhausted' || !exhausted) return incident
  const first = members.find(({ health }) => health.until === retryAt)?.name ?? null
  const states = new Map(members.map(({ name, health }) => [name, health.state]))
  const known = Object.entries(event.detail.why)
  const isSame = known.every(([name, state]) => (states.get(name) ?? state) === state)
  if (event.detail.retryAt === retryAt && event.detail.first === first && isSame) return incident
  const why = Object.fromEntries(known.map(([name, state]) => [name, states.get(name) ?? state]))
  // What a person has to do follows from the states as they are now.
  const detail = { ...event.detail, retryAt, first, why, remedy: null }
  const newest: DomainEvent = { ...event, detail }
  return { ...incident, subject: first, event: newest }
}
