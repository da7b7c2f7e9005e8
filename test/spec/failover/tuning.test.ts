import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Installation, installation } from '../../fakes/rig/installation.ts'
import { answer, behind, Gate, happy } from '../../fakes/upstream/upstream.ts'

const limited = answer(429, { 'retry-after': '600' }, { error: { code: 'rate_limit_exceeded', message: 'slow' } })

let spillway: Installation

beforeEach(async () => {
  spillway = await installation()
})

afterEach(() => spillway.close())

const asks = async (count: number) => {
  for (let i = 0; i < count; i++) expect((await spillway.ask()).status).toBe(200)
}

describe('a member of tier 2', () => {
  beforeEach(async () => {
    await spillway.pool('openai', ['backup', 'work'])
    await spillway.ops.poolTune({ name: 'openai', member: 'backup', tier: 2 })
  })

  it.each(['sticky', 'ordered', 'round-robin', 'least-loaded', 'weighted', 'expiring-first'])(
    'serves under %s only while nobody of tier 1 can, and hands back, which is told once each',
    async (strategy) => {
      await spillway.ops.poolSet({ name: 'openai', set: { strategy } })
      await asks(2)
      expect(spillway.upstream.served).toEqual(['sk-work', 'sk-work'])
      spillway.upstream.on('sk-work').once(limited)
      await asks(3)
      expect(spillway.upstream.served.slice(2)).toEqual(['sk-work', 'sk-backup', 'sk-backup', 'sk-backup'])
      expect(await spillway.ops.poolExplain({ name: 'openai' })).toMatchObject({
        serves: 'backup',
        why: 'healthy and not parked, and nobody of tier 1 can serve',
      })
      await spillway.advance(631_000)
      await asks(2)
      expect(spillway.upstream.served.slice(6)).toEqual(['sk-work', 'sk-work'])
      expect(await spillway.ops.poolStatus({ name: 'openai' })).toMatchObject({
        active: 'work',
        members: [
          { name: 'backup', tier: 2 },
          { name: 'work', tier: 1 },
        ],
      })
      expect(await spillway.audit('backup_serves')).toMatchObject([{ to: 'backup', detail: { tier: 2, first: 1 } }])
      expect(await spillway.audit('backup_over')).toMatchObject([{ to: 'work', detail: { served: 3 } }])
      const { members } = await spillway.ops.poolExplain({ name: 'openai' })
      expect(members).toMatchObject([
        { name: 'backup', serves: false, why: 'tier' },
        { name: 'work', serves: true },
      ])
    },
  )

  it('is known to serve after a restart, and its end is told then', async () => {
    spillway.upstream.on('sk-work').once(limited)
    await asks(1)
    await spillway.restart()
    await asks(1)
    await spillway.advance(631_000)
    await asks(1)
    expect(await spillway.audit('backup_serves')).toHaveLength(1)
    expect(await spillway.audit('backup_over')).toHaveLength(1)
  })

  it('is not rotated to while another of tier 1 can serve', async () => {
    await spillway.ops.credAdd({
      name: 'home',
      provider: 'openai',
      source: { kind: 'vault', secret: 'sk-home' },
    })
    await spillway.ops.poolAdd({ name: 'openai', member: 'home' })
    await expect(spillway.ops.poolRotate({ name: 'openai', to: 'backup' })).rejects.toThrow(
      'backup is of tier 2 in openai, and home of tier 1 can serve',
    )
    expect(await spillway.ops.poolRotate({ name: 'openai' })).toMatchObject({ from: 'work', to: 'home' })
  })
})

describe('a bound on what is under way', () => {
  const busy = () => spillway.daemon.core.engine.find('openai')?.inFlight ?? 0

  it('passes a full member over, and lets requests wait for room when all are full', async () => {
    await spillway.pool('openai', ['a', 'b'])
    for (const member of ['a', 'b']) await spillway.ops.poolTune({ name: 'openai', member, maxInFlight: 1 })
    const gate = new Gate()
    for (const key of ['sk-a', 'sk-b']) spillway.upstream.on(key).once(behind(gate, happy))
    const asked = [spillway.ask(), spillway.ask()]
    await spillway.upstream.received(2)
    asked.push(spillway.ask(), spillway.ask())
    await expect.poll(busy).toBe(4)
    expect([...spillway.upstream.served].sort()).toEqual(['sk-a', 'sk-b'])
    expect(await spillway.ops.poolCheck({ name: 'openai' })).toMatchObject({ verdict: 'can-serve' })
    gate.open()
    for (const one of asked) expect((await one).status).toBe(200)
    expect(spillway.upstream.served).toHaveLength(4)
    expect(await spillway.audit('pool_exhausted')).toEqual([])
  })

  it('answers 503 when nobody has had room for maxWaitMs', async () => {
    await spillway.pool('openai', ['a'])
    await spillway.ops.poolTune({ name: 'openai', member: 'a', maxInFlight: 1 })
    const gate = new Gate()
    spillway.upstream.on('sk-a').once(behind(gate, happy))
    const first = spillway.ask()
    await spillway.upstream.received(1)
    const second = spillway.ask()
    await expect.poll(busy).toBe(2)
    await spillway.advance(10_500)
    const refused = await second
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1'])
    expect(JSON.parse(refused.text)).toMatchObject({ error: { code: 'members_full' } })
    gate.open()
    expect((await first).status).toBe(200)
  })
})

describe('a cap', () => {
  const used = (percent: number) =>
    answer(200, {
      'x-codex-secondary-used-percent': String(percent),
      'x-codex-secondary-window-minutes': '10080',
      'x-codex-secondary-reset-at': String(spillway.clock.now() / 1_000 + 7_200),
    })

  beforeEach(async () => {
    await spillway.pool('openai', ['a', 'b'])
    await spillway.ops.poolTune({ name: 'openai', member: 'a', caps: { '7d': 60 } })
    spillway.upstream.on('sk-a').once(used(59), used(60))
  })

  it('makes a member used up until the window resets, with a reason of its own', async () => {
    await asks(1)
    await spillway.advance(1_000)
    await asks(2)
    expect(spillway.upstream.served).toEqual(['sk-a', 'sk-a', 'sk-b'])
    expect(await spillway.audit('cred_failover')).toMatchObject([{ from: 'a', to: 'b', reason: 'capped' }])
    const status = await spillway.ops.poolStatus({ name: 'openai' })
    expect(status.members[0]).toMatchObject({ caps: { '7d': 60 }, usage: [{ window: '7d', cap: 60 }] })
    expect(status.members[0]?.cappedUntil).not.toBeNull()
    const { members } = await spillway.ops.poolExplain({ name: 'openai' })
    expect(members).toContainEqual(expect.objectContaining({ name: 'a', why: 'capped', reason: 'capped' }))
    await spillway.ops.poolPark({ name: 'openai', member: 'b' })
    await spillway.advance(7_200_000)
    await asks(1)
    expect(spillway.upstream.served.at(-1)).toBe('sk-a')
  })

  it('of all members exhausts the pool until the first reset, and ends when it is taken back', async () => {
    await spillway.ops.poolDrop({ name: 'openai', member: 'b' })
    await asks(1)
    await spillway.advance(1_000)
    await asks(1)
    expect((await spillway.ask()).status).toBe(429)
    expect(await spillway.audit('pool_exhausted')).toMatchObject([{ detail: { why: { a: 'capped' } } }])
    await spillway.ops.poolTune({ name: 'openai', member: 'a', caps: { '7d': null } })
    await asks(1)
  })
})
