import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { addCredentials, type Bench, startBench } from '../../../test/fakes/rig/operations.ts'
import { limited } from '../../../test/fakes/rig/records.ts'
import { type RunDeps, type RunNote, type RunRequest, runJob } from './run.ts'
import type { StopSignal } from './stop.ts'

let bench: Bench
let proxy: Server
let folder: string
let notes: RunNote[]
let listeners: Set<(signal: StopSignal) => void>
const origin = () => `http://127.0.0.1:${(proxy.address() as AddressInfo | null)?.port ?? 1}`

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'spillway-run-'))
  notes = []
  listeners = new Set()
  proxy = createServer((socket) => socket.destroy())
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  bench = await startBench({ parts: { origin } })
  await addCredentials(bench.ops, ['work'])
  await bench.ops.poolCreate({ name: 'openai', provider: 'openai', members: ['work'] })
  await bench.ops.keyCreate({ name: 'local', keep: true })
})
afterEach(async () => {
  await bench.stop()
  proxy.close()
  rmSync(folder, { recursive: true, force: true })
})

/** A program that notes each start in a file once `ready` is done, and then does as it is told. */
function script(does: string, ready = ''): RunRequest['command'] {
  return [
    process.execPath,
    '-e',
    `${ready};require('node:fs').appendFileSync('starts', JSON.stringify(process.env) + '\\n');${does}`,
  ]
}

/** The environment of each start, in order. */
function starts(): Record<string, string>[] {
  try {
    return readFileSync(join(folder, 'starts'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
  } catch {
    return []
  }
}

function request(change: Partial<RunRequest> = {}): RunRequest {
  return {
    pool: 'openai',
    job: null,
    type: 'agent',
    budgets: [],
    hotPaths: [],
    retries: 3,
    waitReset: false,
    backoff: { firstMs: 1_000, maxMs: 300_000 },
    command: script(''),
    cwd: folder,
    env: { PATH: process.env.PATH, MINE: 'kept' },
    terminal: false,
    ...change,
  }
}

/** Runs it; no wait for a retry takes real time. */
async function run(change: Partial<RunRequest> = {}, parts: Partial<RunDeps> = {}) {
  return runJob(request(change), {
    ops: bench.ops,
    clock: bench.clock,
    random: () => 0.5,
    holder: 'pid 7',
    stdio: 'ignore',
    onStop(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    tell: hurry,
    ...parts,
  })
}

/** Takes the note, and lets the time pass that the run waits for its retry from then on. */
function hurry(note: RunNote): void {
  notes.push(note)
  if (note.kind === 'retrying') queueMicrotask(() => void bench.clock.advance(note.waitMs))
}

const rows = async () => Object.keys((await bench.store.load()).meta).filter((name) => name.startsWith('job:'))
const lapse = () => bench.engine.needsLogin('work', 1, 'refresh-rejected')

describe('a job', () => {
  test('is given the pool and its own environment, and its exit code passes through', async () => {
    expect(await run({ command: script('process.exit(0)') })).toEqual({
      kind: 'exited',
      why: 'succeeded',
      code: 0,
      attempts: 1,
    })
    const { variables } = await bench.ops.env({ name: 'openai' })
    expect(starts()).toEqual([
      expect.objectContaining({ MINE: 'kept', ...Object.fromEntries(variables.map((v) => [v.name, v.value])) }),
    ])
    expect(listeners.size).toBe(0)
  })

  test('is not given a key of the upstream that its client would prefer to ours', async () => {
    await addCredentials(bench.ops, ['claude'], 'anthropic')
    await bench.ops.poolCreate({ name: 'anthropic', provider: 'anthropic', members: ['claude'] })
    const env = { PATH: process.env.PATH, ANTHROPIC_API_KEY: 'sk-ant-mine' }
    await run({ pool: 'anthropic', env, command: script('process.exit(0)') })
    expect(starts()).toEqual([expect.objectContaining({ ANTHROPIC_AUTH_TOKEN: expect.any(String) })])
    expect(starts()[0]).not.toHaveProperty('ANTHROPIC_API_KEY')
  })

  test('is retried after an ordinary failure until the retries are used up', async () => {
    expect(await run({ retries: 2, command: script('process.exit(9)') })).toEqual({
      kind: 'exited',
      why: 'retries-used-up',
      code: 9,
      attempts: 3,
    })
    expect(notes).toEqual([
      { kind: 'retrying', ended: { how: 'exit', code: 9 }, waitMs: 500, retriesLeft: 2 },
      { kind: 'retrying', ended: { how: 'exit', code: 9 }, waitMs: 1_000, retriesLeft: 1 },
    ])
    expect(starts()).toHaveLength(3)
  })

  test('that succeeds at last has succeeded', async () => {
    const command = script(
      'process.exit(require("node:fs").readFileSync("starts", "utf8").split("\\n").length > 2 ? 0 : 1)',
    )
    expect(await run({ command })).toMatchObject({ why: 'succeeded', code: 0, attempts: 2 })
  })

  test('is started once when there is nothing to start', async () => {
    expect(await run({ command: ['spillway-no-such-program'] })).toMatchObject({
      why: 'cannot-start',
      code: 127,
      attempts: 1,
    })
  })

  test('needs a key that can be given to it', async () => {
    await bench.ops.keyRevoke({ name: 'local' })
    await expect(run({ job: 'j' })).rejects.toMatchObject({ code: 'conflict' })
    await bench.ops.keyCreate({ name: 'local' })
    await expect(run({ job: 'j' })).rejects.toMatchObject({ code: 'conflict' })
    expect(await rows()).toEqual([])
  })

  test('needs a pool that exists', async () => {
    await expect(run({ pool: 'opnai' })).rejects.toMatchObject({ code: 'not-found' })
    await expect(run({ pool: 'opnai', type: 'shell' })).rejects.toMatchObject({ code: 'not-found' })
  })

  test('needs a daemon', async () => {
    const offline = await startBench({ store: bench.store, clock: bench.clock, offline: true })
    expect(await run({ job: 'j' }, { ops: offline.ops })).toEqual({ kind: 'no-daemon' })
    expect(starts()).toEqual([])
    expect(await rows()).toEqual([])
    await offline.stop()
  })
})

describe('a pool that cannot serve', () => {
  test.each<[string, () => Promise<unknown>, string]>([
    ['because a login lapsed', lapse, 'session-expired'],
    ['because all are disabled', () => bench.ops.credDisable({ name: 'work' }), 'disabled'],
    ['because all cool', async () => bench.attempt('openai', limited), 'exhausted'],
  ])('%s: nothing is started or written', async (_name, befall, why) => {
    await befall()
    await bench.engine.flush()
    const before = bench.store.batches.length
    expect(await run({ job: 'nightly' })).toMatchObject({ kind: 'halted', why, attempts: 0, check: { pool: 'openai' } })
    expect(starts()).toEqual([])
    expect(bench.store.batches).toHaveLength(before)
    expect(notes).toEqual([])
  })

  test('ends a run at the first failure, with its retries unused', async () => {
    const ending = await run({ job: 'nightly', command: script('process.exit(1)') }, { ops: whoseFirstJobMeets(lapse) })
    expect(ending).toMatchObject({ kind: 'halted', why: 'session-expired', attempts: 1 })
    expect(notes).toEqual([])
    expect(await rows()).toEqual([])
  })

  test('ends a run that waits for its retry', async () => {
    const command = script('process.exit(1)')
    const tell = (note: RunNote) => {
      bench.attempt('openai', limited)
      hurry(note)
    }
    expect(await run({ command }, { tell })).toMatchObject({ kind: 'halted', why: 'exhausted', attempts: 1 })
  })

  describe('that is waited for', () => {
    const waits = { waitReset: true }
    /** Takes the note, and lets the time pass that the run waits for: as long as the pool cools, or for so many minutes. */
    function patient(note: RunNote, minutes = 0): void {
      notes.push(note)
      if (note.kind === 'waiting') void pass(minutes)
    }
    async function pass(minutes: number): Promise<void> {
      for (let left = minutes; ; left--) {
        await new Promise((resolve) => setTimeout(resolve, 5))
        const { verdict, retryAt } = await bench.ops.poolCheck({ name: 'openai' })
        if (left <= 0 && verdict !== 'cooling') return
        const coolsMs = Date.parse(retryAt ?? '') - bench.clock.now()
        await bench.clock.advance(coolsMs > 0 ? Math.min(60_000, coolsMs) : 60_000)
      }
    }
    const failingOnce = script(
      'process.exit(require("node:fs").readFileSync("starts", "utf8").split("\\n").length > 2 ? 0 : 1)',
    )

    test('the job is started when it is back, and told once', async () => {
      bench.attempt('openai', limited)
      expect(await run(waits, { tell: patient })).toMatchObject({ kind: 'exited', why: 'succeeded', attempts: 1 })
      expect(notes).toMatchObject([{ kind: 'waiting', check: { verdict: 'cooling', member: 'work' } }])
      expect(starts()).toHaveLength(1)
    })

    test('a job that fails with it is started again, which takes a retry', async () => {
      const ops = whoseFirstJobMeets(async () => bench.attempt('openai', limited))
      expect(await run({ ...waits, command: failingOnce }, { ops, tell: patient })).toMatchObject({
        why: 'succeeded',
        attempts: 2,
      })
      expect(notes.map(({ kind }) => kind)).toEqual(['waiting'])
    })

    test('is not waited for once the retries are used up', async () => {
      const ops = whoseFirstJobMeets(async () => bench.attempt('openai', limited))
      const command = script('process.exit(1)')
      expect(await run({ ...waits, retries: 0, command }, { ops, tell: patient })).toMatchObject({
        kind: 'halted',
        why: 'exhausted',
        attempts: 1,
      })
      expect(notes).toEqual([])
    })

    test('ends the run when it turns out to need a person', async () => {
      bench.attempt('openai', limited)
      const tell = (note: RunNote) => {
        void lapse()
        patient(note, 1)
      }
      expect(await run(waits, { tell })).toMatchObject({ kind: 'halted', why: 'session-expired', attempts: 0 })
    })

    test('is not waited for any more when the run is told to stop', async () => {
      bench.attempt('openai', limited)
      const tell = () => queueMicrotask(() => [...listeners].map((listener) => listener('SIGINT')))
      expect(await run(waits, { tell })).toEqual({ kind: 'exited', why: 'stopped', code: 130, attempts: 0 })
      expect(listeners.size).toBe(0)
    })

    test('may be asked in vain while its daemon starts anew, but not for long', async () => {
      bench.attempt('openai', limited)
      let asked = 0
      const poolCheck: RunDeps['ops']['poolCheck'] = (args) =>
        asked++ === 1 ? Promise.reject(new Error('connect ENOENT')) : bench.ops.poolCheck(args)
      const missingOne = (note: RunNote) => patient(note, 2)
      expect(await run(waits, { ops: { ...bench.ops, poolCheck }, tell: missingOne })).toMatchObject({ code: 0 })
      bench.attempt('openai', limited)
      const gone: RunDeps['ops']['poolCheck'] = (args) =>
        asked++ === 0 ? bench.ops.poolCheck(args) : Promise.reject(new Error('connect ENOENT'))
      asked = 0
      const tell = (note: RunNote) => patient(note, 11)
      expect(await run(waits, { ops: { ...bench.ops, poolCheck: gone }, tell })).toMatchObject({
        kind: 'cooled',
        why: 'daemon-silent',
        attempts: 0,
      })
    })

    test('is tried by one job first, and the others wait for that', async () => {
      const until = new Date(bench.clock.now() + 30_000).toISOString()
      const halfOpen = { verdict: 'half-open' as const, pool: 'openai', until }
      let asked = 0
      const guardAdmit: RunDeps['ops']['guardAdmit'] = async (args) => {
        if (asked++ > 0) return bench.ops.guardAdmit(args)
        setTimeout(() => void bench.clock.advance(30_000), 5)
        return halfOpen
      }
      expect(await run(waits, { ops: { ...bench.ops, guardAdmit } })).toMatchObject({ kind: 'exited', code: 0 })
      const refusing: RunDeps['ops'] = { ...bench.ops, guardAdmit: async () => halfOpen }
      expect(await run({}, { ops: refusing })).toMatchObject({ kind: 'not-admitted' })
    })
  })

  test('does not end a run that succeeded all the same', async () => {
    expect(await run({}, { ops: whoseFirstJobMeets(lapse) })).toMatchObject({ kind: 'exited', code: 0 })
  })

  test('does not matter to a shell job, whose output is nobody’s affair', async () => {
    await lapse()
    const command = script('console.error("HTTP 401 Unauthorized: session expired"); process.exit(1)')
    expect(await run({ type: 'shell', command })).toMatchObject({ kind: 'exited', why: 'retries-used-up', attempts: 4 })
    expect(starts()).toHaveLength(4)
  })

  test('is not what an agent means that prints 401 while the pool serves', async () => {
    const command = script('console.error("HTTP 401 Unauthorized: session expired"); process.exit(1)')
    expect(await run({ command })).toMatchObject({ kind: 'exited', why: 'retries-used-up', attempts: 4 })
  })
})

/** The verbs; what befalls the pool does so once the run has been admitted, as if by the job's own first request. */
function whoseFirstJobMeets(befall: () => Promise<unknown>): RunDeps['ops'] {
  return {
    ...bench.ops,
    async env(args) {
      const found = await bench.ops.env(args)
      await befall()
      return found
    },
  }
}

describe('a job with a name', () => {
  const failing = () => run({ job: 'nightly', retries: 0, command: script('process.exit(3)') })

  test('waits after a failure, over runs; a success forgets it', async () => {
    expect(await failing()).toMatchObject({ code: 3 })
    expect(await run({ job: 'nightly' })).toMatchObject({ kind: 'refused', claim: { why: 'waiting', failures: 1 } })
    await bench.clock.advance(1_000)
    expect(await failing()).toMatchObject({ code: 3 })
    await bench.clock.advance(1_000)
    expect(await run({ job: 'nightly' })).toMatchObject({ kind: 'refused', claim: { why: 'waiting', failures: 2 } })
    await bench.clock.advance(1_000)
    expect(await run({ job: 'nightly' })).toMatchObject({ kind: 'exited', code: 0 })
    expect(await rows()).toEqual([])
    expect(starts()).toHaveLength(3)
  })

  test('writes nothing while it waits', async () => {
    await failing()
    const before = bench.store.batches.length
    for (let i = 0; i < 50; i++) expect(await run({ job: 'nightly' })).toMatchObject({ kind: 'refused' })
    expect(bench.store.batches).toHaveLength(before)
  })

  test('is not run twice at a time', async () => {
    writeFileSync(join(folder, 'hold'), '')
    const waits = script(
      'const t = setInterval(() => { if (!require("node:fs").existsSync("hold")) clearInterval(t) }, 5)',
    )
    const first = run({ job: 'nightly', command: waits })
    await started()
    expect(await run({ job: 'nightly' })).toMatchObject({ kind: 'refused', claim: { why: 'running', holder: 'pid 7' } })
    // It is renewed: a minute and a half would have ended the claim.
    for (let i = 0; i < 4; i++) await bench.clock.advance(30_000)
    expect(await run({ job: 'nightly' })).toMatchObject({ kind: 'refused', claim: { why: 'running' } })
    rmSync(join(folder, 'hold'))
    expect(await first).toMatchObject({ kind: 'exited', code: 0 })
    expect(starts()).toHaveLength(1)
  })

  test('that another run has taken over is left to it', async () => {
    const ops: RunDeps['ops'] = { ...bench.ops, jobSettle: async ({ name }) => ({ job: name, held: false }) }
    expect(await run({ job: 'nightly', command: script('process.exit(3)') }, { ops })).toMatchObject({
      kind: 'exited',
      why: 'taken-over',
      code: 3,
      attempts: 1,
    })
  })

  test('runs to its end when the store does not keep how', async () => {
    const ops: RunDeps['ops'] = { ...bench.ops, jobSettle: () => Promise.reject(new Error('the disk is full')) }
    expect(await run({ job: 'nightly' }, { ops })).toMatchObject({ kind: 'exited', code: 0 })
    expect(notes).toMatchObject([{ kind: 'unnoted', error: { message: 'the disk is full' } }])
  })
})

/** Resolves when the job has begun. */
async function started(): Promise<void> {
  while (starts().length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
}

describe('trouble with what a job runs on', () => {
  test('a folder that is gone cools the job, longer each time, and costs no retry', async () => {
    const tick = () => run({ job: 'nightly', cwd: join(folder, 'gone') })
    expect(await tick()).toEqual({ kind: 'cooled', why: 'folder-missing', waitMs: 30_000, attempts: 0 })
    expect(await tick()).toMatchObject({ kind: 'refused', claim: { why: 'waiting', failures: 0, infra: 1 } })
    await bench.clock.advance(30_000)
    expect(await tick()).toMatchObject({ kind: 'cooled', waitMs: 60_000 })
    await bench.clock.advance(60_000)
    mkdirSync(join(folder, 'gone'))
    expect(await tick()).toMatchObject({ kind: 'exited', code: 0 })
    expect(await rows()).toEqual([])
  })

  test('a file in place of the folder is as bad', async () => {
    appendFileSync(join(folder, 'file'), '')
    expect(await run({ cwd: join(folder, 'file') })).toMatchObject({ kind: 'cooled', why: 'folder-missing' })
  })

  test('a proxy that takes no connections keeps an agent from starting, and no shell job', async () => {
    const closed = origin()
    await new Promise((resolve) => proxy.close(resolve))
    const ops: RunDeps['ops'] = {
      ...bench.ops,
      status: async () => ({ ...(await bench.ops.status({})), origin: closed }),
    }
    expect(await run({}, { ops })).toMatchObject({ kind: 'cooled', why: 'proxy-unreachable', attempts: 0 })
    expect(starts()).toEqual([])
    expect(await run({ type: 'shell' }, { ops })).toMatchObject({ kind: 'exited', code: 0 })
  })

  test('a daemon that went away during the job ends the run, without a retry', async () => {
    let asked = 0
    const poolCheck: RunDeps['ops']['poolCheck'] = (args) =>
      asked++ === 0 ? bench.ops.poolCheck(args) : Promise.reject(new Error('connect ENOENT'))
    const command = script('process.exit(1)')
    expect(await run({ command }, { ops: { ...bench.ops, poolCheck } })).toMatchObject({
      kind: 'cooled',
      why: 'daemon-silent',
      attempts: 1,
    })
  })
})

describe('a run that is told to stop', () => {
  const idle = script('setInterval(() => undefined, 1000)')
  const orderly = script('setInterval(() => undefined, 1000)', 'process.on("SIGTERM", () => process.exit(5))')
  const tellAll = (signal: StopSignal) => {
    for (const listener of listeners) listener(signal)
  }

  test.each<[StopSignal, string, RunRequest['command'], number]>([
    ['SIGTERM', 'dies of it', idle, 143],
    ['SIGINT', 'dies of it', idle, 130],
    ['SIGHUP', 'dies of it', idle, 129],
    ['SIGTERM', 'ends in order', orderly, 5],
  ])('passes %s on to a job that %s', async (signal, _how, command, code) => {
    const ending = run({ command })
    await started()
    tellAll(signal)
    expect(await ending).toEqual({ kind: 'exited', why: 'stopped', code, attempts: 1 })
  })

  test('leaves Ctrl-C to the terminal, which tells the job itself', async () => {
    const ending = run({ terminal: true, command: orderly })
    await started()
    tellAll('SIGINT')
    tellAll('SIGTERM')
    expect(await ending).toMatchObject({ why: 'stopped', code: 5 })
  })

  test('ends at once while it waits, and the next run waits for the rest', async () => {
    const tell = () => tellAll('SIGTERM')
    const ending = await run({ job: 'nightly', command: script('process.exit(1)') }, { tell })
    expect(ending).toEqual({ kind: 'exited', why: 'stopped', code: 143, attempts: 1 })
    expect(await run({ job: 'nightly' })).toMatchObject({
      kind: 'refused',
      claim: { why: 'waiting', until: '2026-01-05T14:00:00.500Z' },
    })
  })
})

test('incident 5: 7,000 ticks against a lapsed login start the job once and write nothing each', async () => {
  const tick = (ops: RunDeps['ops']) => run({ job: 'nightly', command: script('process.exit(1)') }, { ops })
  expect(await tick(whoseFirstJobMeets(lapse))).toMatchObject({ kind: 'halted', why: 'session-expired', attempts: 1 })
  await bench.engine.flush()
  const before = { batches: bench.store.batches.length, audit: bench.store.rows.length }
  for (let i = 1; i < 7_000; i++) {
    await bench.clock.advance(3 * 60_000)
    expect(await tick(bench.ops)).toMatchObject({ kind: 'halted', why: 'session-expired', attempts: 0 })
  }
  expect(starts()).toHaveLength(1)
  expect({ batches: bench.store.batches.length, audit: bench.store.rows.length }).toEqual(before)
  expect(notes).toEqual([])
  await bench.engine.renewCredential('work', 'login', () => [], 'operator:test')
  expect(await run({ job: 'nightly' })).toMatchObject({ kind: 'exited', code: 0 })
})
