import type { Incident } from './incident.ts'
import type { Remedy } from './notice.ts'

const mostRemedies = 4

/** What a person can do at once about an incident; nothing when it is over. */
export function remediesOf(incident: Incident): readonly Remedy[] {
  if (incident.lasts && incident.closedAt !== null) return []
  const event = incident.lines.at(-1)!.event
  const { pool, from } = event
  if (pool === null) return []
  switch (event.kind) {
    case 'cred_failover':
      return [{ verb: 'rotate', pool }, ...(from === null ? [] : [{ verb: 'clear', pool, member: from } as const])]
    case 'pool_rotated':
      return from === null ? [] : [{ verb: 'unpark', pool, member: from }]
    case 'pool_exhausted':
      return Object.entries(event.detail.why)
        .filter(([, why]) => why === 'cooling' || why === 'suspect')
        .slice(0, mostRemedies)
        .map(([member]) => ({ verb: 'clear', pool, member }))
    default:
      return []
  }
}
