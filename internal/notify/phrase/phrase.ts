/** What people read of an incident: sentences, the command that helps, and the machine that tells it. */
import type { Incident } from '../incident/incident.ts'
import type { Said } from '../incident/notice.ts'
import { helpFor } from './command.ts'
import { ending, past } from './past.ts'
import { present } from './present.ts'
import type { Saying } from './saying.ts'
import { plain } from './words.ts'

/** The message of incidents that have one cause, as it is now. */
export function message(family: readonly Incident[], sayingOf: (incident: Incident) => Saying): Said {
  const sentences = family.map((incident) => phrase(incident, sayingOf(incident))).join('\n')
  const help = helpFor(family)
  if (help === null) return { text: sentences, command: null }
  // Behind a list, the command is no item of it.
  const gap = sentences.split('\n').at(-1)?.startsWith('- ') ? '\n' : ' '
  return { text: `${sentences}${gap}${help.word}: ${help.command}`, command: help.command }
}

/** The sentence of an incident: as it holds, or as a thing of the past. */
function phrase(incident: Incident, saying: Saying): string {
  const body = incident.closedAt === null || !incident.lasts ? present(incident, saying) : past(incident, saying)
  return incident.persisted ? body : `${body} (not persisted)`
}

/** The sentence that tells once that an incident is over, or that it has come back to stay; null when neither is to be told. */
export function turn(incident: Incident, saying: Saying): string | null {
  if (incident.closedAt !== null) return ending(incident, saying)
  return incident.isBack ? present(incident, saying) : null
}

/** The text with the machine's name below it. */
export function signed(text: string, host: string): string {
  return `${text}\n— ${plain(host)}`
}
