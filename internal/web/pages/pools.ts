import type { PoolShape } from '../../ops/ops.ts'
import { type Html, html, none } from '../html.ts'
import { rotateButton } from './buttons.ts'
import { foreseen } from './forecast.ts'
import { memberRows } from './member.ts'
import { clockAnd, counted, empty, type Page, type View, withCommand } from './page.ts'

/** A card shows so many members; the pool's own page shows all. */
const mostRows = 40

/** Every pool at a glance. */
export function poolsPage(view: View): Page {
  const { pools, incidents } = view.status
  const told = incidents.filter(({ text }) => text !== null)
  const alerts =
    told.length === 0
      ? none
      : html`<ul class="alerts" aria-label="Open incidents">${told.map(({ text }) => html`<li>${withCommand(text ?? '')}</li>`)}</ul>`
  const cards = pools.map((pool) => ({ id: `pool-${pool.name}`, body: card(pool, view) }))
  const body =
    pools.length === 0
      ? [
          {
            id: 'empty',
            body: empty(
              'There are no pools yet. In a terminal:',
              'spillway cred add NAME --provider openai',
              'spillway pool create NAME --provider openai --members NAME',
            ),
          },
        ]
      : cards
  return { title: 'Pools', at: '/', pieces: [{ id: 'summary', body: html`${summary(view)}${alerts}` }, ...body] }
}

function summary({ status: { pools } }: View): Html {
  if (pools.length === 0) return none
  const serving = pools.filter(({ active }) => active !== null).length
  const members = pools.flatMap((pool) => pool.members)
  const out = members.filter(({ health }) => health.state !== 'healthy').length
  const trouble = serving < pools.length
  return html`<p class="summary ${trouble ? 'bad' : 'good'}">${serving === pools.length ? (pools.length === 1 ? 'The pool serves' : `All ${pools.length} pools serve`) : `${serving} of ${counted(pools.length, 'pool')} serve`}<span>${counted(members.length, 'member')}, ${out === 0 ? 'all well' : `${out} out`}</span></p>`
}

function card(pool: PoolShape, view: View): Html {
  const { name, members } = pool
  const shown = members.slice(0, mostRows)
  const rest = members.length - shown.length
  return html`<section class="card ${toneOf(pool)}" aria-labelledby="p-${name}"><header>
<h2 id="p-${name}"><a href="/pools/${encodeURIComponent(name)}">${name}</a></h2>${headline(pool, view)}<span class="kind">${pool.provider}, ${pool.strategy}</span>${rotateButton(pool)}</header>
${foreseen(pool.forecast, view)}${memberRows(pool, shown, view)}${rest > 0 ? html`<p class="more"><a href="/pools/${encodeURIComponent(name)}">and ${rest} more members</a></p>` : none}${models(pool)}</section>`
}

/** Whether a pool serves, as a colour. */
export function toneOf(pool: PoolShape): string {
  return pool.active !== null ? 'good' : 'bad'
}

/** Who serves, or why nobody does and when that ends; what a screen reader is told when it changes. */
export function headline(pool: PoolShape, view: View): Html {
  const { active, members, unreachable, retryAt } = pool
  if (members.length === 0)
    return html`<p class="headline bad" data-say="${pool.name} has no members">no members: <code>spillway pool add ${pool.name} MEMBER</code></p>`
  if (active !== null)
    return html`<p class="headline good" data-say="${pool.name}: ${active} serves"><b>${active}</b> serves</p>`
  if (unreachable !== null)
    return html`<p class="headline bad" data-say="${pool.name}: ${unreachable.host} is unreachable"><b>nobody serves</b>: ${unreachable.host} is unreachable, next try ${clockAnd(unreachable.retryAt, view)}</p>`
  if (retryAt === null)
    return html`<p class="headline bad" data-say="${pool.name} is exhausted: a person must act"><b>exhausted</b>: a person must act</p>`
  return html`<p class="headline bad" data-say="${pool.name} is exhausted"><b>exhausted</b>, back ${clockAnd(retryAt, view)}</p>`
}

function models({ activeFor }: PoolShape): Html {
  if (activeFor.length === 0) return none
  return html`<ul class="models">${activeFor.map(({ model, member }) => html`<li>${model}: ${member === null ? 'nobody serves' : html`<b>${member}</b> serves`}</li>`)}</ul>`
}
