import type { GuardShape } from '../../ops/ops.ts'
import { type Html, html, none } from '../html.ts'
import { ago, counted, empty, type Page, type View, words } from './page.ts'

/** Directories under a budget, hot paths and workers. */
export async function guardPage(view: View): Promise<Page> {
  const { budgets, hotPaths, workers } = await view.ops.guardStatus({})
  if (budgets.length + hotPaths.length + workers.length === 0)
    return {
      title: 'Jobs and guard',
      at: '/guard',
      pieces: [
        {
          id: 'empty',
          body: empty(
            'Nothing is guarded yet. Name a directory, a path or a worker in spillway.yaml, and run jobs under the breaker of a pool:',
            'guard:\n  budgets:\n    sessions: { path: ~/.codex/sessions, maxBytes: 2GiB, pool: codex }',
            'spillway run --pool NAME --job nightly -- ./agent.sh',
          ),
        },
      ],
    }
  return {
    title: 'Jobs and guard',
    at: '/guard',
    pieces: [
      {
        id: 'workers',
        body: section(
          'Workers',
          workers.map((worker) => workerRow(worker, view)),
        ),
      },
      {
        id: 'paths',
        body: section(
          'Hot paths',
          hotPaths.map((path) => pathRow(path, view)),
        ),
      },
      {
        id: 'budgets',
        body: section(
          'Directories',
          budgets.map((budget) => budgetRow(budget, view)),
        ),
      },
    ],
  }
}

function section(title: string, rows: readonly Html[]): Html {
  if (rows.length === 0) return none
  return html`<section class="panel"><header><h2>${title}</h2></header><ul class="things" role="list">${rows}</ul></section>`
}

function workerRow(
  { name, active, pending, running, decision, reason, at }: GuardShape['workers'][number],
  view: View,
): Html {
  const state = active === null ? 'unknown' : active ? 'runs' : 'down'
  const tone = active ? 'good' : active === false && (pending ?? 0) > 0 ? 'bad' : 'plain'
  const why =
    decision === 'refused' && reason !== null ? html`, not started: <span class="why">${words(reason)}</span>` : none
  const jobs =
    pending === null
      ? none
      : html`, ${counted(pending, 'job')} pending${running === null ? none : html`, ${running} running`}`
  return html`<li class="${tone}"><b>${name}</b><span><span class="label">${state}</span>${jobs}${why}</span><span class="by">${at === null ? none : ago(at, view)}</span></li>`
}

function pathRow(
  { name, path, state, since, lastRecovery, enabled }: GuardShape['hotPaths'][number],
  view: View,
): Html {
  const tone = state === 'readable' ? 'good' : state === null ? 'plain' : 'bad'
  const recovery =
    lastRecovery === null
      ? none
      : html`; last recovery ${lastRecovery.result}${lastRecovery.reason === null ? none : html` (${words(lastRecovery.reason)})`} ${ago(lastRecovery.at, view)}`
  const auto = enabled === false ? html`; not recovered by itself: <code>spillway guard enable ${name}</code>` : none
  return html`<li class="${tone}"><b>${name}</b><span><span class="label">${state ?? 'not known yet'}</span> ${path ?? ''}${recovery}${auto}</span><span class="by">${since === null ? none : ago(since, view)}</span></li>`
}

function budgetRow(
  { name, path, bytes, files, growthBytesPerHour, over, overBy, action, problem }: GuardShape['budgets'][number],
  _view: View,
): Html {
  const tone = problem !== null || over ? 'bad' : 'good'
  const state = problem !== null ? 'cannot be looked at' : over ? 'over' : 'within'
  const facts =
    problem ??
    `${size(bytes)} in ${counted(files, 'file')}, ${size(growthBytesPerHour)} in the last hour${over ? ` (${overBy.join(', ')})` : ''}`
  return html`<li class="${tone}"><b>${name}</b><span><span class="label">${state}</span> ${facts} <span class="by">${path}</span></span><span class="by">${action}</span></li>`
}

/** Bytes as people read them. */
function size(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let value = bytes
  let unit = 0
  while (value >= 1_024 && unit < units.length - 1) {
    value /= 1_024
    unit++
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`
}
