import { type Html, html, none } from '../html.ts'
import { ago, counted, empty, type Page, type View, wide } from './page.ts'
import { sentenceOf, toneOf } from './told.ts'

const most = 200

/** The audit log: what to look for, what was found, and whether the chain holds. */
export async function auditPage(view: View): Promise<Page> {
  const { query, ops } = view
  const asked = (name: string) => query.get(name)?.trim() || undefined
  const filter = Object.fromEntries(
    (['since', 'pool', 'kind'] as const).flatMap((name) => (asked(name) === undefined ? [] : [[name, asked(name)]])),
  )
  const rows = await ops.auditList({ ...filter, limit: most })
  const verdict = query.has('verify') ? html`<p class="verdict" role="status">${await verified(view)}</p>` : none
  const body =
    rows.length === 0
      ? empty('No rows. What changes a pool, a credential or a key is written here, with who did it.')
      : table(rows.reverse(), view)
  return {
    title: 'Audit',
    at: '/audit',
    pieces: [
      { id: 'filter', body: html`${form(view)}${verdict}` },
      { id: 'rows', body },
    ],
  }
}

async function verified({ ops }: View): Promise<string> {
  const verdict = await ops.auditVerify({})
  if (!verdict.ok) return `The chain is broken at row ${verdict.seq}: ${verdict.problem}`
  return `The chain holds: ${counted(verdict.rows, 'row')}${verdict.head === null ? '' : `, the last is ${verdict.head.seq} (${verdict.head.hash.slice(0, 12)})`}.`
}

function form({ query, status }: View): Html {
  const chosen = query.get('pool') ?? ''
  const pools = [...new Set([...status.pools.map(({ name }) => name), ...(chosen === '' ? [] : [chosen])])]
  const options = pools.map(
    (name) => html`<option value="${name}"${name === chosen ? html` selected` : none}>${name}</option>`,
  )
  return html`<form method="get" class="filter" role="search" aria-label="Audit rows">
<label>Pool <select name="pool"><option value="">all</option>${options}</select></label>
<label>Kind <input name="kind" value="${query.get('kind') ?? ''}" placeholder="cred_failover"></label>
<label>Since <input name="since" value="${query.get('since') ?? ''}" placeholder="2h, 3d or an instant"></label>
<button>Show</button><button name="verify" value="1" class="quiet">Verify the chain</button></form>`
}

function table(rows: Awaited<ReturnType<View['ops']['auditList']>>, view: View): Html {
  const body = rows.map(
    (row) =>
      html`<tr class="${toneOf(row.kind)}"><td class="number">${row.seq}</td><td>${ago(row.at, view)}</td><td>${row.pool ?? '–'}</td><td>${sentenceOf(row)}${row.suppressed > 0 ? html` <span class="by">and ${row.suppressed} more</span>` : none}</td><td><code>${row.kind}</code></td><td>${row.actor}</td></tr>`,
  )
  return html`${wide('Audit rows', html`<table class="audit"><thead><tr><th scope="col">Row</th><th scope="col">When</th><th scope="col">Pool</th><th scope="col">What</th><th scope="col">Kind</th><th scope="col">By</th></tr></thead><tbody>${body}</tbody></table>`)}${rows.length === most ? html`<p class="more">The newest ${most}; “Since” or <code>spillway audit list -n 1000</code> shows others.</p>` : none}`
}
