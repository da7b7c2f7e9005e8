import type { ForecastShape } from '../../ops/ops.ts'
import { span } from '../../when/when.ts'
import { type Html, html, none } from '../html.ts'
import { clockAnd, type View } from './page.ts'

/** When the pool runs dry and when relief comes, in one line; nothing while too little is known. */
export function foreseen({ state, dryAt, reliefAt, reliefMember, until }: ForecastShape, view: View): Html {
  if (state === 'dry' && dryAt !== null)
    return html`<p class="forecast bad">runs dry ${clockAnd(dryAt, view)}${relief({ dryAt, reliefAt, reliefMember }, view)}</p>`
  if (state === 'enough' && until !== null)
    return html`<p class="forecast">lasts at least until ${clockAnd(until, view)}</p>`
  return none
}

function relief(
  { dryAt, reliefAt, reliefMember }: { dryAt: string; reliefAt: string | null; reliefMember: string | null },
  view: View,
): Html {
  if (reliefAt === null || reliefMember === null) return html`; no member returns by itself`
  const gap = span(Math.max(0, Date.parse(reliefAt) - Date.parse(dryAt)))
  return html`, ${gap} before the next relief (${reliefMember}, ${clockAnd(reliefAt, view)})`
}

/** The same with what it rests on, and which client keys burn how much of it. */
export function forecast(told: ForecastShape, view: View): Html {
  const { state, burnPercentPerHour: burn, basis, keys } = told
  const since = basis.fromAt === null ? null : span(Math.max(0, view.now - Date.parse(basis.fromAt)))
  const rests =
    since === null ? 'no traffic has been seen yet' : `it rests on ${since} of traffic in ${basis.samples} samples`
  const unknown = state === 'unknown' ? html`<p class="forecast">too little is known to foresee anything</p>` : none
  const burns =
    burn === null ? none : html`<p>burns ${burn.toFixed(1)} % an hour of the limit that is used up first</p>`
  const by =
    keys.length === 0
      ? none
      : html`<p>by key: ${keys.map(({ key, share }, at) => html`${at === 0 ? '' : ', '}${key} ${Math.round(share * 100)} %`)}</p>`
  return html`<section class="panel" aria-labelledby="forecast"><header><h2 id="forecast">Forecast</h2></header>${foreseen(told, view)}${unknown}${burns}${by}<p class="by">${rests}</p></section>`
}
