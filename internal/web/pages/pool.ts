import type { PoolShape } from '../../ops/ops.ts'
import { type Html, html, none } from '../html.ts'
import { rotateButton } from './buttons.ts'
import { forecast } from './forecast.ts'
import { memberRows } from './member.ts'
import { ago, empty, type Page, type Piece, type View, wide, words } from './page.ts'
import { headline, toneOf } from './pools.ts'
import { timeline } from './timeline.ts'
import { storyOf } from './told.ts'

const spans = { '24h': 86_400_000, '7d': 7 * 86_400_000 } as const
type Span = keyof typeof spans
const mostRows = 1_000
const mostTold = 60
/** Members that are sent again together when one of them has changed. */
const together = 20

/** One pool: its members, why this one serves and the others do not, and what happened. */
export async function poolPage(name: string, view: View): Promise<Page> {
  const pool = view.status.pools.find((each) => each.name === name) ?? (await view.ops.poolStatus({ name }))
  const span: Span = view.query.get('span') === '7d' ? '7d' : '24h'
  const [explained, rows] = await Promise.all([
    explain(pool, view),
    view.ops.auditList({ pool: name, since: span, limit: mostRows }),
  ])
  const since = view.now - spans[span]
  const recent = rows.slice(-mostTold).reverse()
  const history = html`<section class="panel" aria-labelledby="history"><header><h2 id="history">What happened</h2>${tabs(pool, span)}</header>
${timeline(rows, { since, now: view.now })}${rows.length === 0 ? empty(`Nothing was recorded in the last ${span === '24h' ? '24 hours' : '7 days'}.`) : storyOf(recent, view, { pool: false })}
${rows.length > recent.length ? html`<p class="more"><a href="/audit?pool=${encodeURIComponent(name)}&amp;since=${span}">all ${rows.length} rows</a></p>` : none}</section>`
  return {
    title: name,
    at: '/',
    pieces: [
      {
        id: 'head',
        body: html`<div class="card flat ${toneOf(pool)}"><header>${headline(pool, view)}<span class="kind">${pool.provider}, ${pool.strategy}</span>${rotateButton(pool)}</header></div>`,
      },
      ...chunks(pool, view),
      { id: 'forecast', body: forecast(pool.forecast, view) },
      { id: 'explain', body: explained },
      { id: 'history', body: history },
    ],
  }
}

function chunks(pool: PoolShape, view: View): Piece[] {
  if (pool.members.length === 0) return []
  return Array.from({ length: Math.ceil(pool.members.length / together) }, (_, at) => {
    const members = pool.members.slice(at * together, (at + 1) * together)
    return { id: `members-${at}`, body: html`<div class="card flat">${memberRows(pool, members, view)}</div>` }
  })
}

function tabs({ name }: PoolShape, span: Span): Html {
  const tab = (each: Span, label: string) =>
    html`<a href="/pools/${encodeURIComponent(name)}?span=${each}"${each === span ? html` aria-current="true"` : none}>${label}</a>`
  return html`<nav class="tabs" aria-label="How far back">${tab('24h', '24 hours')}${tab('7d', '7 days')}</nav>`
}

async function explain(pool: PoolShape, view: View): Promise<Html> {
  const model = view.query.get('model')?.trim() || null
  const why = await view.ops.poolExplain({ name: pool.name, ...(model === null ? {} : { model }) })
  const rows = why.members.map(
    (member) =>
      html`<tr class="${member.serves ? 'serves' : ''}"><th scope="row">${member.name}</th><td>${member.serves ? 'serves: ' : ''}${member.why}</td><td>${member.reason === null ? '–' : words(member.reason)}</td><td>${member.until === null ? '–' : ago(member.until, view)}</td></tr>`,
  )
  return html`<section class="panel" aria-labelledby="why"><header><h2 id="why">Why this one, why not the others</h2></header>
<p class="verdict">${why.serves === null ? html`<b>Nobody serves</b>: ${why.why}` : html`<b>${why.serves}</b> serves: ${why.why}`}</p>
<details><summary>${why.members.length === 1 ? 'The member' : `All ${why.members.length} members`}</summary>${wide('Members', html`<table><thead><tr><th scope="col">Member</th><th scope="col">Why</th><th scope="col">Reason</th><th scope="col">Until</th></tr></thead><tbody>${rows}</tbody></table>`)}
<form method="get" class="inline"><label for="model">For a model</label> <input id="model" name="model" value="${model ?? ''}" placeholder="gpt-5"> <button>Ask</button></form></details></section>`
}
