import type { Incident } from './incident.ts'
import type { At, Remedy } from './notice.ts'

const mostRemedies = 4
/** A limit that ends later than this is the account's own: clearing the cooldown would only meet it again. */
const clearableMs = 3_600_000

/** What a person can do at once about an incident; nothing when it is over, or its member can serve again. */
export function remediesOf({ closedAt, endsAt, event, kind }: Incident, now: At): readonly Remedy[] {
  if (closedAt !== null || (endsAt !== null && endsAt <= now)) return []
  const { pool, from } = event
  if (kind === 'cred_disabled') return from === null ? [] : [{ verb: 'enable', member: from }]
  if (pool === null) return []
  switch (event.kind) {
    case 'cred_failover': {
      if (event.detail.until !== null && event.detail.until <= now) return []
      const isClearable = from !== null && (event.detail.until ?? event.at) - event.at <= clearableMs
      return [{ verb: 'rotate', pool }, ...(isClearable ? [{ verb: 'clear', pool, member: from } as const] : [])]
    }
    case 'pool_rotated':
      return from === null ? [] : [{ verb: 'unpark', pool, member: from }]
    case 'pool_exhausted':
      if ((event.detail.retryAt ?? event.at) - event.at > clearableMs) return []
      return Object.entries(event.detail.why)
        .filter(([, why]) => why === 'cooling' || why === 'suspect')
        .slice(0, mostRemedies)
        .map(([member]) => ({ verb: 'clear', pool, member }))
    default:
      return []
  }
}

/** Whether the member that was left can serve again since the incident was last told, so that its buttons mean nothing now. */
export function isOutdated({ closedAt, event, updatedAt }: Incident, now: At): boolean {
  if (closedAt !== null || event.kind !== 'cred_failover') return false
  const { until } = event.detail
  return until !== null && updatedAt < until && until <= now
}
