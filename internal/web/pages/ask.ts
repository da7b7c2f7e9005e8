import { type Html, html, none } from '../html.ts'
import { labelOf, type WebVerb } from './buttons.ts'

/** What a verb is asked about. */
export interface Question {
  readonly verb: WebVerb
  readonly pool: string
  readonly member: string | null
  /** Whom a rotation can go to. */
  readonly others: readonly string[]
}

const consequences: Readonly<Record<WebVerb, (member: string) => string>> = {
  rotate: () => 'The member that serves is parked, and the next one serves. Requests under way are finished.',
  park: (member) => `${member} stays healthy and is put aside: it serves only when nobody else can.`,
  unpark: (member) => `${member} may serve again like any other member.`,
  clear: (member) => `${member} is taken for healthy from now on, and the next request may go to it.`,
  enable: (member) => `${member} is used again; if its provider still refuses it, it goes out again.`,
}

/** The question before a verb is carried out: a form, and a way back. */
export function questionForm({ verb, pool, member, others }: Question): Html {
  const what = member === null ? pool : `${member} in ${pool}`
  const choice =
    verb === 'rotate'
      ? html`<label>Who is to serve <select name="member"><option value="">the next in order</option>${others.map((name) => html`<option>${name}</option>`)}</select></label>`
      : html`<input type="hidden" name="member" value="${member ?? ''}">`
  const length =
    verb === 'park' || verb === 'rotate'
      ? html`<label>For how long <input name="for" list="lengths" placeholder="${verb === 'park' ? 'until it is unparked' : 'as configured'}" pattern="\\s*([0-9]+[smhd])+\\s*" autocomplete="off"></label><datalist id="lengths"><option value="5m"><option value="30m"><option value="1h"><option value="6h"><option value="1d"></datalist>`
      : none
  return html`<form method="post" action="/pools/${encodeURIComponent(pool)}/${verb}" class="question"><h2 id="ask-title">${labelOf(verb)} ${what}?</h2>
<p>${consequences[verb](member ?? '')}</p>${choice}${length}
<div class="answers"><button class="primary">${labelOf(verb)}</button><a class="cancel" href="/pools/${encodeURIComponent(pool)}" data-cancel>Cancel</a></div></form>`
}

/** What a verb did, with the way back where there is one. */
export function doneText(
  text: string,
  pool: string,
  undo: { readonly verb: WebVerb; readonly member: string } | null,
): Html {
  if (undo === null) return html`<span>${text}</span>`
  const label = undo.verb === 'unpark' ? 'Undo' : `${labelOf(undo.verb)} again`
  return html`<span>${text}</span><form method="post" action="/pools/${encodeURIComponent(pool)}/${undo.verb}"><input type="hidden" name="member" value="${undo.member}"><button aria-label="${label}: ${labelOf(undo.verb)} ${undo.member}">${label}</button></form>`
}
