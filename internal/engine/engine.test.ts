import { beforeEach, describe, expect, it } from 'vitest'
import {
  addMembers,
  begin,
  createPool,
  kinds,
  lease,
  request,
  rig,
  rowsOf,
  start,
  useEngineRig,
} from '../../test/fakes/rig/engine.ts'
import { limited, rejected, success } from '../../test/fakes/rig/records.ts'
import type { Outcome, Usage } from '../pool/pool.ts'
import { StoreError } from '../store/store.ts'

useEngineRig()

describe('the first request of a pool', () => {
  beforeEach(async () => {
    await addMembers(['a', 'b', 'c'])
    await createPool(['a', 'b', 'c'])
  })

  it('is told as a failover when the member that it met first fails', async () => {
    expect(request({ a: limited, b: limited })).toBe('c')
    await rig.engine.flush()
    expect(rowsOf('cred_failover')).toMatchObject([{ from: 'a', to: 'c', reason: 'rate-limited' }])
    expect(rig.engine.pool('openai')?.active).toBe('c')
  })

  it('leaves the pool with that member when only its answer to one model was refused', () => {
    const turn = begin('pro')
    lease(turn)
    turn.report({ ...limited, scope: 'model' })
    lease(turn)
    turn.report(success)
    expect(rig.engine.pool('openai')?.active).toBe('a')
    expect(request({})).toBe('a')
  })

  it('leaves the pool with that member when its suspicion is cleared', async () => {
    rig.finding = 'cleared'
    expect(request({ a: rejected })).toBe('b')
    await rig.clock.advance(0)
    await rig.engine.flush()
    expect(request({})).toBe('a')
    expect(rowsOf('cred_failover')).toEqual([])
  })
})

describe('a member that is dropped while its request is under way', () => {
  it('does not become the active member by its late success', async () => {
    await addMembers(['a', 'b', 'c'])
    await createPool(['a', 'b', 'c'])
    request({})
    const turn = begin()
    lease(turn)
    await rig.engine.dropMember('openai', 'a', 'test')
    turn.report(success)
    turn.end()
    expect(request({})).toBe('b')
    expect(request({ b: limited })).toBe('c')
    await rig.engine.flush()
    expect(rowsOf('cred_failover')).toMatchObject([{ from: 'b', to: 'c' }])
  })
})

describe('incident 1: the pool that failed over to itself', () => {
  beforeEach(async () => {
    await addMembers(['a', 'b'])
    await createPool(['a', 'b'])
    request({})
    await rig.engine.rotate('openai', { to: null, forMs: null }, 'operator:cli')
  })

  it('serves the request with the parked, healthy member in the same call', async () => {
    expect(request({ b: limited })).toBe('a')
    await rig.engine.flush()
    expect(rowsOf('cred_failover').map(({ from, to, reason }) => ({ from, to, reason }))).toEqual([
      { from: 'b', to: 'a', reason: 'rate-limited' },
    ])
    expect(rig.told.filter(({ event }) => event.kind === 'cred_failover')).toHaveLength(1)
  })

  it('tells one exhaustion for 100 retries when the parked member fails too, and one recovery', async () => {
    for (let i = 0; i < 100; i++) expect(request({ a: limited, b: limited })).toBe('exhausted')
    await rig.engine.flush()
    expect(rowsOf('pool_exhausted')).toHaveLength(1)
    await rig.clock.advance(60_000)
    expect(request({})).toBe('b')
    await rig.engine.flush()
    expect(rowsOf('pool_recovered')).toMatchObject([{ to: 'b', suppressed: 100, detail: { refused: 100 } }])
    expect(rig.told.filter(({ event }) => event.kind.startsWith('pool_')).map(({ event }) => event.kind)).toEqual([
      'pool_changed',
      'pool_rotated',
      'pool_exhausted',
      'pool_recovered',
    ])
  })

  it('tells a second exhaustion, which came too soon to be told, once it has lasted', async () => {
    request({ a: limited, b: limited })
    await rig.engine.clear('openai', 'a', 'operator:cli')
    request({ a: limited })
    await rig.engine.flush()
    expect(rowsOf('pool_exhausted')).toHaveLength(1)
    await rig.clock.advance(31_000)
    for (let i = 0; i < 10; i++) request({})
    await rig.engine.flush()
    expect(rowsOf('pool_exhausted')).toHaveLength(2)
    await rig.engine.clear('openai', 'a', 'operator:cli')
    expect(rowsOf('pool_recovered')).toHaveLength(2)
  })

  it('writes nothing for the requests of an exhausted pool', async () => {
    request({ a: limited, b: limited })
    await rig.engine.flush()
    const batches = rig.store.batches.length
    for (let i = 0; i < 1_000; i++) request({ a: limited, b: limited })
    await rig.engine.flush()
    expect(rig.store.batches).toHaveLength(batches)
  })

  it('takes the healthy standing from a parked member that gets a 429 itself', () => {
    request({ a: limited, b: limited })
    expect(rig.engine.explain('openai', null).decision.kind).toBe('exhausted')
  })

  it('refuses to rotate while all are cooling, and relabels nobody', async () => {
    request({ a: limited, b: limited })
    await expect(rig.engine.rotate('openai', { to: null, forMs: null }, 'operator:cli')).rejects.toMatchObject({
      code: 'conflict',
    })
    expect(rig.engine.pool('openai')?.members.map(({ health }) => health.state)).toEqual(['cooling', 'cooling'])
  })

  it('audits the rotation itself', () => {
    expect(rowsOf('pool_rotated')).toMatchObject([{ from: 'a', to: 'b', actor: 'operator:cli' }])
  })

  it('keeps the durable cooldown when the notice is suppressed', async () => {
    request({ b: limited })
    await rig.engine.clear('openai', 'b', 'operator:cli')
    request({ a: limited })
    await rig.engine.clear('openai', 'a', 'operator:cli')
    const before = rig.store.rows.length
    request({ b: limited })
    await rig.engine.flush()
    expect(rig.store.rows.length - before).toBeLessThanOrEqual(1)
    const written = rig.store.batches.flatMap((batch) => batch.writes)
    expect(
      written.findLast((write) => 'put' in write && write.put === 'credential-state' && write.row.id === 'id-b'),
    ).toMatchObject({
      row: { health: { state: 'cooling' } },
    })
  })

  it('remembers the active member, parks, cooldowns and dedupe windows over a restart', async () => {
    expect(request({ b: limited })).toBe('a')
    await rig.engine.stop()
    const before = rig.store.rows.length
    rig.engine = await start()
    expect(rig.engine.pool('openai')).toMatchObject({
      active: 'a',
      members: [
        { name: 'a', park: { by: 'operator:cli' }, health: { state: 'healthy' } },
        { name: 'b', health: { state: 'cooling' } },
      ],
    })
    await rig.engine.clear('openai', 'b', 'operator:cli')
    await rig.engine.unpark('openai', 'a', 'operator:cli')
    await rig.engine.rotate('openai', { to: 'b', forMs: null }, 'operator:cli')
    expect(request({ b: limited })).toBe('a')
    await rig.engine.flush()
    expect(rig.store.rows.slice(before).filter(({ kind }) => kind === 'cred_failover')).toHaveLength(0)
  })
})

describe('a limit of one model for the whole domain', () => {
  it('is put on that model of every member of the domain, and on nothing else', async () => {
    await addMembers(['a', 'c'], { domain: 'org' })
    await addMembers(['b'])
    await createPool(['a', 'c', 'b'])
    const turn = begin('gpt')
    const until = rig.clock.now() + 20_000
    lease(turn)
    turn.report({ ...limited, scope: 'domain-model', until })
    expect(lease(turn).member).toBe('b')
    expect(lease(begin('gpt')).member).toBe('b')
    expect(lease(begin('other')).member).toBe('a')
    const scoped = rig.engine.pool('openai')?.members.map((member) => member.scoped)
    const one = [{ model: 'gpt', reason: 'rate-limited', until }]
    expect(scoped).toEqual([one, one, []])
  })
})

describe('a store that does not write', () => {
  beforeEach(async () => {
    await addMembers(['a', 'b'])
    await createPool(['a', 'b'])
    request({})
    await rig.engine.flush()
    rig.told = []
  })

  it('has its events told from memory after 2 s, and written once it is well', async () => {
    rig.store.trouble = new Error('disk full')
    expect(request({ a: limited })).toBe('b')
    await rig.clock.advance(2_500)
    expect(rig.told.map(({ event, seq }) => [event.kind, seq])).toEqual([
      ['store_trouble', null],
      ['cred_cooled', null],
      ['cred_failover', null],
    ])
    expect(rig.engine.storeIsAway()).toBe(true)
    rig.store.trouble = null
    await rig.clock.advance(5_000)
    await rig.engine.flush()
    expect(rig.engine.storeIsAway()).toBe(false)
    expect(kinds().slice(-3)).toEqual(['cred_cooled', 'cred_failover', 'store_healed'])
    expect(rig.told.map(({ event }) => event.kind).slice(3)).toEqual(['store_healed'])
  })
})

describe('a store that will never take a write', () => {
  it('has the operator told who asked for it, and takes what comes after it', async () => {
    await addMembers(['a', 'b'])
    await createPool(['a', 'b'])
    rig.store.trouble = new StoreError('rejected', 'the store does not take this: a rule of the schema')
    await expect(rig.engine.park('openai', 'a', null, 'test')).rejects.toThrow('a rule of the schema')
    rig.store.trouble = null
    await rig.engine.park('openai', 'b', null, 'test')
    expect(kinds().filter((kind) => kind === 'member_parked')).toHaveLength(1)
  })
})

describe('pools of hosts', () => {
  it('answers host-down, not exhaustion, when only the hosts are in the way, and blames no credential', async () => {
    await addMembers(['a', 'b'])
    await createPool(['a', 'b'])
    const infra: Outcome = { ...success, kind: 'infra', reason: 'connect', status: null }
    expect(request({ a: infra })).toBe('host-down')
    expect(rig.engine.pool('openai')?.members.map(({ health }) => health.state)).toEqual(['healthy', 'healthy'])
    await rig.clock.advance(1_000)
    expect(request({})).toBe('a')
    await rig.engine.flush()
    expect(kinds()).toEqual(['host_down', 'host_up'])
  })
})

describe('members near their limit', () => {
  const used = (usedPercent: number): Usage[] => {
    const seenAt = rig.clock.now()
    return [{ window: '5h', usedPercent, resetAt: seenAt + 3_600_000, seenAt, source: 'headers' }]
  }

  function observe(usedPercent: number): void {
    const turn = begin()
    lease(turn)
    turn.report(success)
    turn.observe(() => used(usedPercent))
    turn.end()
  }

  it('are left before they refuse, when the pool says at how many percent', async () => {
    await addMembers(['a', 'b'])
    await createPool(['a', 'b'], { preemptAt: 98 })
    observe(97)
    expect(request({})).toBe('a')
    await rig.clock.advance(1_000)
    observe(98)
    expect(request({})).toBe('b')
    await rig.engine.flush()
    expect(rowsOf('cred_failover')).toMatchObject([{ from: 'a', to: 'b', reason: 'preempted' }])
  })

  it('are kept when the others are near theirs, too, and when the pool does not preempt', async () => {
    await addMembers(['a', 'b'])
    await createPool(['a', 'b'], { preemptAt: 98 })
    observe(99)
    observe(99)
    expect(request({})).toBe('b')
    await rig.engine.changePool('openai', { preemptAt: null }, 'test')
    await rig.clock.advance(1_000)
    observe(100)
    expect(request({})).toBe('b')
    expect(rig.engine.pool('openai')?.members[1]?.usage).toMatchObject([{ window: '5h', usedPercent: 100 }])
  })
})
