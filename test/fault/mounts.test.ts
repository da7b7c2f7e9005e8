import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { Mirror, mountTmpfs } from '../fakes/mounts.ts'
import { Program, type Served } from '../fakes/rig/program.ts'
import { type FakeUpstream, fakeUpstream } from '../fakes/upstream/upstream.ts'

const full = process.env.SPILLWAY_FULL === '1'
const rounds = full ? 40 : 12
/** Where the tools can be installed, a story that cannot be told is a failure: `.ci/run` says so. */
const mustMount = process.env.SPILLWAY_MUST_MOUNT === '1'

let program: Program
let served: Served | null = null
const cleanups: (() => unknown)[] = []

beforeEach(() => {
  program = new Program()
  mkdirSync(program.data, { mode: 0o700 })
})

afterEach(async () => {
  served?.process.kill('SIGKILL')
  await served?.ended
  served = null
  for (const clean of cleanups.splice(0).reverse()) await clean()
  program.close()
})

async function start(guard: object): Promise<Served> {
  writeFileSync(join(program.data, 'spillway.yaml'), stringify({ guard, pools: { maxWaitMs: 0 } }))
  served = await program.serve()
  return served
}

/** A mount of our own; the story is skipped, with the reason, where there can be none. */
async function mounted(test: { skip(when: boolean, why: string): void }): Promise<{ mirror: Mirror; at: string }> {
  const at = program.beside('root/jobs')
  const mirror = new Mirror(program.beside('real'), at, cleanups)
  writeFileSync(program.beside('real/job'), 'x')
  const why = await mirror.mount()
  if (why !== null && mustMount) throw new Error(why)
  test.skip(why !== null, why ?? '')
  return { mirror, at }
}

const hot = (at: string, more: object = {}) => ({
  path: at,
  root: program.beside('root'),
  everyMs: '200ms',
  probeMs: '500ms',
  recover: {
    unmount: true,
    enabledBy: program.beside('recover.enabled'),
    remount: ['bindfs', program.beside('real'), at],
    after: [['touch', program.beside('after')]],
  },
  ...more,
})

const stateOf = async (name = 'crawl') =>
  (await program.ops.guardStatus({})).hotPaths.find((each) => each.name === name)?.state

/** Kills the bindfs that a recovery has started. */
function unmountAtTheEnd(at: string): void {
  cleanups.push(() => spawnSync('umount', ['-l', at]))
}

describe('a mount that dies (ENOTCONN)', () => {
  it('is seen as stale while the mount table lists it; a recovery is planned, then done, and told', async (test) => {
    const { mirror, at } = await mounted(test)
    unmountAtTheEnd(at)
    await start({ hotPaths: { crawl: hot(at) } })
    await expect.poll(stateOf).toBe('readable')
    await mirror.kill()
    await expect.poll(stateOf).toBe('stale')
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).toContain(` ${at} `)
    // Nobody has switched it on: nothing happens by itself, and not when told either.
    expect(await program.ops.guardRecover({ name: 'crawl' })).toMatchObject({ result: 'refused', reason: 'disabled' })
    const plan = await program.ops.guardRecover({ name: 'crawl', dryRun: true })
    expect(plan).toMatchObject({ result: 'dry-run', reason: null })
    expect(plan.steps.map(({ step }) => step)).toEqual(['unmount', 'remount', 'probe', 'after'])
    expect(await stateOf()).toBe('stale')
    await program.ops.guardEnable({ name: 'crawl' })
    await expect.poll(stateOf).toBe('readable')
    expect(readdirSync(at)).toEqual(['job'])
    await expect.poll(() => existsSync(program.beside('after'))).toBe(true)
    await expect
      .poll(async () => (await program.ops.auditList({})).map(({ kind }) => kind))
      .toEqual(expect.arrayContaining(['guard_enabled', 'path_recovered']))
    const [path] = (await program.ops.guardStatus({})).hotPaths
    expect(path?.lastRecovery).toMatchObject({ result: 'done', reason: null })
    expect(await program.ops.guardRecover({ name: 'crawl' })).toMatchObject({ result: 'refused', reason: 'not-stale' })
  }, 60_000)

  it('is never unmounted through a link, nor for a path beside or below it', async (test) => {
    const { mirror, at } = await mounted(test)
    mkdirSync(join(program.beside('real'), 'below'))
    execFileSync('ln', ['-s', at, program.beside('root/link')])
    writeFileSync(program.beside('recover.enabled'), '')
    await mirror.kill()
    await start({
      hotPaths: {
        link: hot(program.beside('root/link')),
        below: hot(join(at, 'below')),
        elsewhere: hot(at, { path: at, root: at }),
      },
    })
    for (const [name, reason] of [
      ['link', 'not-a-mountpoint'],
      ['below', 'not-a-mountpoint'],
      ['elsewhere', 'outside-root'],
    ] as const)
      expect(await program.ops.guardRecover({ name })).toMatchObject({ result: 'refused', reason })
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).toContain(` ${at} `)
  }, 60_000)
})

describe('a mount that hangs', () => {
  it('holds up no other path, no status, no request and no end of the daemon', async (test) => {
    const { mirror, at } = await mounted(test)
    const upstream: FakeUpstream = await fakeUpstream()
    cleanups.push(() => upstream.close())
    const well = program.beside('well')
    mkdirSync(well)
    const names = Array.from({ length: full ? 50 : 12 }, (_, index) => `hung${index}`)
    const paths = Object.fromEntries(names.map((name) => [name, hot(join(at, name), { everyMs: '1s', probeMs: '2s' })]))
    mirror.signal('SIGSTOP')
    cleanups.push(() => mirror.signal('SIGCONT'))
    await start({
      budgets: { sessions: { path: at, maxFiles: 10 } },
      hotPaths: { ...paths, well: hot(well, { root: program.beside('') }) },
      workers: { crawler: { isActive: ['true'], start: ['true'], pending: ['echo', '0'], everyMs: '500ms' } },
    })
    const { ops } = program
    const { key } = await ops.keyCreate({ name: 'load' })
    await ops.credAdd({ name: 'a', provider: 'openai', source: { kind: 'vault', secret: 'sk-a' } })
    await ops.poolCreate({ name: 'openai', provider: 'openai', members: ['a'], upstream: upstream.url })
    await expect.poll(() => stateOf('hung0'), { timeout: 30_000 }).toBe('hanging')
    await expect.poll(() => stateOf('well')).toBe('readable')
    const times: number[] = []
    const probes: number[] = []
    const requests: number[] = []
    for (let round = 0; round < rounds; round++) {
      const begun = performance.now()
      await ops.guardStatus({})
      times.push(performance.now() - begun)
      const asked = performance.now()
      const response = await fetch(`${served?.origin}/openai/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}` },
        body: '{}',
      })
      expect(response.status).toBe(200)
      await response.text()
      requests.push(performance.now() - asked)
      if (round % 8 !== 0) continue
      const probe = await ops.guardProbe({ name: 'well' })
      expect(probe.state).toBe('readable')
      probes.push(probe.paths[0]?.ms ?? Number.NaN)
    }
    for (const each of [times, requests]) each.sort((one, other) => one - other)
    if (full) console.log({ status: [times[20], times[37]], requests: [requests[20], requests[37]], probes })
    expect(times[rounds / 2]).toBeLessThan(1_000)
    expect(requests[rounds - 3]).toBeLessThan(1_000)
    const ended = performance.now()
    served?.process.kill('SIGTERM')
    expect((await served?.ended)?.code).toBe(0)
    expect(performance.now() - ended).toBeLessThan(5_000)
  }, 120_000)
})

describe('a small disk that jobs fill', () => {
  it('is emptied by its budget, oldest first, before a job starts; what is open stays', async (test) => {
    const at = program.beside('dumps')
    const why = mountTmpfs(at, '8m', cleanups)
    if (why !== null && mustMount) throw new Error(why)
    test.skip(why !== null, why ?? '')
    for (let n = 0; n < 7; n++) {
      writeFileSync(join(at, `dump${n}`), Buffer.alloc(1024 * 1024))
      const when = Date.now() / 1000 - 1_000 + n
      execFileSync('touch', ['-d', `@${when}`, join(at, `dump${n}`)])
    }
    await start({ budgets: { dumps: { path: at, maxBytes: '3MiB', action: 'prune' } } })
    await expect.poll(() => readdirSync(at).sort()).toEqual(['dump4', 'dump5', 'dump6'])
    const [budget] = (await program.ops.guardStatus({})).budgets
    expect(budget).toMatchObject({ files: 3, bytes: 3 * 1024 * 1024, over: false, action: 'prune' })
    expect((await program.ops.auditList({ kind: 'budget_pruned' })).map(({ detail }) => detail)).toEqual([
      { path: at, files: 4, bytes: 4 * 1024 * 1024 },
    ])
    rmSync(join(at, 'dump4'))
  }, 60_000)
})
