import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Bench, startBench } from '../../test/fakes/rig/operations.ts'
import { limited } from '../../test/fakes/rig/records.ts'
import { type Ops, type VerbName, verbs } from './ops.ts'

describe('the table of verbs', () => {
  const rows = Object.entries(verbs)

  test('gives each verb a route of its own', () => {
    const routes = rows.map(([, { method, path }]) => `${method} ${path.replace(/:[a-z]+/g, ':')}`)
    expect(new Set(routes).size).toBe(routes.length)
  })

  test.each(rows)('%s: every part of its path is an argument', (_name, { path, args }) => {
    const parts = [...path.matchAll(/:([a-z]+)/g)].map(([, part]) => part)
    expect(Object.keys(args.shape)).toEqual(expect.arrayContaining(parts))
  })

  test('says which verbs answer with a secret', () => {
    expect(rows.filter(([, verb]) => 'secret' in verb).map(([name]) => name)).toEqual([
      'poolToken',
      'token',
      'keyCreate',
      'keyRotate',
      'keyShow',
      'env',
      'webLink',
    ])
  })
})

let bench: Bench
let ops: Ops

beforeEach(async () => {
  bench = await startBench()
  ops = bench.ops
})
afterEach(() => bench.stop())

describe('arguments', () => {
  const run = (name: VerbName, args: Record<string, unknown>) => bench.operations.run('operator:test', name, args)

  test.each<[string, VerbName, Record<string, unknown>, string]>([
    [
      'an unknown field, with the near one',
      'poolPark',
      { name: 'p', membr: 'a' },
      'member: is missing (text); unknown field membr, did you mean member?',
    ],
    ['a number out of range', 'poolPark', { name: 'p', member: 'a', forMs: 1 }, 'for: must be at least 1s'],
    ['a wrong type', 'credShow', { name: 7 }, 'name: must be text'],
    ['what is no object', 'poolSet', { name: 'p', set: 'x' }, 'set: must be names with their values'],
  ])('are refused for %s', async (_name, verb, args, message) => {
    await expect(run(verb, args)).rejects.toMatchObject({ code: 'invalid', message })
  })

  test('that come from a query may be text', async () => {
    expect(await run('auditList', { limit: '5' })).toEqual([])
    await expect(run('auditList', { limit: 'five' })).rejects.toMatchObject({ code: 'invalid' })
    await expect(run('auditList', { limit: '0' })).rejects.toMatchObject({ code: 'invalid' })
  })
})

describe('status', () => {
  test('is everything at a glance', async () => {
    expect(await ops.status({})).toEqual({
      version: '1.2.3',
      node: '24.22.3',
      fastPath: true,
      startedAt: '2026-01-05T14:00:00.000Z',
      origin: 'http://127.0.0.1:8460',
      pools: [],
      incidents: [],
      replicas: [],
    })
  })

  test('names the incidents that are open', async () => {
    const incident = {
      id: 'i1',
      kind: 'pool_exhausted',
      pool: 'openai',
      subject: null,
      reason: null,
      openedAt: bench.clock.now(),
      closedAt: null,
      count: 4,
      state: { telegram: { messageId: 9 } },
    }
    const closed = { ...incident, id: 'i2', closedAt: bench.clock.now() }
    for (const row of [incident, closed]) await bench.store.commit({ writes: [{ put: 'incident', row }], audit: [] })
    expect((await ops.status({})).incidents).toEqual([
      {
        id: 'i1',
        kind: 'pool_exhausted',
        pool: 'openai',
        subject: null,
        reason: null,
        openedAt: '2026-01-05T14:00:00.000Z',
        count: 4,
        text: null,
      },
    ])
  })

  test('has no beginning when no daemon runs, and nothing to reload', async () => {
    const offline = await startBench({ offline: true })
    expect(await offline.ops.status({})).toMatchObject({ startedAt: null, fastPath: null })
    await expect(offline.ops.reload({})).rejects.toMatchObject({ code: 'conflict' })
    await offline.stop()
  })
})

describe('the audit log', () => {
  beforeEach(async () => {
    await ops.credAdd({ name: 'a', provider: 'openai', source: { kind: 'vault', secret: 'sk-a' } })
    await ops.credAdd({ name: 'b', provider: 'openai', source: { kind: 'vault', secret: 'sk-b' } })
    await ops.poolCreate({ name: 'openai', provider: 'openai', members: ['a', 'b'] })
    await bench.clock.advance(3_600_000)
    bench.attempt('openai', limited)
    await bench.engine.flush()
  })

  test('gives the rows in the shape that scripts rely on', async () => {
    const rows = await ops.auditList({ pool: 'openai', kind: 'cred_cooled' })
    expect(rows).toEqual([
      {
        seq: expect.any(Number),
        at: '2026-01-05T15:00:00.000Z',
        kind: 'cred_cooled',
        pool: 'openai',
        from: 'a',
        to: null,
        reason: 'rate-limited',
        actor: expect.any(String),
        model: null,
        suppressed: 0,
        detail: expect.objectContaining({ scope: 'member' }),
        hash: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    ])
  })

  test.each([
    ['30m', 1],
    ['2h', 4],
    ['2026-01-05T14:30:00Z', 1],
    ['2026-01-05T16:30:00+02:00', 1],
    ['2026-01-05', 4],
  ])('since %s has %i rows', async (since, length) => {
    expect(await ops.auditList({ since })).toHaveLength(length)
  })

  test.each(['yesterday', '2026-01-05T14:30:00', '2026-13-01'])('refuses %s as a time', async (since) => {
    await expect(ops.auditList({ since })).rejects.toMatchObject({ code: 'invalid' })
  })

  test('is exported page by page', async () => {
    const first = await ops.auditExport({ limit: 3 })
    expect(first.map(({ seq }) => seq)).toEqual([1, 2, 3])
    const second = await ops.auditExport({ after: 3, limit: 3 })
    expect(second.map(({ seq }) => seq)).toEqual([4])
    expect(await ops.auditExport({ after: 4 })).toEqual([])
  })

  test('is verified by the store', async () => {
    expect(await ops.auditVerify({})).toMatchObject({ ok: true, rows: 4, head: { seq: 4 } })
  })
})
