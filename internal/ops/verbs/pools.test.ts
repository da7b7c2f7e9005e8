import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { addCredentials, type Bench, startBench } from '../../../test/fakes/rig/operations.ts'
import { limited } from '../../../test/fakes/rig/records.ts'
import type { Ops } from '../ops.ts'

let bench: Bench
let ops: Ops

beforeEach(async () => {
  bench = await startBench()
  ops = bench.ops
  await addCredentials(ops, ['a', 'b', 'c'])
  await addCredentials(ops, ['claude'], 'anthropic')
  await ops.poolCreate({ name: 'openai', provider: 'openai', members: ['a', 'b'] })
})
afterEach(() => bench.stop())

describe('the status of a pool', () => {
  test('has the shape that scripts rely on', async () => {
    bench.attempt('openai')
    bench.attempt('openai', limited)
    expect(await ops.poolStatus({ name: 'openai' })).toEqual({
      name: 'openai',
      provider: 'openai',
      shape: 'openai',
      strategy: 'sticky',
      upstream: null,
      maxWaitMs: null,
      onExhausted: null,
      preemptAt: null,
      affinity: null,
      probePath: null,
      active: 'b',
      activeFor: [],
      cachedShare: null,
      forecast: {
        name: 'openai',
        at: '2026-01-05T14:00:00.000Z',
        state: 'unknown',
        dryAt: null,
        reliefAt: null,
        reliefMember: null,
        until: null,
        burnPercentPerHour: null,
        basis: { fromAt: null, samples: 0 },
        keys: [],
      },
      exhausted: false,
      retryAt: null,
      unreachable: null,
      members: [
        {
          name: 'a',
          position: 1,
          weight: 1,
          tier: 1,
          maxInFlight: null,
          caps: {},
          cappedUntil: null,
          domain: null,
          host: 'api.openai.com',
          reachable: true,
          health: {
            state: 'cooling',
            reason: 'rate-limited',
            since: '2026-01-05T14:00:00.000Z',
            until: '2026-01-05T14:01:00.000Z',
            by: null,
          },
          park: null,
          active: false,
          inFlight: 0,
          lastUsedAt: '2026-01-05T14:00:00.000Z',
          requests: 2,
          failures: 1,
          scoped: [],
          usage: [],
          command: null,
        },
        {
          name: 'b',
          position: 2,
          weight: 1,
          tier: 1,
          maxInFlight: null,
          caps: {},
          cappedUntil: null,
          domain: null,
          host: 'api.openai.com',
          reachable: true,
          health: { state: 'healthy', reason: null, since: null, until: null, by: null },
          park: null,
          active: true,
          inFlight: 0,
          lastUsedAt: null,
          requests: 0,
          failures: 0,
          scoped: [],
          usage: [],
          command: null,
        },
      ],
    })
  })

  test('says null for what only a live process counts when none runs', async () => {
    await bench.engine.flush()
    const offline = await startBench({ store: bench.store, clock: bench.clock, offline: true })
    const [member] = (await offline.ops.poolStatus({ name: 'openai' })).members
    expect(member).toMatchObject({ name: 'a', active: true, inFlight: null, requests: null, failures: null })
    await offline.stop()
  })

  test('says when an exhausted pool recovers, and that nobody is active', async () => {
    bench.attempt('openai', limited)
    await bench.clock.advance(5_000)
    bench.attempt('openai', limited)
    expect(await ops.poolStatus({ name: 'openai' })).toMatchObject({
      active: null,
      exhausted: true,
      retryAt: '2026-01-05T14:01:00.000Z',
    })
  })

  test('shows a limit of one model beside a healthy member', async () => {
    bench.attempt('openai', {
      ...limited,
      reason: 'model-quota',
      scope: 'model',
      model: 'opus',
      until: bench.clock.now() + 9_000,
    })
    expect((await ops.poolStatus({ name: 'openai' })).members[0]).toMatchObject({
      health: { state: 'healthy' },
      scoped: [{ model: 'opus', reason: 'model-quota', until: '2026-01-05T14:00:09.000Z' }],
    })
  })

  test('no longer shows a park that is over', async () => {
    await ops.poolPark({ name: 'openai', member: 'a', forMs: 60_000 })
    expect((await ops.poolStatus({ name: 'openai' })).members[0]?.park).toEqual({
      since: '2026-01-05T14:00:00.000Z',
      until: '2026-01-05T14:01:00.000Z',
      by: 'operator:test',
    })
    await bench.clock.advance(60_000)
    expect((await ops.poolStatus({ name: 'openai' })).members[0]?.park).toBeNull()
  })
})

describe('a pool is refused', () => {
  const create = { name: 'new', provider: 'openai', members: ['a'] }
  test.each<[string, Parameters<Ops['poolCreate']>[0], { code: string; message: string; hint?: unknown }]>([
    [
      'with a name that is taken',
      { ...create, name: 'openai' },
      { code: 'conflict', message: 'there is a pool named openai already' },
    ],
    [
      'with a reserved name',
      { ...create, name: 'healthz' },
      { code: 'invalid', message: 'healthz is reserved and cannot be the name of a pool' },
    ],
    ...['readyz', 'metrics', 'admin', 'v1', 'v1beta', 'v2alpha1'].map(
      (name): [string, typeof create, { code: string; message: string }] => [
        `with the name of a path: ${name}`,
        { ...create, name },
        { code: 'invalid', message: `${name} is reserved and cannot be the name of a pool` },
      ],
    ),
    [
      'with a slash in its name',
      { ...create, name: 'a/b' },
      { code: 'invalid', message: '"a/b" cannot be the name of a pool' },
    ],
    [
      'with a name that begins with a dot',
      { ...create, name: '..' },
      { code: 'invalid', message: '".." cannot be the name of a pool' },
    ],
    [
      'with a misspelt provider',
      { ...create, provider: 'opnai' },
      { code: 'invalid', message: '"opnai" is not a provider; did you mean openai?' },
    ],
    [
      'with a misspelt strategy',
      { ...create, strategy: 'stiky' },
      { code: 'invalid', message: '"stiky" is not a strategy; did you mean sticky?' },
    ],
    [
      'with a member that does not exist',
      { ...create, members: ['zzzzzz'] },
      { code: 'not-found', message: 'no credential named zzzzzz', hint: 'there are a, b, c and claude' },
    ],
    [
      'with a misspelt member',
      { ...create, members: ['claud'] },
      { code: 'not-found', message: 'no credential named claud; did you mean claude?' },
    ],
    [
      'with a member of another provider',
      { ...create, members: ['a', 'claude'] },
      { code: 'invalid', message: 'claude is a credential of anthropic and cannot be in new, a pool of openai' },
    ],
    ['with a member named twice', { ...create, members: ['a', 'a'] }, { code: 'invalid', message: 'a is named twice' }],
    [
      'with an upstream in a private network',
      { ...create, upstream: 'http://10.0.0.1' },
      { code: 'invalid', message: '10.0.0.1 is a private or link-local address' },
    ],
  ])('%s', async (_name, args, refusal) => {
    await expect(ops.poolCreate(args)).rejects.toMatchObject(refusal)
    expect(await ops.poolList({})).toHaveLength(1)
  })

  test('when nobody names an upstream that the provider lacks', async () => {
    await addCredentials(ops, ['g'], 'generic')
    await expect(ops.poolCreate({ name: 'new', provider: 'generic', members: ['g'] })).rejects.toMatchObject({
      code: 'invalid',
      message: 'generic has no upstream of its own, and g names none',
      hint: 'give the pool one with --upstream URL, or the credential one with --base-url URL',
    })
    await ops.poolCreate({ name: 'new', provider: 'generic', members: ['g'], upstream: 'http://127.0.0.1:9/v1/' })
    expect(await ops.poolStatus({ name: 'new' })).toMatchObject({ upstream: 'http://127.0.0.1:9/v1', active: 'g' })
    await expect(ops.poolSet({ name: 'new', set: { upstream: null } })).rejects.toMatchObject({ code: 'invalid' })
  })

  test('with the near name when a misspelt one is looked up', async () => {
    await expect(ops.poolStatus({ name: 'opnai' })).rejects.toMatchObject({
      code: 'not-found',
      message: 'no pool named opnai; did you mean openai?',
    })
  })
})

describe('the settings of a pool', () => {
  test('are read from text, and put back with default', async () => {
    const set = {
      strategy: 'weighted',
      maxWaitMs: '30s',
      onExhausted: 'degrade',
      preemptAt: '95%',
      probePath: '/v1/models',
    }
    expect(await ops.poolSet({ name: 'openai', set })).toMatchObject({
      strategy: 'weighted',
      maxWaitMs: 30_000,
      onExhausted: 'degrade',
      preemptAt: 95,
      probePath: '/v1/models',
    })
    expect(await ops.poolSet({ name: 'openai', set: { maxWaitMs: '1h' } })).toMatchObject({ maxWaitMs: 3_600_000 })
    const back = Object.fromEntries(Object.keys(set).map((key) => [key, 'default']))
    expect(await ops.poolSet({ name: 'openai', set: back })).toMatchObject({
      strategy: 'sticky',
      maxWaitMs: null,
      onExhausted: null,
      preemptAt: null,
      affinity: null,
      probePath: null,
    })
  })

  test.each<[string, Record<string, string>, string]>([
    ['an unknown key', { stratgy: 'sticky' }, '"stratgy" is not a setting of a pool; did you mean strategy?'],
    ['a wait that is no time', { maxWaitMs: 'soon' }, 'maxWaitMs is a time from 0 to 1h, not "soon"'],
    [
      'a wait longer than the configuration allows',
      { maxWaitMs: '61m' },
      'maxWaitMs is a time from 0 to 1h, not "61m"',
    ],
    ['a wait of a day', { maxWaitMs: '1d' }, 'maxWaitMs is a time from 0 to 1h, not "1d"'],
    ['more than 100 %', { preemptAt: '101' }, 'preemptAt is a percentage from 1 to 100, not "101"'],
    ['no percentage at all', { preemptAt: 'off' }, 'preemptAt is a percentage from 1 to 100, not "off"'],
    ['a path with dot segments', { probePath: '/v1/../x' }, 'probePath is a path such as /v1/models, not "/v1/../x"'],
    ['a path that is none', { probePath: 'v1' }, 'probePath is a path such as /v1/models, not "v1"'],
    ['a wrong word', { onExhausted: 'rejet' }, '"rejet" is not a value of onExhausted; did you mean reject?'],
  ])('refuse %s and change nothing', async (_name, set, message) => {
    await expect(ops.poolSet({ name: 'openai', set: { ...set, strategy: 'ordered' } })).rejects.toMatchObject({
      code: 'invalid',
      message,
    })
    expect(await ops.poolStatus({ name: 'openai' })).toMatchObject({ strategy: 'sticky' })
  })
})

describe('members', () => {
  const order = async () => (await ops.poolStatus({ name: 'openai' })).members.map(({ name }) => name)

  test('come in at a position, leave, and change places', async () => {
    await ops.poolAdd({ name: 'openai', member: 'c', position: 1, weight: 3 })
    expect(await order()).toEqual(['c', 'a', 'b'])
    expect((await ops.poolStatus({ name: 'openai' })).members[0]).toMatchObject({ position: 1, weight: 3 })
    await ops.poolReorder({ name: 'openai', members: ['b', 'c', 'a'] })
    expect(await order()).toEqual(['b', 'c', 'a'])
    await ops.poolDrop({ name: 'openai', member: 'c' })
    expect(await order()).toEqual(['b', 'a'])
  })

  test.each<[string, () => Promise<unknown>, { code: string; message: string }]>([
    [
      'that are in the pool already',
      () => ops.poolAdd({ name: 'openai', member: 'a' }),
      { code: 'conflict', message: 'a is in openai already' },
    ],
    [
      'of another provider',
      () => ops.poolAdd({ name: 'openai', member: 'claude' }),
      { code: 'invalid', message: 'claude is a credential of anthropic and cannot be in openai, a pool of openai' },
    ],
    [
      'that are left out of a new order',
      () => ops.poolReorder({ name: 'openai', members: ['b'] }),
      { code: 'invalid', message: 'the new order leaves out a' },
    ],
    [
      'that are named twice in a new order',
      () => ops.poolReorder({ name: 'openai', members: ['a', 'b', 'a'] }),
      { code: 'invalid', message: 'the new order names a member twice' },
    ],
    [
      'that are not there',
      () => ops.poolDrop({ name: 'openai', member: 'c' }),
      { code: 'not-found', message: 'no member of openai named c' },
    ],
  ])('%s are refused', async (_name, act, refusal) => {
    await expect(act()).rejects.toMatchObject(refusal)
    expect(await order()).toEqual(['a', 'b'])
  })

  test('are parked by a rotation, which says until when', async () => {
    expect(await ops.poolRotate({ name: 'openai' })).toEqual({
      pool: 'openai',
      from: 'a',
      to: 'b',
      until: '2026-01-05T14:05:00.000Z',
    })
    expect(await ops.poolStatus({ name: 'openai' })).toMatchObject({ active: 'b' })
    expect(await ops.poolRotate({ name: 'openai', to: 'a', forMs: 60_000 })).toMatchObject({
      from: 'b',
      to: 'a',
      until: '2026-01-05T14:01:00.000Z',
    })
  })

  test('cannot be rotated in a pool that has one', async () => {
    await ops.poolDrop({ name: 'openai', member: 'b' })
    await expect(ops.poolRotate({ name: 'openai' })).rejects.toMatchObject({ code: 'conflict' })
  })

  test('say whether unpark and clear changed anything', async () => {
    const a = { name: 'openai', member: 'a' }
    expect(await ops.poolPark(a)).toEqual({ pool: 'openai', member: 'a', until: null })
    expect(await ops.poolUnpark(a)).toMatchObject({ changed: true })
    expect(await ops.poolUnpark(a)).toMatchObject({ changed: false })
    expect(await ops.poolClear(a)).toMatchObject({ changed: false })
    bench.attempt('openai', limited)
    expect(await ops.poolClear(a)).toMatchObject({ changed: true })
    expect((await ops.poolStatus({ name: 'openai' })).members[0]).toMatchObject({ health: { state: 'healthy' } })
  })
})

test('who did it is in the audit log', async () => {
  await bench.operations.as('operator:telegram:42').poolPark({ name: 'openai', member: 'a' })
  const rows = await ops.auditList({ kind: 'member_parked' })
  expect(rows).toMatchObject([{ kind: 'member_parked', pool: 'openai', from: 'a', actor: 'operator:telegram:42' }])
})

test('a pool of 10,000 members is made, changed and explained in seconds', async () => {
  const records = Array.from({ length: 10_000 }, (_, n) => ({ name: `m${n}`, provider: 'openai' }))
  const text = JSON.stringify({
    credentials: Object.fromEntries(records.map(({ name }) => [name, { provider: 'openai', source: { env: 'X' } }])),
  })
  const begun = performance.now()
  const members = records.map(({ name }) => name)
  await ops.apply({ text, file: 'large.yaml', folder: '/', dryRun: false })
  await ops.poolCreate({ name: 'large', provider: 'openai', members })
  await ops.poolSet({ name: 'large', set: { strategy: 'ordered' } })
  await ops.poolReorder({ name: 'large', members: members.toReversed() })
  expect(await ops.poolExplain({ name: 'large' })).toMatchObject({ serves: 'm9999' })
  expect(performance.now() - begun).toBeLessThan(30_000)
}, 120_000)

describe('a pool of a provider with several shapes', () => {
  const add = async (name: string, shape?: string) =>
    ops.credAdd({
      name,
      provider: 'zai',
      source: { kind: 'env', variable: 'KEY' },
      ...(shape === undefined ? {} : { shape }),
    })

  test('speaks the shape that it is given, that its members are for, or the provider’s own', async () => {
    await add('any')
    await add('messages', 'anthropic')
    expect(await ops.poolCreate({ name: 'p', provider: 'zai', members: ['any'] })).toMatchObject({ shape: 'openai' })
    expect(await ops.poolCreate({ name: 'q', provider: 'zai', members: ['any', 'messages'] })).toMatchObject({
      shape: 'anthropic',
    })
    const given = { name: 'r', provider: 'zai', shape: 'anthropic', members: ['any'] }
    expect(await ops.poolCreate(given)).toMatchObject({ shape: 'anthropic' })
  })

  test('refuses members that are for another, and shapes that the provider does not offer', async () => {
    await add('messages', 'anthropic')
    const openai = { name: 'p', provider: 'zai', shape: 'openai', members: ['messages'] }
    await expect(ops.poolCreate(openai)).rejects.toThrow('messages is for the shape anthropic')
    await expect(ops.poolCreate({ ...openai, shape: 'gemini' })).rejects.toThrow('zai has no API of the shape gemini')
  })
})
