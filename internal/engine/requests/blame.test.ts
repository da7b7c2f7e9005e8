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
  useEngineRig,
} from '../../../test/fakes/rig/engine.ts'
import { limited, rejected, success } from '../../../test/fakes/rig/records.ts'
import type { Outcome } from '../../pool/pool.ts'

useEngineRig()

describe('blame', () => {
  beforeEach(async () => {
    await addMembers(['a', 'b'])
    await createPool(['a', 'b'])
  })

  it('goes to the member that was injected: 50 late 429s of A leave B alone', () => {
    const turns = Array.from({ length: 50 }, () => {
      const turn = begin()
      lease(turn)
      return turn
    })
    expect(request({ a: limited })).toBe('b')
    for (const turn of turns) turn.report(limited)
    const [a, b] = rig.engine.pool('openai')?.members ?? []
    expect(a?.health).toMatchObject({ state: 'cooling', strikes: 0 })
    expect(b?.health.state).toBe('healthy')
    expect(request({})).toBe('b')
  })

  it('does not reach a member that was removed and created again under the same name', async () => {
    const turn = begin()
    lease(turn)
    await rig.engine.removeCredential('a', { force: true }, 'test')
    await addMembers(['a'], { id: 'id-a2' })
    await rig.engine.addMember('openai', 'a', { position: 1, weight: 1 }, 'test')
    turn.report(limited)
    expect(rig.engine.pool('openai')?.members[0]).toMatchObject({ name: 'a', health: { state: 'healthy' } })
  })

  it('does not reach a credential whose secret has changed since', async () => {
    const turn = begin()
    lease(turn)
    await rig.engine.renewCredential('a', 'refresh', () => [], 'spillway')
    turn.report(rejected)
    expect(rig.engine.pool('openai')?.members[0]?.health.state).toBe('healthy')
  })

  it('touches one member per request when the evidence is weak', () => {
    const weak: Outcome = { ...limited, evidence: 'weak', reason: 'burst', forMs: 3_000 }
    expect(request({ a: weak, b: weak })).toBe('tried-all')
    expect(rig.engine.pool('openai')?.members.map(({ health }) => health.state)).toEqual(['cooling', 'healthy'])
  })
})

describe('suspects', () => {
  beforeEach(async () => {
    await addMembers(['a', 'b'])
    await createPool(['a', 'b'])
    request({})
  })

  it('are disabled when the canonical probe confirms it, and the failover is told then', async () => {
    rig.finding = 'confirmed'
    expect(request({ a: rejected })).toBe('b')
    await rig.clock.advance(0)
    await rig.engine.flush()
    expect(kinds().slice(-3)).toEqual(['cred_suspect', 'cred_disabled', 'cred_failover'])
    expect(rig.engine.pool('openai')).toMatchObject({
      active: 'b',
      members: [{ health: { state: 'disabled', by: 'upstream' } }, {}],
    })
  })

  it('stay active without a word when the probe clears them', async () => {
    rig.finding = 'cleared'
    expect(request({ a: rejected })).toBe('b')
    await rig.clock.advance(0)
    expect(request({})).toBe('a')
    await rig.engine.flush()
    expect(rowsOf('cred_failover')).toHaveLength(0)
  })

  it('are no suspects for a minute once the probe has cleared them, whatever clients provoke', async () => {
    rig.finding = 'cleared'
    request({ a: rejected })
    await rig.clock.advance(0)
    for (let i = 0; i < 10; i++) expect(request({ a: rejected })).toBe('b')
    expect(rig.engine.pool('openai')?.members[0]?.health.state).toBe('healthy')
    rig.finding = 'confirmed'
    await rig.clock.advance(60_000)
    request({ a: rejected })
    await rig.clock.advance(0)
    expect(rig.engine.pool('openai')?.members[0]?.health.state).toBe('disabled')
  })

  it('are probed at most once a minute when the probe says nothing', async () => {
    request({ a: rejected })
    await rig.clock.advance(0)
    await rig.engine.clear('openai', 'a', 'test')
    await rig.engine.rotate('openai', { to: 'a', forMs: null }, 'test')
    request({ a: rejected })
    rig.finding = 'cleared'
    await rig.clock.advance(59_000)
    expect(rig.engine.pool('openai')?.members[0]?.health.state).toBe('suspect')
    await rig.clock.advance(1_000)
    expect(rig.engine.pool('openai')?.members[0]?.health.state).toBe('healthy')
  })
})

describe('suspects that are logins', () => {
  const closed: Outcome = { ...rejected, reason: 'account-closed', status: 403 }
  const state = () => rig.engine.pool('openai')?.members[0]?.health.state

  beforeEach(async () => {
    await addMembers(['a', 'b'], { auth: 'oauth' })
    await createPool(['a', 'b'])
    request({})
    rig.finding = 'cleared'
  })

  it('stay suspect when the token of the refresh that cleared them is refused as well', async () => {
    request({ a: closed })
    await rig.clock.advance(0)
    expect(state()).toBe('healthy')
    expect(request({ a: closed })).toBe('b')
    await rig.clock.advance(120_000)
    expect(state()).toBe('suspect')
    expect(request({ a: closed })).toBe('b')
  })

  it('stay suspect when a token is refused that was refreshed for the very request', async () => {
    request({ a: { ...rejected, reason: 'auth-expired' } })
    await rig.clock.advance(0)
    expect(state()).toBe('suspect')
  })

  it('are cleared when no upstream refused them, but a refresh took too long for a request', async () => {
    request({ a: { ...rejected, reason: 'auth-expired', status: null } })
    await rig.clock.advance(0)
    expect(state()).toBe('healthy')
  })

  it('are cleared by a refresh again once they have served', async () => {
    request({ a: closed })
    await rig.clock.advance(60_000)
    expect(request({})).toBe('a')
    request({ a: closed })
    await rig.clock.advance(0)
    expect(state()).toBe('healthy')
  })
})

describe('probes of a lease', () => {
  const inDomain = { ...limited, scope: 'domain' as const, until: 0 }

  it('are given back to the quota domain when the secret changed while they were under way', async () => {
    await addMembers(['a', 'b'], { domain: 'org' })
    await createPool(['a', 'b'])
    request({ a: { ...inDomain, until: rig.clock.now() + 5_000 } })
    await rig.clock.advance(5_000)
    const turn = begin()
    lease(turn)
    await rig.engine.renewCredential('a', 'refresh', () => [], 'spillway')
    turn.report(success)
    expect(request({})).toBe('a')
  })

  it('end for every model limit, also when the upstream names another family', async () => {
    await addMembers(['a'])
    await createPool(['a'])
    const scoped = (model: string, until: number): Outcome => ({ ...limited, scope: 'model', model, until })
    const ask = (outcome: Outcome): string => {
      const turn = begin('opus')
      const decision = turn.next()
      if (decision.kind !== 'lease') return decision.kind
      turn.report(outcome)
      return decision.lease.role
    }
    ask(scoped('opus', rig.clock.now() + 5_000))
    await rig.clock.advance(5_000)
    expect(ask(scoped('sonnet', rig.clock.now() + 60_000))).toBe('probe')
    expect(ask(success)).not.toBe('exhausted')
  })

  it('count streams that fail together in band as one strike', async () => {
    await addMembers(['a'])
    await createPool(['a'])
    const turns = Array.from({ length: 50 }, () => {
      const turn = begin()
      lease(turn)
      turn.report(success)
      return turn
    })
    for (const turn of turns) {
      await rig.clock.advance(1)
      turn.late(limited)
    }
    expect(rig.engine.pool('openai')?.members[0]?.health).toMatchObject({ state: 'cooling', strikes: 0 })
  })
})
