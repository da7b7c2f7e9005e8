import type { Incident } from '../incident/incident.ts'
import { past } from './past.ts'
import type { Saying } from './saying.ts'
import { counted } from './words.ts'

const mostLines = 10

/** What began and ended while notices were muted, in one text. */
export function summary(incidents: readonly Incident[], sayingOf: (incident: Incident) => Saying): string {
  const lines = incidents.slice(0, mostLines).map((incident) => `- ${past(incident, sayingOf(incident))}`)
  const rest = incidents.length - lines.length
  const head = `While notices were muted, ${counted(incidents.length, 'incident')} began and ended:`
  return [head, ...lines, ...(rest > 0 ? [`and ${rest} more; spillway audit list shows them`] : [])].join('\n')
}
