import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Installation, installation } from '../../fakes/rig/installation.ts'
import { answer } from '../../fakes/upstream/upstream.ts'

const limited = answer(
  429,
  {},
  { error: { message: 'Rate limit reached', type: 'requests', code: 'rate_limit_exceeded' } },
)

let spillway: Installation

beforeEach(async () => {
  spillway = await installation({ config: { 'pools.maxWaitMs': '0' } })
  await spillway.pool('openai', ['a', 'b'])
  await spillway.ask()
  await spillway.ops.poolRotate({ name: 'openai' })
  spillway.upstream.forget()
})

afterEach(() => spillway.close())

describe('a pool whose active member fails while the other is parked', () => {
  it('serves the request with the parked member in the same call, with one row and one failover', async () => {
    spillway.upstream.on('sk-b').always(limited)
    expect((await spillway.ask()).status).toBe(200)
    expect(spillway.upstream.served).toEqual(['sk-b', 'sk-a'])
    expect(await spillway.audit('cred_failover')).toMatchObject([{ from: 'b', to: 'a', reason: 'rate-limited' }])
  })

  it('goes on with the parked member without asking the limited one again', async () => {
    spillway.upstream.on('sk-b').always(limited)
    for (let i = 0; i < 5; i++) await spillway.ask()
    expect(spillway.upstream.served).toEqual(['sk-b', 'sk-a', 'sk-a', 'sk-a', 'sk-a', 'sk-a'])
  })

  it('is exhausted once for 100 retries when the parked member fails, too, and recovers once', async () => {
    spillway.upstream.on('sk-a').always(limited)
    spillway.upstream.on('sk-b').always(limited)
    for (let i = 0; i < 100; i++) {
      const refused = await spillway.ask()
      expect(refused.status).toBe(429)
      expect(refused.headers.get('x-should-retry')).toBe('false')
    }
    expect(spillway.upstream.served).toEqual(['sk-b', 'sk-a'])
    expect(await spillway.audit('pool_exhausted')).toHaveLength(1)
    spillway.upstream.on('sk-a').clear()
    spillway.upstream.on('sk-b').clear()
    await spillway.advance(60_000)
    expect((await spillway.ask()).status).toBe(200)
    expect(await spillway.audit('pool_recovered')).toMatchObject([{ to: 'b', suppressed: 100 }])
    expect(await spillway.audit('pool_exhausted')).toHaveLength(1)
  })

  it('keeps cooldowns, parks and the active member over a restart', async () => {
    spillway.upstream.on('sk-b').always(limited)
    await spillway.ask()
    await spillway.restart()
    spillway.upstream.forget()
    expect((await spillway.ask()).status).toBe(200)
    expect(spillway.upstream.served).toEqual(['sk-a'])
    expect(await spillway.ops.poolStatus({ name: 'openai' })).toMatchObject({
      active: 'a',
      members: [
        { name: 'a', health: { state: 'healthy' } },
        { name: 'b', health: { state: 'cooling', reason: 'rate-limited' } },
      ],
    })
  })
})
