import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Installation, installation } from '../../fakes/rig/installation.ts'
import { Program } from '../../fakes/rig/program.ts'
import { type } from '../../fakes/rig/terminal.ts'
import { answer } from '../../fakes/upstream/upstream.ts'

const limited = answer(429, { 'retry-after': '90' }, { error: { message: 'slow', code: 'rate_limit_exceeded' } })

let spillway: Installation

beforeAll(async () => {
  spillway = await installation({ config: { 'pools.maxWaitMs': '0' } })
  await spillway.pool('openai', ['a', 'b', 'c'])
  await spillway.ops.poolPark({ name: 'openai', member: 'c', forMs: 600_000 })
  await spillway.ask()
  spillway.upstream.on('sk-a').once(limited)
  await spillway.ask()
  await spillway.daemon.core.engine.flush()
})

afterAll(() => spillway.close())

async function json(...args: string[]) {
  const { code, stdout, stderr } = await type(spillway, [...args, '--json'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return JSON.parse(stdout)
}

const instant = (ms: number) => new Date(spillway.clock.now() + ms).toISOString()
const rfc3339 = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/)

describe('pool status NAME --json', () => {
  it('has every field of the contract, and instants as RFC 3339 strings', async () => {
    expect(await json('pool', 'status', 'openai')).toMatchObject({
      name: 'openai',
      provider: 'openai',
      strategy: 'sticky',
      active: 'b',
      exhausted: false,
      retryAt: null,
      members: [
        {
          name: 'a',
          position: 1,
          health: { state: 'cooling', reason: 'rate-limited', since: instant(0), until: instant(90_000) },
          park: null,
          active: false,
          inFlight: 0,
          lastUsedAt: instant(0),
          requests: 2,
          failures: 1,
          scoped: [],
        },
        {
          name: 'b',
          position: 2,
          health: { state: 'healthy', reason: null, since: null, until: null },
          park: null,
          active: true,
          inFlight: 0,
          lastUsedAt: instant(0),
          requests: 1,
          failures: 0,
          scoped: [],
        },
        {
          name: 'c',
          position: 3,
          health: { state: 'healthy' },
          park: { until: instant(600_000), by: 'operator:cli' },
          active: false,
          lastUsedAt: null,
          requests: 0,
        },
      ],
    })
  })

  it('is an array of the same without a name, and so is pool list', async () => {
    const one = await json('pool', 'status', 'openai')
    expect(await json('pool', 'status')).toEqual([one])
    expect(await json('pool', 'list')).toEqual([one])
  })

  it('shows an exhausted pool with nobody active and when it recovers', async () => {
    await spillway.pool('short', ['d'])
    spillway.upstream.on('sk-d').once(limited)
    await spillway.ask('short')
    expect(await json('pool', 'status', 'short')).toMatchObject({
      active: null,
      exhausted: true,
      retryAt: instant(90_000),
    })
    await spillway.ops.poolClear({ name: 'short', member: 'd' })
  })
})

describe('status --json', () => {
  it('has the version, the start, the pools and the incidents', async () => {
    const pool = await json('pool', 'status', 'openai')
    expect(await json('status')).toMatchObject({
      version: '0.0.0-test',
      node: process.versions.node,
      fastPath: true,
      startedAt: rfc3339,
      pools: [pool, { name: 'short' }],
      incidents: [],
      replicas: [],
    })
    await spillway.daemon.core.engine.needsLogin('c', 1, 'refresh-rejected')
    await spillway.daemon.core.engine.flush()
    await spillway.advance(0)
    expect((await json('status')).incidents).toMatchObject([
      { kind: 'cred_needs_login', subject: 'c', reason: 'refresh-rejected', openedAt: rfc3339, count: 1 },
    ])
    await spillway.ops.credEnable({ name: 'c' })
  })
})

describe('audit list --json', () => {
  it('has every field of the contract in each row, seq ascending', async () => {
    const rows = await json('audit', 'list')
    const seqs = rows.map(({ seq }: { seq: number }) => seq)
    expect(seqs).toEqual([...seqs].sort((one, other) => one - other))
    for (const row of rows) {
      expect(row).toMatchObject({
        seq: expect.any(Number),
        at: rfc3339,
        kind: expect.any(String),
        actor: expect.any(String),
        suppressed: expect.any(Number),
        hash: expect.stringMatching(/^[0-9a-f]{64}$/),
      })
      for (const field of ['pool', 'from', 'to', 'reason']) expect(row).toHaveProperty(field)
    }
    expect(rows.find(({ kind }: { kind: string }) => kind === 'cred_failover')).toMatchObject({
      pool: 'openai',
      from: 'a',
      to: 'b',
      reason: 'rate-limited',
      actor: 'spillway',
      suppressed: 0,
    })
  })

  it('can be narrowed by kind, pool, time and number', async () => {
    expect(await json('audit', 'list', '--kind', 'cred_failover')).toHaveLength(1)
    expect(await json('audit', 'list', '--pool', 'short', '--kind', 'pool_rotated')).toEqual([])
    expect(await json('audit', 'list', '-n', '2')).toHaveLength(2)
    expect(await json('audit', 'list', '--since', '2020-01-01')).not.toHaveLength(0)
  })

  it('is audit export, row by row, with the model that the detail of a row names', async () => {
    const { stdout } = await type(spillway, ['audit', 'export', '--format', 'jsonl'])
    const exported = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    const listed = exported.map((row) => ({ ...row, model: row.detail.model ?? null }))
    expect(await json('audit', 'list', '-n', '1000')).toEqual(listed)
  })
})

describe('key create --json', () => {
  it('has the name and the bare key, which works at once and is shown nowhere else', async () => {
    const made = await json('key', 'create', 'ci', '--pools', 'openai')
    expect(made).toMatchObject({ name: 'ci', key: expect.stringMatching(/^\S{20,}$/) })
    const headers = { authorization: `Bearer ${made.key}` }
    expect((await spillway.send('/openai/v1/models', { headers })).status).toBe(200)
    expect(JSON.stringify(await json('key', 'list'))).not.toContain(made.key)
  })

  it('prints nothing but the bare key without --json', async () => {
    const { stdout } = await type(spillway, ['key', 'create', 'bare'])
    expect(stdout).toMatch(/^\S+\n$/)
    const headers = { authorization: `Bearer ${stdout.trim()}` }
    expect((await spillway.send('/openai/v1/models', { headers })).status).toBe(200)
  })
})

describe('exit codes', () => {
  it.each([
    { name: 'check of a pool that can serve', args: ['check', 'openai'], code: 0 },
    { name: 'status of an unknown pool', args: ['pool', 'status', 'nothing'], code: 3 },
    { name: 'a wrong flag', args: ['pool', 'list', '--nothing'], code: 2 },
    { name: 'a refused removal', args: ['cred', 'remove', 'a'], code: 4 },
    { name: 'an unpark of what is not parked', args: ['pool', 'unpark', 'openai', 'b'], code: 0 },
  ])('exits $code: $name', async ({ args, code }) => {
    expect((await type(spillway, args)).code).toBe(code)
  })

  it('75 and 77 for pools that cannot serve', async () => {
    await spillway.pool('cooling', ['e'])
    spillway.upstream.on('sk-e').once(limited)
    await spillway.ask('cooling')
    const cooling = await type(spillway, ['check', 'cooling'])
    expect(cooling.code).toBe(75)
    expect(cooling.stdout).toContain('cooling')
    await spillway.pool('closed', ['f'])
    await spillway.ops.credDisable({ name: 'f' })
    const closed = await type(spillway, ['check', 'closed'])
    expect(closed.code).toBe(77)
    expect(`${closed.stdout}${closed.stderr}`).toContain('spillway cred enable f')
  })
})

describe('without a daemon', () => {
  const program = new Program()

  beforeAll(async () => {
    await program.run(['cred', 'add', 'work', '--provider', 'openai', '--no-check'], { input: 'sk-work\n' })
    await program.run(['pool', 'create', 'openai', '--provider', 'openai', '--members', 'work'])
  })
  afterAll(() => program.close())

  it('pool status has the same shape, with null for what only a live process knows', async () => {
    const { stdout, code } = await program.run(['pool', 'status', 'openai', '--json'])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      name: 'openai',
      active: 'work',
      exhausted: false,
      retryAt: null,
      members: [{ name: 'work', inFlight: null, requests: null, failures: null, health: { state: 'healthy' } }],
    })
  })

  it('status says that nothing runs', async () => {
    expect(JSON.parse((await program.run(['status', '--json'])).stdout)).toMatchObject({ startedAt: null })
  })
})
