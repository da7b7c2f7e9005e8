import type { StatusShape } from '../../ops/ops.ts'
import { type Html, html } from '../html.ts'
import { ago, type Page, type View, wide } from './page.ts'

/** The processes that serve. */
export function fleetPage(view: View): Page {
  const { replicas } = view.status
  const isAlone = replicas.length === 0
  const rows = isAlone ? alone(view) : replicas.map((replica) => row(replica, view))
  const hint = isAlone
    ? html`One process on its own store. Several share a PostgreSQL database: <code>store.url</code>.`
    : html`What is in flight and how many requests there were is that of the replica that shows this page.`
  const body = html`${wide('Replicas', html`<table><thead><tr><th scope="col">Replica</th><th scope="col">Version</th><th scope="col">Started</th><th scope="col">State</th></tr></thead><tbody>${rows}</tbody></table>`)}
<p class="hint">${hint}</p>`
  return { title: 'Fleet', at: '/fleet', pieces: [{ id: 'replicas', body }] }
}

function alone(view: View): Html {
  const { version, startedAt, origin, node, fastPath } = view.status
  return html`<tr><th scope="row">this one <span class="by">${origin}</span></th><td>${version} <span class="by">Node ${node}${fastPath === false ? ', without the fast path' : ''}</span></td><td>${startedAt === null ? '–' : ago(startedAt, view)}</td><td>serves</td></tr>`
}

function row({ name, version, startedAt, seenAt, draining }: StatusShape['replicas'][number], view: View): Html {
  return html`<tr><th scope="row">${name}</th><td>${version}</td><td>${ago(startedAt, view)}</td><td>${draining ? 'drains' : 'serves'}, <span class="by">seen ${ago(seenAt, view)}</span></td></tr>`
}
