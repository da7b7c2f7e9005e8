import type { MemberShape, PoolShape } from '../../ops/ops.ts'
import { type Html, html, none } from '../html.ts'

/** The verbs that a page offers. */
export const webVerbs = ['rotate', 'park', 'unpark', 'clear', 'enable'] as const
export type WebVerb = (typeof webVerbs)[number]

const labels: Readonly<Record<WebVerb, string>> = {
  rotate: 'Rotate',
  park: 'Park',
  unpark: 'Unpark',
  clear: 'Clear',
  enable: 'Enable',
}

/** Whether the word is a verb of a page. */
export function isWebVerb(word: string): word is WebVerb {
  return (webVerbs as readonly string[]).includes(word)
}

/** The verb as a button names it. */
export function labelOf(verb: WebVerb): string {
  return labels[verb]
}

/** What can be done about a member: a link to the question, which works with scripts off, too. */
export function buttons(pool: PoolShape, { name, health, park }: MemberShape): Html {
  const verbs: WebVerb[] = [park === null ? 'park' : 'unpark']
  if (['cooling', 'suspect', 'probing'].includes(health.state)) verbs.push('clear')
  if (['disabled', 'needs-login', 'unreadable'].includes(health.state)) verbs.push('enable')
  return html`${verbs.map((verb) => button(pool.name, verb, name))}`
}

/** A link that asks before anything is done. */
export function button(pool: string, verb: WebVerb, member: string | null): Html {
  const query = member === null ? '' : `?member=${encodeURIComponent(member)}`
  const spoken = member === null ? `${labels[verb]} ${pool}` : `${labels[verb]} ${member} in ${pool}`
  return html`<a class="verb" href="/pools/${encodeURIComponent(pool)}/${verb}${query}" aria-label="${spoken}" data-ask>${labels[verb]}</a>`
}

/** Rotate, where somebody could take over. */
export function rotateButton({ name, active, members }: PoolShape): Html {
  return active !== null && members.length > 1 ? button(name, 'rotate', null) : none
}
