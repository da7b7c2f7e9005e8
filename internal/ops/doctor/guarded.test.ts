import { expect, test } from 'vitest'
import type { GuardShape } from '../guard.ts'
import { guardRows } from './guarded.ts'

const well: GuardShape = {
  budgets: [
    {
      name: 'dumps',
      path: '/srv/dumps',
      bytes: 1,
      files: 1,
      oldestAt: null,
      growthBytesPerHour: 0,
      unread: 0,
      over: false,
      overBy: [],
      action: 'report',
      pool: null,
      complete: true,
      seenAt: null,
      problem: null,
    },
  ],
  hotPaths: [
    { name: 'crawl', path: '/srv/jobs', state: 'readable', since: null, lastRecovery: null, enabled: true, paths: [] },
  ],
  workers: [{ name: 'crawler', active: true, pending: 0, running: 0, decision: 'refused', reason: 'active', at: null }],
}
const [budget] = well.budgets
const [path] = well.hotPaths
const [worker] = well.workers

test.each([
  ['nothing guarded', { budgets: [], hotPaths: [], workers: [] }, []],
  ['all well', well, ['ok guard: nothing is wrong with what is guarded (budgets: 1, hot paths: 1, workers: 1)']],
  [
    'a directory over',
    { ...well, budgets: [{ ...budget, over: true, overBy: ['maxFiles'] }] },
    ['warn budget dumps: it is over: maxFiles'],
  ],
  [
    'one that is not there yet',
    { ...well, budgets: [{ ...budget, problem: 'missing' }] },
    ['ok guard: nothing is wrong with what is guarded (budgets: 1, hot paths: 1, workers: 1)'],
  ],
  [
    'one that hangs',
    { ...well, budgets: [{ ...budget, problem: 'hanging' }] },
    ['warn budget dumps: /srv/dumps cannot be read (hanging)'],
  ],
  ['a stale path', { ...well, hotPaths: [{ ...path, state: 'stale' }] }, ['warn hot path crawl: /srv/jobs is stale']],
  [
    'a worker nobody can judge',
    { ...well, workers: [{ ...worker, reason: 'check-failed' }] },
    ['warn worker crawler: what is asked about it does not answer'],
  ],
])('the doctor on %s', (_, seen, rows) => {
  expect(guardRows(seen as GuardShape).map(({ state, check, message }) => `${state} ${check}: ${message}`)).toEqual(
    rows,
  )
})
