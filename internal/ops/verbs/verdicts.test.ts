import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { addCredentials, type Bench, startBench } from '../../../test/fakes/rig/operations.ts'
import { limited } from '../../../test/fakes/rig/records.ts'

let bench: Bench

beforeEach(async () => {
  bench = await startBench()
  await addCredentials(bench.ops, ['a', 'b'])
  await bench.ops.poolCreate({ name: 'openai', provider: 'openai', members: ['a', 'b'] })
})
afterEach(() => bench.stop())

describe('explain', () => {
  test('says why one would serve and the others would not', async () => {
    bench.attempt('openai', limited)
    expect(await bench.ops.poolExplain({ name: 'openai' })).toEqual({
      pool: 'openai',
      model: null,
      serves: 'b',
      role: 'active',
      why: 'healthy and not parked',
      retryAt: null,
      members: [
        {
          name: 'a',
          serves: false,
          why: 'cooling',
          reason: 'rate-limited',
          until: '2026-01-05T14:01:00.000Z',
          command: null,
        },
        { name: 'b', serves: true, why: 'healthy and not parked', reason: null, until: null, command: null },
      ],
    })
  })

  test('looks at the model that is asked for', async () => {
    const until = bench.clock.now() + 9_000
    bench.attempt('openai', { ...limited, reason: 'model-quota', scope: 'model', model: 'opus', until })
    expect(await bench.ops.poolExplain({ name: 'openai', model: 'opus' })).toMatchObject({
      serves: 'b',
      members: [{ name: 'a', why: 'model', reason: 'model-quota', until: '2026-01-05T14:00:09.000Z' }, { name: 'b' }],
    })
    expect(await bench.ops.poolExplain({ name: 'openai', model: 'haiku' })).toMatchObject({ serves: 'a' })
  })
})

describe('check', () => {
  const check = () => bench.ops.poolCheck({ name: 'openai' })

  test('names who can serve', async () => {
    expect(await check()).toEqual({
      pool: 'openai',
      running: expect.any(Boolean),
      verdict: 'can-serve',
      member: 'a',
      retryAt: null,
      host: null,
      since: null,
      dryAt: null,
      people: [],
    })
  })

  test('prefers a parked healthy member to saying that nobody can', async () => {
    await bench.ops.poolPark({ name: 'openai', member: 'a' })
    bench.attempt('openai', limited)
    expect(await check()).toMatchObject({ verdict: 'can-serve', member: 'a' })
  })

  test('says when a cooling pool recovers and with whom', async () => {
    bench.attempt('openai', limited)
    await bench.clock.advance(5_000)
    bench.attempt('openai', limited)
    expect(await check()).toEqual({
      pool: 'openai',
      running: expect.any(Boolean),
      verdict: 'cooling',
      member: 'a',
      retryAt: '2026-01-05T14:01:00.000Z',
      host: null,
      since: null,
      dryAt: null,
      people: [],
    })
  })

  test('counts a pool that only degrades as cooling', async () => {
    await bench.ops.poolSet({ name: 'openai', set: { onExhausted: 'degrade' } })
    bench.attempt('openai', limited)
    bench.attempt('openai', limited)
    expect(await check()).toMatchObject({ verdict: 'cooling' })
  })

  test('says who must do what when only a person helps', async () => {
    await bench.ops.credDisable({ name: 'a' })
    await bench.engine.needsLogin('b', 1, 'refresh-rejected')
    expect(await check()).toEqual({
      pool: 'openai',
      running: expect.any(Boolean),
      verdict: 'needs-person',
      member: null,
      retryAt: null,
      host: null,
      since: null,
      dryAt: null,
      people: [
        { member: 'a', state: 'disabled', reason: 'operator', command: 'spillway cred enable a' },
        { member: 'b', state: 'needs-login', reason: 'refresh-rejected', command: 'spillway cred login b' },
      ],
    })
  })

  test('sends a person to the source of a secret that cannot be read', async () => {
    await bench.ops.credDisable({ name: 'a' })
    await bench.engine.needsLogin('b', 1, 'unreadable')
    expect((await check()).people[1]).toMatchObject({
      member: 'b',
      state: 'unreadable',
      reason: 'unreadable',
      command: 'spillway cred show b',
    })
  })

  test('sends a person to a pool without members', async () => {
    await bench.ops.poolDrop({ name: 'openai', member: 'a' })
    await bench.ops.poolDrop({ name: 'openai', member: 'b' })
    expect(await check()).toMatchObject({ verdict: 'needs-person', people: [] })
  })
})
