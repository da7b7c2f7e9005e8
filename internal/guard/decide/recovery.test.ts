import { describe, expect, it } from 'vitest'
import type { RecoveryRefusal } from '../../events/events.ts'
import { planRecovery, type RecoveryFacts } from './recovery.ts'

const now = Date.UTC(2026, 0, 5, 14)

const worker = {
  name: 'crawler',
  active: true,
  free: true,
  starts: [],
  start: ['systemctl', 'start', 'crawler'],
  stop: ['systemctl', 'stop', 'crawler'],
} as const

/** A stale FUSE mount that no running work uses. */
const facts: RecoveryFacts = {
  dryRun: false,
  enabled: true,
  paths: [{ path: '/srv/jobs', state: 'stale' }],
  exact: true,
  root: '/srv',
  unmount: true,
  remount: ['systemctl', 'start', 'srv-jobs.mount'],
  after: [['/usr/local/bin/tiering', '--apply']],
  unmounted: null,
  mountpoints: [
    { mountpoint: '/', type: 'ext4' },
    { mountpoint: '/srv/jobs', type: 'fuse.sshfs' },
    { mountpoint: '/srv/other', type: 'fuse' },
  ],
  running: [],
  workers: [worker],
  recoveries: [],
  maxPerHour: 3,
  now,
}

const steps = (change: Partial<RecoveryFacts>) => {
  const plan = planRecovery({ ...facts, ...change })
  return plan.refused ?? plan.steps.map(({ step, command }) => [step, command?.join(' ') ?? ''].join(' ').trim())
}

const mended = [
  'unmount fusermount3 -u -- /srv/jobs',
  'remount systemctl start srv-jobs.mount',
  'probe',
  'after /usr/local/bin/tiering --apply',
]

describe('a recovery', () => {
  it('unmounts, mounts again, looks, and does what comes after', () => {
    expect(steps({})).toEqual(mended)
  })

  it('unmounts what is no FUSE mount with umount', () => {
    expect(steps({ mountpoints: [{ mountpoint: '/srv/jobs', type: 'nfs4' }] })).toContain('unmount umount -- /srv/jobs')
  })

  it('stops the worker only when its running work uses the stale path, and starts it at the end', () => {
    expect(steps({ running: [{ path: '/srv/jobs/17', state: 'stale' }] })).toEqual([
      'quiesce systemctl stop crawler',
      ...mended,
      'start systemctl start crawler',
    ])
  })

  it('disturbs no healthy running work on another path', () => {
    expect(steps({ running: [{ path: '/data/9', state: 'readable' }] })).toEqual(mended)
  })

  it('finds the mount that holds a path which a command printed', () => {
    expect(steps({ exact: false, paths: [{ path: '/srv/jobs/17/in', state: 'stale' }] })).toEqual(mended)
  })

  it('goes on where an earlier one could not mount again', () => {
    expect(steps({ unmounted: '/srv/jobs', paths: [{ path: '/srv/jobs', state: 'missing' }] })).toEqual(mended.slice(1))
  })

  it('needs no sentinel to say what it would do', () => {
    expect(steps({ enabled: false, dryRun: true })).toEqual(mended)
  })
})

describe('a recovery is refused', () => {
  const rows: readonly [name: string, change: Partial<RecoveryFacts>, reason: RecoveryRefusal][] = [
    ['without the sentinel file', { enabled: false }, 'disabled'],
    ['where unmounting is not allowed', { unmount: false, dryRun: true }, 'disabled'],
    ['when the path is readable', { paths: [{ path: '/srv/jobs', state: 'readable' }] }, 'not-stale'],
    ['when the path hangs', { paths: [{ path: '/srv/jobs', state: 'hanging' }] }, 'not-stale'],
    ['when the path fails otherwise', { paths: [{ path: '/srv/jobs', state: 'failing' }] }, 'not-stale'],
    ['outside of its root', { root: '/mnt' }, 'outside-root'],
    ['without a root', { root: null }, 'outside-root'],
    ['for the root itself', { root: '/srv/jobs' }, 'outside-root'],
    ['for a neighbour whose name begins like the root', { root: '/srv/job' }, 'outside-root'],
    ['for a path below a mountpoint', { paths: [{ path: '/srv/jobs/17', state: 'stale' }] }, 'not-a-mountpoint'],
    ['for a path above a mountpoint', { paths: [{ path: '/srv/job', state: 'stale' }] }, 'not-a-mountpoint'],
    ['for what is not mounted', { mountpoints: [] }, 'not-a-mountpoint'],
    [
      'when the mount that holds a printed path is not under the root',
      { exact: false, mountpoints: [{ mountpoint: '/', type: 'nfs' }] },
      'outside-root',
    ],
    [
      'while healthy running work lies below the mount',
      { running: [{ path: '/srv/jobs/own', state: 'readable' }] },
      'busy',
    ],
    [
      'when stopping the worker would stop healthy work elsewhere',
      {
        running: [
          { path: '/srv/jobs/17', state: 'stale' },
          { path: '/data/9', state: 'readable' },
        ],
      },
      'busy',
    ],
    [
      'when the worker that had to be stopped is switched off or being deployed',
      { running: [{ path: '/srv/jobs/17', state: 'stale' }], workers: [{ ...worker, free: false }] },
      'busy',
    ],
    ['when nobody knows what runs', { running: null }, 'busy'],
    [
      'when the worker that had to be stopped was started three times within the hour',
      {
        running: [{ path: '/srv/jobs/17', state: 'stale' }],
        workers: [{ ...worker, starts: [now - 3, now - 2, now - 1] }],
      },
      'rate-limited',
    ],
    ['after three within the hour', { recoveries: [now - 3_599_999, now - 2, now - 1] }, 'rate-limited'],
  ]
  it.each(rows)('%s', (_, change, reason) => {
    expect(steps(change)).toBe(reason)
  })

  it('no longer for its rate when one of them is an hour ago', () => {
    expect(steps({ recoveries: [now - 3_600_000, now - 2, now - 1] })).toEqual(mended)
  })
})
