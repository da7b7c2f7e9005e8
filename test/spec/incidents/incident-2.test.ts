import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { type Ending, jobDefaults, processDeps, type RunNote, runJob } from '../../../internal/guard/guard.ts'
import { Program, type Served } from '../../fakes/rig/program.ts'
import { answer, type FakeUpstream, fakeUpstream } from '../../fakes/upstream/upstream.ts'

/*
 * Incident 2: the dead token that filled the disk. What the proxy does with the requests of such a storm is told in
 * test/fault/storm.test.ts; this is the half that happens around it.
 */
const full = process.env.SPILLWAY_FULL === '1'
const backlog = full ? 10_000 : 2_000
const revoked = answer(401, {}, { error: { message: 'Incorrect API key provided', code: 'invalid_api_key' } })
const minute = 60_000

let program: Program
let upstream: FakeUpstream
let served: Served
let sessions = ''

beforeEach(async () => {
  program = new Program()
  upstream = await fakeUpstream()
  sessions = program.beside('sessions')
  for (const folder of [program.data, sessions]) mkdirSync(folder, { mode: 0o700 })
})

afterEach(async () => {
  served?.process.kill('SIGKILL')
  await served?.ended
  program.close()
  await upstream.close()
})

/** A daemon whose pool `codex` has one key, and directories with budgets. */
async function start(budgets: Record<string, object> = {}): Promise<void> {
  writeFileSync(join(program.data, 'spillway.yaml'), stringify({ guard: { budgets }, pools: { maxWaitMs: 0 } }))
  served = await program.serve()
  const { ops } = program
  await ops.credAdd({ name: 'work', provider: 'openai', source: { kind: 'vault', secret: 'sk-work' } })
  await ops.poolCreate({ name: 'codex', provider: 'openai', members: ['work'], upstream: upstream.url })
}

/** One request of an agent. */
async function ask(): Promise<number> {
  const { variables } = await program.ops.env({ name: 'codex' })
  const { value = '' } = variables.find(({ name }) => name.endsWith('API_KEY')) ?? {}
  const response = await fetch(`${served.origin}/codex/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${value}` },
    body: '{}',
  })
  await response.text()
  return response.status
}

/** The key is revoked, and somebody has noticed. */
async function tokenDies(): Promise<void> {
  upstream.on('sk-work').always(revoked)
  await ask()
  const verdict = async () => (await program.ops.poolCheck({ name: 'codex' })).verdict
  await expect.poll(verdict).toBe('needs-person')
}

/** A job that leaves a session file at each start, as `spillway run` would run it. */
async function job(more: { budgets?: string[] } = {}): Promise<Ending> {
  const script = `require('fs').writeFileSync(${JSON.stringify(sessions)} + '/' + process.pid, 'x'.repeat(1000))`
  return runJob(
    {
      pool: 'codex',
      job: null,
      ...jobDefaults,
      budgets: more.budgets ?? [],
      hotPaths: [],
      waitReset: false,
      command: [process.execPath, '-e', script],
      cwd: program.beside(''),
      env: { PATH: process.env.PATH },
      terminal: false,
    },
    { ...processDeps(), ops: program.ops, stdio: 'ignore', tell: (_: RunNote) => undefined },
  )
}

/** Makes session files that were written so many minutes before or after an instant. */
function written(names: readonly string[], at: number): void {
  for (const [index, name] of names.entries()) {
    const path = join(sessions, name)
    writeFileSync(path, Buffer.alloc(1000))
    utimesSync(path, (at + index) / 1000, (at + index) / 1000)
  }
}

const names = (prefix: string, count: number) => Array.from({ length: count }, (_, index) => `${prefix}${index}.jsonl`)
const dataBytes = () =>
  readdirSync(program.data).reduce((sum, name) => sum + statSync(join(program.data, name)).size, 0)
const firstErrorAt = async () => Date.parse((await program.ops.guardFrame({})).breakers[0]?.firstError?.at ?? '')

describe('incident 2, rule 1: the breaker opens before anything is started or written', () => {
  it(`a backlog of ${backlog.toLocaleString('en')} jobs against a dead login starts none, writes nothing, and says one sentence`, async () => {
    await start({ sessions: { path: sessions, maxFiles: 1_000, pool: 'codex' } })
    await tokenDies()
    const said = await program.run(['run', '--pool', 'codex', '--', 'touch', join(sessions, 'started')])
    expect(said.code).toBe(77)
    expect(said.stderr.trim().split('\n')).toEqual([
      expect.stringMatching(/^spillway: run: halted \(disabled\): codex needs a person/),
    ])
    const [bytes, rows, requests] = [dataBytes(), (await program.ops.auditList({})).length, upstream.requests.length]
    const endings = new Set<string>()
    for (let done = 0; done < backlog; done += 20)
      for (const ending of await Promise.all(Array.from({ length: 20 }, () => job())))
        endings.add(`${ending.kind} ${'why' in ending ? ending.why : ''}`)
    expect([...endings]).toEqual(['halted disabled'])
    expect(readdirSync(sessions)).toEqual([])
    expect((await program.ops.auditList({})).length).toBe(rows)
    expect(dataBytes()).toBe(bytes)
    expect(upstream.requests.length).toBe(requests)
  }, 120_000)
})

describe('incident 2, rule 2: half-open, one job tries', () => {
  it('of forty jobs that wait for the end of a cooldown exactly one is started', async () => {
    await start()
    upstream.on('sk-work').always(answer(429, { 'retry-after': '1' }, { error: { code: 'rate_limit_exceeded' } }))
    await ask()
    const verdict = async () => (await program.ops.poolCheck({ name: 'codex' })).verdict
    await expect.poll(verdict).toBe('can-serve')
    const endings = await Promise.all(Array.from({ length: 40 }, () => job()))
    expect(endings.filter(({ kind }) => kind === 'exited')).toHaveLength(1)
    expect(endings.filter((each) => each.kind === 'not-admitted' && each.why.verdict === 'half-open')).toHaveLength(39)
    expect(readdirSync(sessions)).toHaveLength(1)
  }, 60_000)
})

describe('incident 2, rule 3: directories that jobs fill have a budget, enforced before a job starts', () => {
  it('over its budget, with `report`, nothing is started, nothing is deleted, and one sentence says why', async () => {
    await start({ sessions: { path: sessions, maxFiles: 5, pool: 'codex' } })
    written(names('old', 6), Date.now() - 60 * minute)
    const { code, stderr, stdout } = await program.run([
      'run',
      '--pool',
      'codex',
      '--',
      'touch',
      join(sessions, 'started'),
    ])
    expect([code, stdout]).toEqual([75, ''])
    expect(stderr).toMatch(
      /^spillway: run: over budget: sessions \(.*sessions\) holds 5\.9 KiB in 6 files, over maxFiles; nothing was started\n$/,
    )
    expect(readdirSync(sessions)).toHaveLength(6)
  }, 60_000)

  it('a budget that only the job names counts, too, and an unknown one is refused', async () => {
    await start({ sessions: { path: sessions, maxFiles: 0 } })
    expect(await job()).toMatchObject({ kind: 'exited', code: 0 })
    expect(await job({ budgets: ['sessions'] })).toMatchObject({
      kind: 'not-admitted',
      why: { verdict: 'over-budget' },
    })
    const unknown = await program.run(['run', '--pool', 'codex', '--budget', 'session', '--', 'true'])
    expect([unknown.code, unknown.stderr]).toEqual([
      3,
      'spillway: error: no budget named session; did you mean sessions?\n',
    ])
  }, 60_000)

  it('with `prune` the oldest go first, and the job starts', async () => {
    await start({ sessions: { path: sessions, maxFiles: 3, action: 'prune', pool: 'codex' } })
    written(names('old', 6), Date.now() - 60 * minute)
    expect(await job()).toMatchObject({ kind: 'exited', code: 0 })
    expect(readdirSync(sessions).filter((name) => name.startsWith('old'))).toEqual([
      'old3.jsonl',
      'old4.jsonl',
      'old5.jsonl',
    ])
  }, 60_000)
})

describe('incident 2, rule 4: the first evidence is preserved', () => {
  it('the first files since the first error are never deleted, whatever else is', async () => {
    await start({ sessions: { path: sessions, maxFiles: 4, keepFirst: 3, action: 'prune', pool: 'codex' } })
    await tokenDies()
    const at = await firstErrorAt()
    written(names('before', 4), at - 10 * minute)
    written(names('since', 8), at + 1_000)
    const [done] = await program.ops.guardEnforce({ name: 'sessions' })
    // The daemon's own look may have come first: then there is nothing left to prune.
    expect(done).toMatchObject({ over: false, files: 4 })
    expect(readdirSync(sessions).sort()).toEqual(['since0.jsonl', 'since1.jsonl', 'since2.jsonl', 'since7.jsonl'])
  }, 60_000)
})

describe('incident 2, rule 5: one alert tells the first error, the path, its growth, and when the disk is full', () => {
  it('it begins once, repeats are no rows, and it ends when growth is normal', async () => {
    await start({ sessions: { path: sessions, maxFiles: 10_000, pool: 'codex' } })
    await tokenDies()
    const at = await firstErrorAt()
    written(names('before', 2), at - 500)
    written(names('since', 76), at + 10)
    // As much time before the error as since then.
    await expect.poll(() => Date.now() - at).toBeGreaterThan(1_500)
    const kinds = async () =>
      (await program.ops.auditList({})).map(({ kind }) => kind).filter((kind) => kind.startsWith('budget'))
    for (let times = 0; times < 3; times++) await program.ops.guardEnforce({ name: 'sessions' })
    expect(await kinds()).toEqual(['budget_filling'])
    const [row] = await program.ops.auditList({ kind: 'budget_filling' })
    expect(row).toMatchObject({
      pool: 'codex',
      from: 'sessions',
      detail: { multiplier: 38, cause: 'disabled', errorAt: at },
    })
    const { incidents } = await program.ops.status({})
    expect(incidents.filter(({ kind }) => kind === 'budget_filling')).toMatchObject([
      { pool: 'codex', subject: 'sessions' },
    ])
    for (const name of readdirSync(sessions)) utimesSync(join(sessions, name), at / 1000 - 7_200, at / 1000 - 7_200)
    await program.ops.guardEnforce({ name: 'sessions' })
    expect(await kinds()).toEqual(['budget_filling', 'budget_calm'])
  }, 60_000)
})

describe('incident 2, rule 6: evidence is read-only, and shows names and sizes only', () => {
  it('tells growth and multiplier against the time before the first error, as JSON, table and Markdown', async () => {
    await start({ sessions: { path: sessions, match: '**/*.jsonl', maxFiles: 1_000, pool: 'codex' } })
    await tokenDies()
    const at = await firstErrorAt()
    written(names('before', 2), at - 500)
    written(names('since', 76), at + 10)
    writeFileSync(join(sessions, 'secret.jsonl'), 'sk-live-do-not-show')
    writeFileSync(join(sessions, 'other.txt'), 'not of the budget')
    utimesSync(join(sessions, 'secret.jsonl'), (at - 86_400_000) / 1000, (at - 86_400_000) / 1000)
    await expect.poll(() => Date.now() - at).toBeGreaterThan(1_500)
    const { stdout, code } = await program.run(['guard', 'evidence', '--json'])
    const found = JSON.parse(stdout)
    expect(code).toBe(0)
    expect(found.paths).toMatchObject([{ path: sessions, files: 79, filesPerHour: 78, multiplier: 38 }])
    expect(found.paths[0].sample[0]).toMatchObject({ path: join(sessions, 'since0.jsonl'), bytes: 1000 })
    expect(found.paths[0].largest).toHaveLength(5)
    expect(found.breaker).toMatchObject({
      pool: 'codex',
      state: 'open',
      firstError: { at: new Date(at).toISOString(), status: 401 },
    })
    expect(found.disk.freeBytes).toBeGreaterThan(0)
    const markdown = await program.run(['guard', 'evidence', '--markdown', '--since', '2h'])
    expect(markdown.stdout).toContain('| path | files | size |')
    const table = await program.run(['guard', 'evidence', sessions])
    for (const text of [stdout, markdown.stdout, table.stdout]) expect(text).not.toContain('sk-live')
  }, 60_000)

  it('opens nothing for writing, and removes, renames and changes nothing (strace)', async (test) => {
    test.skip(spawnSync('strace', ['-V']).error !== undefined, 'strace is not installed')
    await start({ sessions: { path: sessions, maxFiles: 10, pool: 'codex' } })
    written(names('old', 20), Date.now() - minute)
    const log = program.beside('strace')
    const calls =
      'open,openat,openat2,creat,unlink,unlinkat,rename,renameat,renameat2,mkdir,mkdirat,rmdir,truncate,ftruncate,chmod,fchmod,fchmodat,utimensat,link,linkat,symlink,symlinkat'
    const traced = spawnSync(
      'strace',
      [
        '-f',
        '-qq',
        '-e',
        `trace=${calls}`,
        '-o',
        log,
        process.execPath,
        'dist/cmd/spillway/main.js',
        '--data',
        program.data,
        'guard',
        'evidence',
        '--json',
      ],
      { encoding: 'utf8', env: { PATH: process.env.PATH, HOME: process.env.HOME, NODE_COMPILE_CACHE: '' } },
    )
    if (traced.status !== 0)
      test.skip(/ptrace|Operation not permitted/.test(traced.stderr), 'strace may not trace here')
    expect(JSON.parse(traced.stdout).paths).toMatchObject([{ files: 20 }])
    const lines = readFileSync(log, 'utf8').split('\n')
    expect(lines.filter((line) => line.includes(sessions)).length).toBeGreaterThan(0)
    const changes = lines.filter(
      (line) =>
        /O_WRONLY|O_RDWR|O_CREAT|O_TRUNC/.test(line) ||
        (/^\d+ +(?!open)\w+\(/.test(line) && !/^\d+ +(exit|\+\+\+|---)/.test(line)),
    )
    expect(changes.filter((line) => !/"\/dev\/(null|tty)"/.test(line))).toEqual([])
  }, 60_000)
})

describe('incident 2, rule 7: a reserve of free disk, below which optional writes stop and say so', () => {
  it('is told once, by the doctor and as an incident', async () => {
    writeFileSync(join(program.data, 'spillway.yaml'), stringify({ disk: { reserveBytes: '64TiB' } }))
    served = await program.serve()
    const incidents = async () => (await program.ops.status({})).incidents.map(({ kind }) => kind)
    await expect.poll(incidents).toEqual(['store_trouble'])
    const [row] = await program.ops.auditList({ kind: 'store_trouble' })
    expect(JSON.stringify(row)).toMatch(/less than the reserve of 64 TiB: counts of repeats are not written/)
    const disk = (await program.ops.doctor({})).find(({ check }) => check === 'disk')
    expect(disk).toMatchObject({ state: 'fail', hint: expect.stringContaining('optional writes stop') })
  }, 60_000)
})
