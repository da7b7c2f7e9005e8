import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Installation, installation } from '../../fakes/rig/installation.ts'
import { answer, behind, Gate, happy } from '../../fakes/upstream/upstream.ts'

const limited = answer(429, { 'retry-after': '60' }, { error: { message: 'slow', code: 'rate_limit_exceeded' } })

let spillway: Installation

beforeEach(async () => {
  spillway = await installation({ config: { 'pools.maxWaitMs': '0' } })
})

afterEach(() => spillway.close())

/** Who served, by member name, after `count` requests one after the other. */
async function served(count: number): Promise<string> {
  spillway.upstream.forget()
  for (let i = 0; i < count; i++) expect((await spillway.ask()).status).toBe(200)
  return spillway.upstream.served.map((secret) => secret.replace('sk-', '')).join('')
}

describe('the strategy of a pool', () => {
  it('sticky stays with its member, moves on when that fails, and does not snap back', async () => {
    await spillway.pool('openai', ['a', 'b', 'c'])
    expect(await served(3)).toBe('aaa')
    spillway.upstream.on('sk-a').once(limited)
    expect(await served(2)).toBe('abb')
    await spillway.advance(3_600_000)
    expect(await served(3)).toBe('bbb')
    expect((await spillway.ops.poolStatus({ name: 'openai' })).active).toBe('b')
  })

  it('ordered goes back to the first member as soon as that can serve again', async () => {
    await spillway.pool('openai', ['a', 'b', 'c'], { strategy: 'ordered' })
    spillway.upstream.on('sk-a').once(limited)
    expect(await served(3)).toBe('abbb')
    await spillway.advance(60_000)
    expect(await served(2)).toBe('aa')
  })

  it('round-robin gives each its turn, and one that recovered gets its turn back', async () => {
    await spillway.pool('openai', ['a', 'b', 'c'], { strategy: 'round-robin' })
    expect(await served(6)).toBe('abcabc')
    spillway.upstream.on('sk-b').once(limited)
    expect(await served(4)).toBe('abcac')
    await spillway.advance(60_000)
    expect([...(await served(6))].sort().join('')).toBe('aabbcc')
  })

  it('least-loaded sends to who has the fewest requests in flight', async () => {
    await spillway.pool('openai', ['a', 'b', 'c'], { strategy: 'least-loaded' })
    const gate = new Gate()
    spillway.upstream.on('sk-a').once(behind(gate, happy))
    spillway.upstream.on('sk-b').once(behind(gate, happy))
    const slow = [spillway.ask(), spillway.ask()]
    await spillway.upstream.received(2)
    expect(await served(4)).toBe('cccc')
    gate.open()
    for (const { status } of await Promise.all(slow)) expect(status).toBe(200)
    expect([...(await served(3))].sort().join('')).toBe('abc')
  })

  it('weighted shares by weight', async () => {
    await spillway.pool('openai', ['a'], { strategy: 'weighted' })
    await spillway.credential('b')
    await spillway.ops.poolAdd({ name: 'openai', member: 'b', weight: 3 })
    const turns = await served(40)
    expect([...turns].filter((member) => member === 'b')).toHaveLength(30)
    expect(turns).not.toContain('aa')
    expect(turns).not.toContain('bbbbb')
  })

  it('can be changed while requests run, and the next one follows it', async () => {
    await spillway.pool('openai', ['a', 'b'])
    expect(await served(2)).toBe('aa')
    await spillway.ops.poolSet({ name: 'openai', set: { strategy: 'round-robin' } })
    expect([...(await served(4))].sort().join('')).toBe('aabb')
    await spillway.restart()
    expect((await spillway.ops.poolStatus({ name: 'openai' })).strategy).toBe('round-robin')
    expect([...(await served(4))].sort().join('')).toBe('aabb')
  })

  it.each(['ordered', 'round-robin', 'least-loaded', 'weighted', 'sticky'])(
    '%s skips a parked member until nobody else is left',
    async (strategy) => {
      await spillway.pool('openai', ['a', 'b'], { strategy })
      await spillway.ops.poolPark({ name: 'openai', member: 'a' })
      expect(await served(3)).toBe('bbb')
      spillway.upstream.on('sk-b').once(limited)
      expect(await served(2)).toBe('baa')
    },
  )
})

describe('a failover under a strategy that spreads', () => {
  it('is told when a request met a member that failed, and names who served instead', async () => {
    await spillway.pool('openai', ['a', 'b'], { strategy: 'round-robin' })
    spillway.upstream.on('sk-a').once(limited)
    await spillway.ask()
    expect(await spillway.audit('cred_failover')).toMatchObject([{ from: 'a', to: 'b', reason: 'rate-limited' }])
  })
})
