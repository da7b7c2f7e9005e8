import { beforeEach, describe, expect, it } from 'vitest'
import {
  credentialRecord,
  engineSettings,
  limited,
  poolRecord,
  rejected,
  success,
} from '../../test/fakes/rig/records.ts'
import { MemoryStore } from '../../test/fakes/rig/store.ts'
import { FakeClock } from '../clock/clock.ts'
import { type Announcement, eventBus } from '../events/events.ts'
import type { Outcome, Usage } from '../pool/pool.ts'
import type { CredentialRecord, PoolRecord } from '../store/store.ts'
import { type Engine, type Finding, type Lease, type LivePool, startEngine, type Turn } from './engine.ts'

let clock: FakeClock
let store: MemoryStore
let told: Announcement[]
let finding: Finding
let engine: Engine

async function start(): Promise<Engine> {
  const bus = eventBus((error) => {
    throw error
  })
  bus.subscribe((announcement) => told.push(announcement))
  return startEngine({
    store,
    bus,
    clock,
    log: { debug() {}, info() {}, warn() {}, error() {} },
    settings: engineSettings,
    defaultBaseUrl: () => 'https://upstream.example',
    prober: () => ({ probe: async () => ({ finding, reason: 'auth-rejected', status: 401 }) }),
    random: () => 0,
    onSuppressed: () => undefined,
  })
}

async function addMembers(names: readonly string[], change: Partial<CredentialRecord> = {}): Promise<void> {
  for (const name of names) {
    await engine.addCredential(credentialRecord({ name, provider: 'openai', ...change }), [], 'test')
  }
}

async function createPool(members: readonly string[], change: Partial<PoolRecord> = {}): Promise<void> {
  const record = poolRecord({ name: 'openai', provider: 'openai', upstream: null, ...change })
  const seats = members.map((member) => ({ member, weight: 1 }))
  await engine.createPool(record, seats, 'test')
}

function begin(model: string | null = null): Turn {
  const pool = engine.find('openai')
  if (!pool) throw new Error('no pool')
  return engine.begin(pool, model)
}

/** The lease of the next member, or the name of what else was decided. */
function lease(turn: Turn): Lease {
  const decision = turn.next()
  if (decision.kind !== 'lease') throw new Error(`expected a lease, got ${decision.kind}`)
  return decision.lease
}

/** One request as the proxy walks it: returns who served, or what was decided instead. */
function request(answers: Readonly<Record<string, Outcome>>): string {
  const turn = begin()
  for (;;) {
    const decision = turn.next()
    if (decision.kind !== 'lease') {
      if (decision.kind === 'exhausted') turn.refused(decision)
      turn.end()
      return decision.kind
    }
    const outcome = answers[decision.lease.member] ?? success
    turn.report(outcome)
    if (outcome.kind === 'success') {
      turn.end()
      return decision.lease.member
    }
  }
}

const kinds = () =>
  store.rows.map((row) => row.kind).filter((kind) => !kind.startsWith('cred_added') && kind !== 'pool_changed')
const rowsOf = (kind: string) => store.rows.filter((row) => row.kind === kind)

beforeEach(async () => {
  clock = new FakeClock()
  store = new MemoryStore()
  told = []
  finding = 'inconclusive'
  engine = await start()
})

describe('the first request of a pool', () => {
  beforeEach(async () => {
    await addMembers(['a', 'b', 'c'])
    await createPool(['a', 'b', 'c'])
  })

  it('is told as a failover when the member that it met first fails', async () => {
    expect(request({ a: limited, b: limited })).toBe('c')
    await engine.flush()
    expect(rowsOf('cred_failover')).toMatchObject([{ from: 'a', to: 'c', reason: 'rate-limited' }])
    expect(engine.pool('openai')?.active).toBe('c')
  })

  it('leaves the pool with that member when only its answer to one model was refused', () => {
    const turn = begin('pro')
    lease(turn)
    turn.report({ ...limited, scope: 'model' })
    lease(turn)
    turn.report(success)
    expect(engine.pool('openai')?.active).toBe('a')
    expect(request({})).toBe('a')
  })

  it('leaves the pool with that member when its suspicion is cleared', async () => {
    finding = 'cleared'
    expect(request({ a: rejected })).toBe('b')
    await clock.advance(0)
    await engine.flush()
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
    await engine.dropMember('openai', 'a', 'test')
    turn.report(success)
    turn.end()
    expect(request({})).toBe('b')
    expect(request({ b: limited })).toBe('c')
    await engine.flush()
    expect(rowsOf('cred_failover')).toMatchObject([{ from: 'b', to: 'c' }])
  })
})

describe('incident 1: the pool that failed over to itself', () => {
  beforeEach(async () => {
    await addMembers(['a', 'b'])
    await createPool(['a', 'b'])
    request({})
    await engine.rotate('openai', { to: null, forMs: null }, 'operator:cli')
  })

  it('serves the request with the parked, healthy member in the same call', async () => {
    expect(request({ b: limited })).toBe('a')
    await engine.flush()
    expect(rowsOf('cred_failover').map(({ from, to, reason }) => ({ from, to, reason }))).toEqual([
      { from: 'b', to: 'a', reason: 'rate-limited' },
    ])
    expect(told.filter(({ event }) => event.kind === 'cred_failover')).toHaveLength(1)
  })

  it('tells one exhaustion for 100 retries when the parked member fails too, and one recovery', async () => {
    for (let i = 0; i < 100; i++) expect(request({ a: limited, b: limited })).toBe('exhausted')
    await engine.flush()
    expect(rowsOf('pool_exhausted')).toHaveLength(1)
    await clock.advance(60_000)
    expect(request({})).toBe('b')
    await engine.flush()
    expect(rowsOf('pool_recovered')).toMatchObject([{ to: 'b', suppressed: 100, detail: { refused: 100 } }])
    expect(told.filter(({ event }) => event.kind.startsWith('pool_')).map(({ event }) => event.kind)).toEqual([
      'pool_changed',
      'pool_rotated',
      'pool_exhausted',
      'pool_recovered',
    ])
  })

  it('tells a second exhaustion, which came too soon to be told, once it has lasted', async () => {
    request({ a: limited, b: limited })
    await engine.clear('openai', 'a', 'operator:cli')
    request({ a: limited })
    await engine.flush()
    expect(rowsOf('pool_exhausted')).toHaveLength(1)
    await clock.advance(31_000)
    for (let i = 0; i < 10; i++) request({})
    await engine.flush()
    expect(rowsOf('pool_exhausted')).toHaveLength(2)
    await engine.clear('openai', 'a', 'operator:cli')
    expect(rowsOf('pool_recovered')).toHaveLength(2)
  })

  it('writes nothing for the requests of an exhausted pool', async () => {
    request({ a: limited, b: limited })
    await engine.flush()
    const batches = store.batches.length
    for (let i = 0; i < 1_000; i++) request({ a: limited, b: limited })
    await engine.flush()
    expect(store.batches).toHaveLength(batches)
  })

  it('takes the healthy standing from a parked member that gets a 429 itself', () => {
    request({ a: limited, b: limited })
    expect(engine.explain('openai', null).decision.kind).toBe('exhausted')
  })

  it('refuses to rotate while all are cooling, and relabels nobody', async () => {
    request({ a: limited, b: limited })
    await expect(engine.rotate('openai', { to: null, forMs: null }, 'operator:cli')).rejects.toMatchObject({
      code: 'conflict',
    })
    expect(engine.pool('openai')?.members.map(({ health }) => health.state)).toEqual(['cooling', 'cooling'])
  })

  it('audits the rotation itself', () => {
    expect(rowsOf('pool_rotated')).toMatchObject([{ from: 'a', to: 'b', actor: 'operator:cli' }])
  })

  it('keeps the durable cooldown when the notice is suppressed', async () => {
    request({ b: limited })
    await engine.clear('openai', 'b', 'operator:cli')
    request({ a: limited })
    await engine.clear('openai', 'a', 'operator:cli')
    const before = store.rows.length
    request({ b: limited })
    await engine.flush()
    expect(store.rows.length - before).toBeLessThanOrEqual(1)
    const written = store.batches.flatMap((batch) => batch.writes)
    expect(
      written.findLast((write) => 'put' in write && write.put === 'credential-state' && write.row.id === 'id-b'),
    ).toMatchObject({
      row: { health: { state: 'cooling' } },
    })
  })

  it('remembers the active member, parks, cooldowns and dedupe windows over a restart', async () => {
    expect(request({ b: limited })).toBe('a')
    await engine.stop()
    const before = store.rows.length
    engine = await start()
    expect(engine.pool('openai')).toMatchObject({
      active: 'a',
      members: [
        { name: 'a', park: { by: 'operator:cli' }, health: { state: 'healthy' } },
        { name: 'b', health: { state: 'cooling' } },
      ],
    })
    await engine.clear('openai', 'b', 'operator:cli')
    await engine.unpark('openai', 'a', 'operator:cli')
    await engine.rotate('openai', { to: 'b', forMs: null }, 'operator:cli')
    expect(request({ b: limited })).toBe('a')
    await engine.flush()
    expect(store.rows.slice(before).filter(({ kind }) => kind === 'cred_failover')).toHaveLength(0)
  })
})

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
    const [a, b] = engine.pool('openai')?.members ?? []
    expect(a?.health).toMatchObject({ state: 'cooling', strikes: 0 })
    expect(b?.health.state).toBe('healthy')
    expect(request({})).toBe('b')
  })

  it('does not reach a member that was removed and created again under the same name', async () => {
    const turn = begin()
    lease(turn)
    await engine.removeCredential('a', { force: true }, 'test')
    await addMembers(['a'], { id: 'id-a2' })
    await engine.addMember('openai', 'a', { position: 1, weight: 1 }, 'test')
    turn.report(limited)
    expect(engine.pool('openai')?.members[0]).toMatchObject({ name: 'a', health: { state: 'healthy' } })
  })

  it('does not reach a credential whose secret has changed since', async () => {
    const turn = begin()
    lease(turn)
    await engine.renewCredential('a', 'refresh', () => [], 'spillway')
    turn.report(rejected)
    expect(engine.pool('openai')?.members[0]?.health.state).toBe('healthy')
  })

  it('touches one member per request when the evidence is weak', () => {
    const weak: Outcome = { ...limited, evidence: 'weak', reason: 'burst', forMs: 3_000 }
    expect(request({ a: weak, b: weak })).toBe('tried-all')
    expect(engine.pool('openai')?.members.map(({ health }) => health.state)).toEqual(['cooling', 'healthy'])
  })
})

describe('suspects', () => {
  beforeEach(async () => {
    await addMembers(['a', 'b'])
    await createPool(['a', 'b'])
    request({})
  })

  it('are disabled when the canonical probe confirms it, and the failover is told then', async () => {
    finding = 'confirmed'
    expect(request({ a: rejected })).toBe('b')
    await clock.advance(0)
    await engine.flush()
    expect(kinds().slice(-3)).toEqual(['cred_suspect', 'cred_disabled', 'cred_failover'])
    expect(engine.pool('openai')).toMatchObject({
      active: 'b',
      members: [{ health: { state: 'disabled', by: 'upstream' } }, {}],
    })
  })

  it('stay active without a word when the probe clears them', async () => {
    finding = 'cleared'
    expect(request({ a: rejected })).toBe('b')
    await clock.advance(0)
    expect(request({})).toBe('a')
    await engine.flush()
    expect(rowsOf('cred_failover')).toHaveLength(0)
  })

  it('are no suspects for a minute once the probe has cleared them, whatever clients provoke', async () => {
    finding = 'cleared'
    request({ a: rejected })
    await clock.advance(0)
    for (let i = 0; i < 10; i++) expect(request({ a: rejected })).toBe('b')
    expect(engine.pool('openai')?.members[0]?.health.state).toBe('healthy')
    finding = 'confirmed'
    await clock.advance(60_000)
    request({ a: rejected })
    await clock.advance(0)
    expect(engine.pool('openai')?.members[0]?.health.state).toBe('disabled')
  })

  it('are probed at most once a minute when the probe says nothing', async () => {
    request({ a: rejected })
    await clock.advance(0)
    await engine.clear('openai', 'a', 'test')
    await engine.rotate('openai', { to: 'a', forMs: null }, 'test')
    request({ a: rejected })
    finding = 'cleared'
    await clock.advance(59_000)
    expect(engine.pool('openai')?.members[0]?.health.state).toBe('suspect')
    await clock.advance(1_000)
    expect(engine.pool('openai')?.members[0]?.health.state).toBe('healthy')
  })
})

describe('suspects that are logins', () => {
  const closed: Outcome = { ...rejected, reason: 'account-closed', status: 403 }
  const state = () => engine.pool('openai')?.members[0]?.health.state

  beforeEach(async () => {
    await addMembers(['a', 'b'], { auth: 'oauth' })
    await createPool(['a', 'b'])
    request({})
    finding = 'cleared'
  })

  it('stay suspect when the token of the refresh that cleared them is refused as well', async () => {
    request({ a: closed })
    await clock.advance(0)
    expect(state()).toBe('healthy')
    expect(request({ a: closed })).toBe('b')
    await clock.advance(120_000)
    expect(state()).toBe('suspect')
    expect(request({ a: closed })).toBe('b')
  })

  it('stay suspect when a token is refused that was refreshed for the very request', async () => {
    request({ a: { ...rejected, reason: 'auth-expired' } })
    await clock.advance(0)
    expect(state()).toBe('suspect')
  })

  it('are cleared when no upstream refused them, but a refresh took too long for a request', async () => {
    request({ a: { ...rejected, reason: 'auth-expired', status: null } })
    await clock.advance(0)
    expect(state()).toBe('healthy')
  })

  it('are cleared by a refresh again once they have served', async () => {
    request({ a: closed })
    await clock.advance(60_000)
    expect(request({})).toBe('a')
    request({ a: closed })
    await clock.advance(0)
    expect(state()).toBe('healthy')
  })
})

describe('a limit of one model for the whole domain', () => {
  it('is put on that model of every member of the domain, and on nothing else', async () => {
    await addMembers(['a', 'c'], { domain: 'org' })
    await addMembers(['b'])
    await createPool(['a', 'c', 'b'])
    const turn = begin('gpt')
    const until = clock.now() + 20_000
    lease(turn)
    turn.report({ ...limited, scope: 'domain-model', until })
    expect(lease(turn).member).toBe('b')
    expect(lease(begin('gpt')).member).toBe('b')
    expect(lease(begin('other')).member).toBe('a')
    const scoped = engine.pool('openai')?.members.map((member) => member.scoped)
    const one = [{ model: 'gpt', reason: 'rate-limited', until }]
    expect(scoped).toEqual([one, one, []])
  })
})

describe('the queue of waiting requests', () => {
  beforeEach(async () => {
    await addMembers(['a'])
    await createPool(['a'])
  })

  it('holds a request until the cooldown is over and sends it as the probe', async () => {
    request({ a: { ...limited, until: clock.now() + 5_000 } })
    const turn = begin()
    const held = turn.hold(new AbortController().signal)
    await clock.advance(6_000)
    await expect(held).resolves.toMatchObject({ kind: 'lease', lease: { member: 'a', role: 'probe' } })
  })

  it('does not hold when recovery is farther away than maxWaitMs', async () => {
    request({ a: { ...limited, until: clock.now() + 11_000 } })
    await expect(begin().hold(new AbortController().signal)).resolves.toMatchObject({ kind: 'exhausted' })
  })

  it('sends one probe for 1,000 waiters and lets the others go after its success', async () => {
    request({ a: { ...limited, until: clock.now() + 5_000 } })
    const leases: Lease[] = []
    const turns = Array.from({ length: 1_000 }, () => begin())
    for (const turn of turns) {
      void turn.hold(new AbortController().signal).then((decision) => {
        if (decision.kind === 'lease') leases.push(decision.lease)
      })
    }
    await clock.advance(6_000)
    expect(leases).toHaveLength(1)
    const answered = new Set<Lease>()
    for (let round = 0; round < 12 && answered.size < 1_000; round++) {
      for (const lease of leases) {
        if (answered.has(lease)) continue
        answered.add(lease)
        const turn = turns.find((candidate) => candidate.leases[0] === lease)
        if (turn) turn.report(success)
      }
      await clock.advance(0)
    }
    expect(answered.size).toBe(1_000)
  })

  it('lets a waiter go with the exhaustion at its deadline', async () => {
    request({ a: { ...limited, until: clock.now() + 5_000 } })
    const probe = begin()
    await clock.advance(5_000)
    lease(probe)
    const held = begin().hold(new AbortController().signal)
    await clock.advance(10_250)
    await expect(held).resolves.toMatchObject({ kind: 'exhausted' })
  })
})

describe('a request that is turned away at once', () => {
  const turnAway = () => engine.turnAway(engine.find('openai') as LivePool)

  beforeEach(async () => {
    await addMembers(['a', 'b'])
    await createPool(['a', 'b'])
  })

  it('hears what a walk would, and counts like one', async () => {
    expect(turnAway()).toBeNull()
    expect(request({ a: limited, b: limited })).toBe('exhausted')
    expect(turnAway()).toEqual(begin().next())
    request({})
    expect(engine.pool('openai')?.incident).toMatchObject({ refused: 3 })
    await engine.flush()
    expect(rowsOf('pool_exhausted')).toHaveLength(1)
  })

  it('is looked at as soon as a member may serve: by its time, by an operator, or because it has joined', async () => {
    request({ a: limited, b: { ...limited, until: clock.now() + 90_000 } })
    await clock.advance(50_000)
    // Within maxWaitMs now: it may wait in the queue.
    expect(turnAway()).toBeNull()
    await clock.advance(10_000)
    expect(turnAway()).toBeNull()
    request({ a: limited })
    expect(turnAway()).not.toBeNull()
    await engine.clear('openai', 'b', 'operator:cli')
    expect(turnAway()).toBeNull()
    request({ b: limited })
    await addMembers(['c'])
    await engine.addMember('openai', 'c', { position: null, weight: 1 }, 'test')
    expect(turnAway()).toBeNull()
  })

  it('may still be served by a pool that degrades, or where it depends on the model', async () => {
    request({ a: limited, b: limited })
    await engine.changePool('openai', { onExhausted: 'degrade' }, 'test')
    expect(turnAway()).toBeNull()
    await engine.changePool('openai', { onExhausted: 'reject' }, 'test')
    expect(turnAway()).not.toBeNull()
    await engine.clear('openai', 'a', 'operator:cli')
    request({ a: { ...limited, scope: 'model', model: 'opus' }, b: limited })
    expect(turnAway()).toBeNull()
  })

  it('is none of a pool that has been emptied meanwhile', async () => {
    request({ a: limited, b: limited })
    for (const member of ['a', 'b']) await engine.dropMember('openai', member, 'test')
    expect([turnAway(), begin().next()]).toEqual([null, { kind: 'empty' }])
  })

  it('is not one before the exhaustion has been told', async () => {
    request({ a: limited, b: limited })
    await engine.clear('openai', 'a', 'operator:cli')
    request({ a: limited })
    expect(turnAway()).toBeNull()
  })
})

describe('a store that does not write', () => {
  beforeEach(async () => {
    await addMembers(['a', 'b'])
    await createPool(['a', 'b'])
    request({})
    await engine.flush()
    told = []
  })

  it('has its events told from memory after 2 s, and written once it is well', async () => {
    store.trouble = new Error('disk full')
    expect(request({ a: limited })).toBe('b')
    await clock.advance(2_500)
    expect(told.map(({ event, seq }) => [event.kind, seq])).toEqual([
      ['store_trouble', null],
      ['cred_cooled', null],
      ['cred_failover', null],
    ])
    store.trouble = null
    await clock.advance(5_000)
    await engine.flush()
    expect(kinds().slice(-3)).toEqual(['cred_cooled', 'cred_failover', 'store_healed'])
    expect(told.map(({ event }) => event.kind).slice(3)).toEqual(['store_healed'])
  })
})

describe('pools of hosts', () => {
  it('answers host-down, not exhaustion, when only the hosts are in the way, and blames no credential', async () => {
    await addMembers(['a', 'b'])
    await createPool(['a', 'b'])
    const infra: Outcome = { ...success, kind: 'infra', reason: 'connect', status: null }
    expect(request({ a: infra })).toBe('host-down')
    expect(engine.pool('openai')?.members.map(({ health }) => health.state)).toEqual(['healthy', 'healthy'])
    await clock.advance(1_000)
    expect(request({})).toBe('a')
    await engine.flush()
    expect(kinds()).toEqual(['host_down', 'host_up'])
  })
})

describe('members near their limit', () => {
  const used = (usedPercent: number): Usage[] => {
    const seenAt = clock.now()
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
    await clock.advance(1_000)
    observe(98)
    expect(request({})).toBe('b')
    await engine.flush()
    expect(rowsOf('cred_failover')).toMatchObject([{ from: 'a', to: 'b', reason: 'preempted' }])
  })

  it('are kept when the others are near theirs, too, and when the pool does not preempt', async () => {
    await addMembers(['a', 'b'])
    await createPool(['a', 'b'], { preemptAt: 98 })
    observe(99)
    observe(99)
    expect(request({})).toBe('b')
    await engine.changePool('openai', { preemptAt: null }, 'test')
    await clock.advance(1_000)
    observe(100)
    expect(request({})).toBe('b')
    expect(engine.pool('openai')?.members[1]?.usage).toMatchObject([{ window: '5h', usedPercent: 100 }])
  })
})

describe('probes of a lease', () => {
  const inDomain = { ...limited, scope: 'domain' as const, until: 0 }

  it('are given back to the quota domain when the secret changed while they were under way', async () => {
    await addMembers(['a', 'b'], { domain: 'org' })
    await createPool(['a', 'b'])
    request({ a: { ...inDomain, until: clock.now() + 5_000 } })
    await clock.advance(5_000)
    const turn = begin()
    lease(turn)
    await engine.renewCredential('a', 'refresh', () => [], 'spillway')
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
    ask(scoped('opus', clock.now() + 5_000))
    await clock.advance(5_000)
    expect(ask(scoped('sonnet', clock.now() + 60_000))).toBe('probe')
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
      await clock.advance(1)
      turn.late(limited)
    }
    expect(engine.pool('openai')?.members[0]?.health).toMatchObject({ state: 'cooling', strikes: 0 })
  })
})
