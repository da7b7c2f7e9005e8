import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { GuardedMachine, hotPath, worker } from '../../fakes/guarded.ts'

/*
 * Incident 4: the infrastructure error that became a retry storm. How `spillway run` treats a job on a mount that is gone is
 * told in internal/guard/run; real mounts are killed and frozen in test/fault/mounts.test.ts.
 */
const minute = 60_000
const sentinel = '/etc/spillway/recover.enabled'
let machine: GuardedMachine

beforeEach(() => {
  machine = new GuardedMachine()
  machine.pending = 214
})
afterEach(() => machine.guard.stop())

/** The mount dies under its mountpoint, and the mount table still lists it. */
const mountDies = () => machine.states.set('/srv/jobs', 'stale')
const recover = (dryRun = false) => machine.guard.recover('crawl', { dryRun, actor: 'operator:test' })
const unmount = 'fusermount3 -u -- /srv/jobs'

describe('incident 4, rule 1: "mounted" is not "readable"', () => {
  it('a worker is not started on a mount that is listed and dead, however long its jobs wait', async () => {
    machine.files.delete(sentinel)
    mountDies()
    await machine.begin()
    await machine.clock.advance(60 * minute)
    expect(machine.actions).toEqual([])
    const { workers } = await machine.guard.status()
    expect(workers).toMatchObject([{ active: false, pending: 214, decision: 'refused', reason: 'storage-unreadable' }])
  })

  it.each(['hanging', 'missing', 'failing'] as const)(
    'nor on one that is %s, which is never unmounted',
    async (state) => {
      machine.states.set('/srv/jobs', state)
      await machine.begin()
      await machine.clock.advance(60 * minute)
      expect(machine.actions).toEqual([])
      expect(await recover()).toMatchObject({ result: 'refused', reason: 'not-stale' })
    },
  )
})

describe('incident 4, rule 2: the next jobs are probed, and only an exact dead mountpoint under the root is unmounted', () => {
  it('the paths of the next jobs are looked at, not only those of running ones', async () => {
    machine.settings = { ...machine.settings, hotPaths: { crawl: { ...hotPath, path: null, pathsFrom: ['next'] } } }
    machine.next = ['/srv/jobs/17', '/srv/jobs/18']
    mountDies()
    expect(await recover(true)).toMatchObject({ result: 'dry-run', steps: [{ step: 'unmount' }, {}, {}, {}] })
  })

  it.each([
    ['below a mountpoint', { path: '/srv/jobs/17' }, 'not-a-mountpoint'],
    ['outside of the root', { root: '/mnt' }, 'outside-root'],
    ['that is the root', { root: '/srv/jobs' }, 'outside-root'],
  ] as const)('a path %s is left alone', async (_, change, reason) => {
    machine.settings = { ...machine.settings, hotPaths: { crawl: { ...hotPath, ...change } } }
    mountDies()
    expect(await recover()).toMatchObject({ result: 'refused', reason, steps: [] })
    expect(machine.actions).toEqual([])
    expect((await machine.guard.status()).hotPaths).toMatchObject([{ lastRecovery: { result: 'refused', reason } }])
  })

  it('a mount that came back between plan and action is not unmounted', async () => {
    mountDies()
    const recovering = recover()
    // Its busy command is the last that is asked before the steps.
    machine.befalls.set('running-paths', () => machine.states.delete('/srv/jobs'))
    expect(await recovering).toMatchObject({ result: 'failed', reason: 'unmount' })
    expect(machine.actions).toEqual([])
  })
})

describe('incident 4, rule 3: a healthy running job is never stopped to repair an unrelated path', () => {
  it('the worker runs on while its mount, which no running job uses, is mended', async () => {
    machine.active = true
    machine.busy = ['/data/9']
    mountDies()
    expect(await recover()).toMatchObject({ result: 'done' })
    expect(machine.actions).toEqual([unmount, 'remount', 'tiering --apply'])
  })

  it('nothing is mended while stopping the worker would stop a healthy job, too', async () => {
    machine.active = true
    machine.busy = ['/srv/jobs/17', '/data/9']
    mountDies()
    expect(await recover()).toMatchObject({ result: 'refused', reason: 'busy' })
    expect(machine.actions).toEqual([])
  })

  it('nothing is mended while nobody knows what runs', async () => {
    machine.codes.set('running-paths', 1)
    mountDies()
    expect(await recover()).toMatchObject({ result: 'refused', reason: 'busy' })
  })
})

describe('incident 4, rule 4: no failed step leaves the worker stopped', () => {
  beforeEach(() => {
    machine.active = true
    machine.busy = ['/srv/jobs/17']
    mountDies()
  })

  it('it is started again when a step after the mount fails, which is told', async () => {
    machine.codes.set('tiering', 1)
    const done = await recover()
    expect(done).toMatchObject({ result: 'failed', reason: 'after' })
    expect(machine.actions).toEqual(['stop', unmount, 'remount', 'tiering --apply', 'start'])
    expect(machine.active).toBe(true)
    expect(machine.kinds('path_recovery_failed')).toMatchObject([
      { reason: 'failed', detail: { step: 'after', said: 'it failed' } },
    ])
  })

  it('it is not started on the bare folder under a mount that could not be mounted again, which is tried again', async () => {
    machine.codes.set('remount', 1)
    expect(await recover()).toMatchObject({ result: 'failed', reason: 'remount' })
    expect([machine.active, machine.state('/srv/jobs')]).toEqual([false, 'readable'])
    await machine.restart()
    await machine.clock.advance(10 * minute)
    expect(machine.active).toBe(false)
    expect((await machine.guard.status()).hotPaths).toMatchObject([{ state: 'missing' }])
    machine.codes.delete('remount')
    await machine.clock.advance(60 * minute)
    expect((await machine.guard.status()).hotPaths).toMatchObject([{ state: 'readable' }])
    expect(machine.active).toBe(true)
  })

  it('it is started by the watchdog when the mount comes back later, with its jobs marked running', async () => {
    machine.codes.set('fusermount3', 1)
    machine.codes.set('umount', 1)
    machine.codes.set('remount', 1)
    machine.running = 2
    expect(await recover()).toMatchObject({ result: 'failed', reason: 'unmount' })
    expect(machine.active).toBe(false)
    await machine.begin()
    await machine.clock.advance(10 * minute)
    expect(machine.active).toBe(false)
    machine.states.delete('/srv/jobs')
    await machine.clock.advance(3 * minute)
    expect(machine.active).toBe(true)
  })

  it('it is not started into a deployment that began meanwhile, but after it', async () => {
    machine.running = 1
    machine.befalls.set('remount', () => machine.files.set('/run/deploy.lock', machine.clock.now()))
    expect(await recover()).toMatchObject({ result: 'done' })
    expect(machine.active).toBe(false)
    await machine.begin()
    await machine.clock.advance(30 * minute)
    expect(machine.active).toBe(false)
    machine.files.delete('/run/deploy.lock')
    await machine.clock.advance(3 * minute)
    expect(machine.active).toBe(true)
  })

  it('it is started after a crash of the guard between stop and start', async () => {
    machine.running = 1
    const original = machine.guard
    machine.codes.set('fusermount3', null)
    machine.codes.set('umount', null)
    await original.recover('crawl', { dryRun: false, actor: 'operator:test' })
    expect(machine.active).toBe(false)
    machine.states.delete('/srv/jobs')
    await machine.restart()
    await machine.clock.advance(3 * minute)
    expect(machine.active).toBe(true)
  })

  it('the watchdog starts a worker that somebody else left stopped, and refuses while a job is marked running', async () => {
    machine.states.delete('/srv/jobs')
    machine.active = false
    machine.running = 1
    await machine.begin()
    await machine.clock.advance(5 * minute)
    expect(machine.kinds('worker_refused')).toMatchObject([{ from: 'crawler', reason: 'marked-running' }])
    machine.running = 0
    await machine.clock.advance(3 * minute)
    expect(machine.actions).toEqual(['start'])
    expect(machine.kinds('worker_started')).toHaveLength(1)
  })
})

describe('incident 4, rule 5: automation is idempotent, limited, switched off at once, and tells one story once', () => {
  it('a second recovery finds nothing to do', async () => {
    mountDies()
    expect(await recover()).toMatchObject({ result: 'done' })
    expect(await recover()).toMatchObject({ result: 'refused', reason: 'not-stale' })
  })

  it('a mount that dies all the time is mended three times an hour', async () => {
    await machine.begin()
    for (let dies = 0; dies < 110; dies++) {
      mountDies()
      await machine.clock.advance(30_000)
    }
    expect(machine.actions.filter((action) => action === unmount)).toHaveLength(3)
  })

  it('a worker that dies at once is started three times an hour, also over restarts of the guard', async () => {
    await machine.begin()
    for (let tries = 0; tries < 28; tries++) {
      machine.active = false
      if (tries % 5 === 4) await machine.restart()
      await machine.clock.advance(2 * minute)
    }
    expect(machine.actions.filter((action) => action === 'start')).toHaveLength(3)
  })

  it('a start is remembered before it is done: a crash in between cannot make it count for nothing', async () => {
    let remembered: unknown
    machine.befalls.set('start', () => {
      remembered = JSON.parse(machine.memory ?? '{}').starts
    })
    await machine.begin()
    expect(remembered).toEqual({ crawler: [Date.UTC(2026, 0, 5, 14)] })
  })

  it('nothing is done without the sentinel files, and nothing more once one is removed', async () => {
    machine.files.delete(sentinel)
    machine.files.delete(worker.enabledBy ?? '')
    mountDies()
    await machine.begin()
    await machine.clock.advance(20 * minute)
    expect(machine.actions).toEqual([])
    expect(await recover()).toMatchObject({ result: 'refused', reason: 'disabled' })
    // Removed while the steps are done: what is left of them is not.
    machine.files.set(sentinel, 0)
    machine.befalls.set('remount', () => machine.files.delete(sentinel))
    const { result, steps } = await recover()
    expect([result, ...steps.map((step) => step.result)]).toEqual(['failed', 'done', 'done', 'disabled', 'skipped'])
    expect(machine.actions).toEqual([unmount, 'remount'])
  })

  it('a dry run does nothing and needs no sentinel', async () => {
    machine.files.delete(sentinel)
    mountDies()
    expect(await recover(true)).toMatchObject({ result: 'dry-run', reason: null })
    expect(machine.actions).toEqual([])
    expect(machine.told).toEqual([])
  })

  it('a worker that is down while jobs wait, and a path that stays dead, are told once each and closed once', async () => {
    machine.files.delete(sentinel)
    mountDies()
    await machine.begin()
    await machine.clock.advance(12 * 60 * minute)
    expect(machine.kinds('path_unrecovered')).toMatchObject([
      { from: 'crawl', detail: { path: '/srv/jobs', state: 'stale' } },
    ])
    expect(machine.kinds('worker_down')).toMatchObject([
      { from: 'crawler', reason: 'storage-unreadable', detail: { pending: 214, since: Date.UTC(2026, 0, 5, 14) } },
    ])
    await machine.restart()
    await machine.clock.advance(60 * minute)
    machine.states.delete('/srv/jobs')
    await machine.clock.advance(5 * minute)
    expect(machine.kinds('path_readable')).toHaveLength(1)
    expect(machine.kinds('worker_up')).toHaveLength(1)
    expect(machine.told.filter(({ kind }) => kind === 'path_unrecovered' || kind === 'worker_down')).toHaveLength(2)
  })
})
