import type { UsageShape } from '../../ops/ops.ts'
import { type Html, html } from '../html.ts'
import { ago, empty, type Page, type View, wide } from './page.ts'

/** Who may use which pool, and what went through in a week. The keys themselves are shown nowhere. */
export async function keysPage({ ops, ...view }: View): Promise<Page> {
  const [all, sums] = await Promise.all([ops.keyList({}), ops.usage({ since: '7d', by: 'key' })])
  const keys = all.filter(({ revokedAt }) => revokedAt === null)
  if (keys.length === 0)
    return page(empty('There is no client key. In a terminal:', 'spillway key create NAME --pools POOL'))
  const rows = keys.map(
    ({ name, pools, createdAt }) =>
      html`<tr><th scope="row">${name}</th><td>${pools === null ? 'every pool' : pools.join(', ')}</td><td>${ago(createdAt, view)}</td>${spent(sums.find(({ key }) => key === name))}</tr>`,
  )
  const head = ['Key', 'May use', 'Made', 'Requests, 7 days', 'Tokens in', 'of them cached', 'Tokens out', 'List price']
  return page(html`${wide('Keys', html`<table class="sums"><thead><tr>${head.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead><tbody>${rows}</tbody></table>`)}
<p class="hint">Tokens as answers tell them; <code>spillway usage</code> says more. Each agent can have a key of its own: <code>spillway key create ci --pools NAME</code></p>`)
}

function page(body: Html): Page {
  return { title: 'Keys', at: '/keys', pieces: [{ id: 'keys', body }] }
}

function spent(sum: UsageShape | undefined): Html {
  if (sum === undefined) return html`<td>–</td><td>–</td><td>–</td><td>–</td><td>–</td>`
  const { requests, tokens, cost } = sum
  return html`<td class="number">${requests.toLocaleString('en')}</td><td class="number">${many(tokens.input)}</td><td class="number">${many(tokens.cached)}</td><td class="number">${many(tokens.output)}</td><td class="number">${cost === null ? '–' : `$${cost.toFixed(cost > 0 && cost < 0.01 ? 4 : 2)}`}</td>`
}

function many(tokens: number): string {
  return tokens.toLocaleString('en')
}
