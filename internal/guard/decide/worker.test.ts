import { describe, expect, it } from 'vitest'
import type { WorkerReason } from '../../events/events.ts'
import { decideWorker, isDown, type WorkerFacts } from './worker.ts'

const now = Date.UTC(2026, 0, 5, 14)

/** A worker that is down while jobs wait, with nothing against its start. */
const facts: WorkerFacts = {
  enabled: true,
  active: false,
  pending: 214,
  lockAgeMs: null,
  lockStaleMs: 7_200_000,
  paths: ['readable'],
  running: 0,
  starts: [],
  needsPerson: false,
  stoppedByUs: false,
  now,
}

const minutes = (...ago: number[]) => ago.map((each) => now - each * 60_000)

describe('a worker', () => {
  const rows: readonly [name: string, change: Partial<WorkerFacts>, reason: WorkerReason | null][] = [
    ['that is down while jobs wait is started', {}, null],
    ['without its sentinel file', { enabled: false }, 'disabled'],
    ['that runs', { active: true }, 'active'],
    ['of which nobody knows whether it runs', { active: null }, 'check-failed'],
    ['without jobs', { pending: 0 }, 'nothing-pending'],
    ['whose jobs cannot be counted', { pending: null }, 'check-failed'],
    ['during a deployment', { lockAgeMs: 60_000 }, 'deploy-locked'],
    ['whose deployment lock was left behind', { lockAgeMs: 7_200_000 }, null],
    ['whose storage is stale', { paths: ['readable', 'stale'] }, 'storage-unreadable'],
    ['whose storage hangs', { paths: ['hanging'] }, 'storage-unreadable'],
    ['whose storage nobody has looked at', { paths: [null] }, 'storage-unreadable'],
    ['with a job marked running', { running: 1 }, 'marked-running'],
    ['whose running jobs cannot be counted', { running: null }, 'check-failed'],
    ['that was started three times within the hour', { starts: minutes(59, 30, 1) }, 'rate-limited'],
    ['whose first of three starts is an hour ago', { starts: minutes(60, 30, 1) }, null],
    ['whose pool needs a person', { needsPerson: true }, 'needs-person'],
    ['that a recovery of ours stopped, with its jobs', { stoppedByUs: true, running: 2, pending: 0 }, null],
    ['that we stopped, while its storage is stale', { stoppedByUs: true, paths: ['stale'] }, 'storage-unreadable'],
    ['that we stopped, switched off meanwhile', { stoppedByUs: true, enabled: false }, 'disabled'],
  ]
  it.each(rows)('%s', (_, change, reason) => {
    expect(decideWorker({ ...facts, ...change })).toEqual({
      decision: reason === null ? 'started' : 'refused',
      reason,
    })
  })

  it('hears the first reason against it, in the order of the contract', () => {
    const against: Partial<WorkerFacts>[] = [
      { enabled: false },
      { active: true },
      { pending: 0 },
      { lockAgeMs: 0 },
      { paths: ['stale'] },
      { running: 1 },
      { starts: minutes(3, 2, 1) },
      { needsPerson: true },
    ]
    const heard = against.map((_, from) => decideWorker(Object.assign({}, facts, ...against.slice(from))))
    expect(heard.map(({ reason }) => reason)).toEqual([
      'disabled',
      'active',
      'nothing-pending',
      'deploy-locked',
      'storage-unreadable',
      'marked-running',
      'rate-limited',
      'needs-person',
    ])
  })
})

describe('a worker is down', () => {
  it.each([
    ['while jobs wait and something stands against it', { paths: ['stale'] as const }, true],
    ['not when it is about to be started', {}, false],
    ['not when nothing waits', { pending: 0, paths: ['stale'] as const }, false],
    ['not when somebody switched it off', { enabled: false }, false],
    ['not when nobody knows', { active: null }, false],
  ])('%s', (_, change, down) => {
    const all = { ...facts, ...change }
    expect(isDown(all, decideWorker(all))).toBe(down)
  })
})
