import type { DomainEvent } from '../../events/events.ts'
import { groups } from './condition.ts'
import type { Incident } from './incident.ts'

/** Whether nobody in the pool can serve before a person acts, as it is known now. */
export type IsStuck = (pool: string) => boolean

/**
 * The incident whose message tells what `event` begins, too, because both have one cause; undefined when it is told by
 * itself. A pool that is exhausted because its members need a person goes with the latest of them, whichever was first.
 */
export function rootFor(event: DomainEvent, incidents: readonly Incident[], isStuck: IsStuck): Incident | undefined {
  const open = incidents.filter(({ closedAt }) => closedAt === null)
  const found = causeOf(event, open, isStuck)
  return found && (open.find(({ id }) => id === found.within) ?? found)
}

function causeOf(event: DomainEvent, open: readonly Incident[], isStuck: IsStuck): Incident | undefined {
  switch (event.kind) {
    case 'pool_exhausted': {
      if (event.detail.retryAt !== null) return undefined
      const names = Object.keys(event.detail.why).map(groups.credential)
      return latest(open.filter(({ group }) => names.includes(group)))
    }
    case 'cred_needs_login':
    case 'cred_unreadable':
    case 'cred_disabled':
      return latest(open.filter((incident) => isExhaustedBy(incident, event.from, isStuck)))
    default:
      return undefined
  }
}

/** Whether the incident is the exhaustion of a pool that waits for a person, the member being one of its own. */
function isExhaustedBy({ event, pool }: Incident, member: string | null, isStuck: IsStuck): boolean {
  if (event.kind !== 'pool_exhausted' || member === null || pool === null) return false
  return member in event.detail.why && (event.detail.retryAt === null || isStuck(pool))
}

function latest(incidents: readonly Incident[]): Incident | undefined {
  return incidents.reduce<Incident | undefined>(
    (one, other) => (one === undefined || other.openedAt >= one.openedAt ? other : one),
    undefined,
  )
}

/** The exhaustions that the end of this credential's incident may end as well. */
export function dependentsOf(incident: Incident, incidents: readonly Incident[]): readonly Incident[] {
  const { subject } = incident
  if (subject === null || incident.group !== groups.credential(subject)) return []
  return incidents.filter(
    ({ closedAt, event }) =>
      closedAt === null &&
      event.kind === 'pool_exhausted' &&
      event.detail.retryAt === null &&
      subject in event.detail.why,
  )
}

/** An incident and those that its message tells as well, the most serious first. */
export function familyOf(root: Incident, incidents: readonly Incident[]): readonly Incident[] {
  const family = [root, ...incidents.filter(({ within, id }) => within === root.id && id !== root.id)]
  return family.sort((one, other) => rank(one) - rank(other) || one.openedAt - other.openedAt)
}

function rank({ kind }: Incident): number {
  return kind === 'pool_exhausted' ? 0 : 1
}
