import { beforeEach, describe, expect, it } from 'vitest'
import { MemoryFleet } from '../../../test/fakes/rig/memory-fleet.ts'
import { credentialRecord, engineSettings, limited, poolRecord, success } from '../../../test/fakes/rig/records.ts'
import { FakeClock } from '../../clock/clock.ts'
import { type Announcement, eventBus } from '../../events/events.ts'
import type { Outcome } from '../../pool/pool.ts'
import type { Shared } from '../../store/store.ts'
import type { Sealed } from '../../vault/vault.ts'
import { type Engine, startEngine } from '../engine.ts'

/** One replica: its engine, what it announced, and the number up to which it has heard of the others. */
interface Peer {
  readonly name: string
  readonly engine: Engine
  readonly shared: Shared
  readonly told: Announcement[]
  number: number
}

let clock: FakeClock
let fleet: MemoryFleet
let peers: [Peer, Peer, Peer]

async function join(name: string): Promise<Peer> {
  const store = fleet.open(name)
  const { shared } = store
  const told: Announcement[] = []
  const bus = eventBus((error) => {
    throw error
  })
  bus.subscribe((announcement) => told.push(announcement))
  const { snapshot, number } = await shared.snapshot()
  const rights = { take: async () => true, give: () => {} }
  const engine = await startEngine({
    store,
    bus,
    clock,
    log: { debug() {}, info() {}, warn() {}, error() {} },
    settings: engineSettings,
    defaultBaseUrl: () => 'https://upstream.example',
    prober: () => ({ probe: async () => ({ finding: 'confirmed', reason: 'auth-rejected', status: 401 }) }),
    random: () => 0,
    onSuppressed: () => undefined,
    shared: { store: shared, snapshot, number, rights },
  })
  return { name, engine, shared, told, number }
}

/** The peer hears what it has missed. */
async function hear(peer: Peer): Promise<void> {
  const changes = await peer.shared.changes(peer.number)
  if (!changes) throw new Error('too long ago')
  peer.engine.adopt(changes)
  peer.number = changes.number
}

async function settle(): Promise<void> {
  for (const { engine } of peers) await engine.flush()
  for (const peer of peers) await hear(peer)
}

/** One request as the proxy walks it: who served, or what was decided. */
function request({ engine }: Peer, answers: Readonly<Record<string, Outcome>> = {}): string {
  const pool = engine.find('openai')
  if (!pool) throw new Error('no pool')
  const turn = engine.begin(pool, null)
  try {
    for (;;) {
      const decision = turn.next()
      if (decision.kind !== 'lease') {
        if (decision.kind === 'exhausted') turn.refused(decision)
        return decision.kind
      }
      const outcome = answers[decision.lease.member] ?? success
      turn.report(outcome)
      if (outcome.kind === 'success') return decision.lease.member
    }
  } finally {
    turn.end()
  }
}

const health = ({ engine }: Peer, id: string) => engine.credential(`id-${id}`)?.health
const kinds = () =>
  fleet.base.rows.map(({ kind }) => kind).filter((kind) => kind !== 'cred_added' && kind !== 'pool_changed')

beforeEach(async () => {
  clock = new FakeClock()
  fleet = new MemoryFleet(clock)
  peers = [await join('one'), await join('two'), await join('three')]
  const [{ engine }] = peers
  for (const name of ['work', 'home', 'spare'])
    await engine.addCredential(credentialRecord({ name, provider: 'openai' }), [], 'test')
  const members = ['work', 'home', 'spare'].map((member) => ({ member, weight: 1 }))
  await engine.createPool(poolRecord({ name: 'openai', provider: 'openai', upstream: null }), members, 'test')
  await settle()
  for (const { told } of peers) told.length = 0
})

describe('what another replica removes in the same moment stays removed', () => {
  const settled = async (...acts: Promise<unknown>[]) => {
    await Promise.all(acts)
    await settle()
    for (const { engine } of peers) expect(engine.pools().length).toBe(peers[0].engine.pools().length)
  }

  it('a pool of which a setting is changed', async () => {
    const [one, two, three] = peers
    await settled(
      one.engine.deletePool('openai', 'operator:cli'),
      two.engine.changePool('openai', { strategy: 'round-robin' }, 'operator:cli'),
    )
    for (const { engine } of [one, two, three]) expect(engine.pool('openai')).toBeUndefined()
    expect((await two.shared.snapshot()).snapshot.pools).toEqual([])
  })

  it('and of two changes of one pool the later one holds everywhere', async () => {
    const [one, two] = peers
    await settled(
      one.engine.changePool('openai', { strategy: 'round-robin' }, 'operator:cli'),
      two.engine.changePool('openai', { maxWaitMs: 5_000 }, 'operator:cli'),
    )
    const { pools } = (await two.shared.snapshot()).snapshot
    for (const { engine } of peers) expect(engine.pool('openai')?.record).toEqual(pools[0])
  })

  it('a credential that gets a new secret', async () => {
    const [one, two, three] = peers
    const row = credentialRecord({ name: 'work', provider: 'openai' })
    const secret = { owner: row.id, field: 'secret', generation: 2, sealed: 'x' as unknown as Sealed }
    const rows = [{ put: 'credential', row } as const, { put: 'secret', row: secret } as const]
    await settled(
      one.engine.removeCredential('work', { force: true }, 'operator:cli'),
      two.engine.renewCredential('work', 'operator', () => rows, 'operator:cli'),
    )
    for (const { engine } of [one, two, three]) expect(engine.credential(row.id)).toBeUndefined()
    const { snapshot } = await two.shared.snapshot()
    expect(snapshot.credentials.map(({ name }) => name)).not.toContain('work')
    expect(snapshot.secrets).toEqual([])
  })
})

describe('a change of one replica holds on the others', () => {
  it('a new pool and its members', () => {
    for (const peer of peers) expect(request(peer)).toBe('work')
  })

  it('a cooldown, and who serves instead', async () => {
    const [one, two] = peers
    request(one, { work: limited })
    await settle()
    expect(health(two, 'work')).toEqual(health(one, 'work'))
    expect(two.engine.pool('openai')?.active).toBe('home')
    expect(request(two)).toBe('home')
    expect(two.told).toEqual([])
    expect(kinds()).toEqual(['cred_cooled', 'cred_failover'])
  })

  it('its end', async () => {
    const [one, two] = peers
    request(one, { work: limited })
    await settle()
    await two.engine.clear('openai', 'work', 'operator:cli')
    await settle()
    expect(health(one, 'work')).toMatchObject({ state: 'healthy' })
  })

  it('a park, a rotation, an unpark', async () => {
    const [one, two, three] = peers
    await one.engine.park('openai', 'home', null, 'operator:cli')
    await settle()
    await two.engine.rotate('openai', { to: null, forMs: null }, 'operator:cli')
    await settle()
    expect(request(three)).toBe('spare')
    await three.engine.unpark('openai', 'home', 'operator:cli')
    await settle()
    expect(one.engine.pool('openai')?.members.map(({ park }) => park !== null)).toEqual([true, false, false])
  })

  it('the order of members, a member that is dropped, a pool that is deleted, a credential that is removed', async () => {
    const [one, two, three] = peers
    await one.engine.reorder('openai', ['spare', 'work', 'home'], 'operator:cli')
    await settle()
    await two.engine.dropMember('openai', 'work', 'operator:cli')
    await settle()
    expect(three.engine.pool('openai')?.members.map(({ name }) => name)).toEqual(['spare', 'home'])
    await three.engine.removeCredential('spare', { force: true }, 'operator:cli')
    await settle()
    expect(one.engine.pool('openai')?.members.map(({ name }) => name)).toEqual(['home'])
    await one.engine.deletePool('openai', 'operator:cli')
    await settle()
    expect(two.engine.find('openai')).toBeUndefined()
    expect(two.engine.credential('id-spare')).toBeUndefined()
  })

  it('a request that waits for a member goes when another replica hears that it has recovered', async () => {
    const [one, two] = peers
    const all = { work: limited, home: limited, spare: limited }
    request(one, all)
    await settle()
    const turn = two.engine.begin(two.engine.find('openai')!, null)
    const decision = turn.next()
    if (decision.kind !== 'exhausted') throw new Error('somebody serves')
    await one.engine.changePool('openai', { maxWaitMs: 90_000 }, 'operator:cli')
    await settle()
    const held = turn.hold(new AbortController().signal)
    await one.engine.clear('openai', 'home', 'operator:cli')
    await settle()
    expect(await held).toMatchObject({ kind: 'lease', lease: { member: 'home' } })
    turn.end()
  })
})

describe('what several replicas find at the same time', () => {
  it('is told once', async () => {
    for (const peer of peers) request(peer, { work: limited })
    await settle()
    expect(kinds()).toEqual(['cred_cooled', 'cred_failover'])
    for (const peer of peers) expect(peer.engine.pool('openai')?.active).toBe('home')
  })

  it('is told once, also when it is heard while our own decision waits to be written', async () => {
    const [one, two] = peers
    const all = { work: limited, home: limited, spare: limited }
    // What waits is behind a write that is under way.
    let go = () => {}
    fleet.base.hung = new Promise((resolve) => {
      go = resolve
    })
    await Promise.resolve()
    request(one, all)
    request(two, all)
    const heard = two.shared.changes.bind(two.shared)
    go()
    fleet.base.hung = null
    for (let turn = 0; turn < 20; turn++) {
      const changes = await heard(two.number)
      if (changes) two.engine.adopt(changes)
      two.number = changes?.number ?? two.number
    }
    await settle()
    expect(kinds().filter((kind) => kind === 'pool_exhausted')).toHaveLength(1)
  })

  it('an exhaustion and its end are told once', async () => {
    const all = { work: limited, home: limited, spare: limited }
    for (const peer of peers) request(peer, all)
    for (const peer of peers) request(peer, all)
    await settle()
    expect(kinds().filter((kind) => kind === 'pool_exhausted')).toHaveLength(1)
    await clock.advance(61_000)
    for (const peer of peers) expect(request(peer)).toBe('work')
    await settle()
    expect(kinds().filter((kind) => kind === 'pool_recovered')).toHaveLength(1)
    for (const peer of peers) expect(peer.engine.pool('openai')?.exhausted).toBe(false)
  })

  it('the longer cooldown wins, whoever writes first', async () => {
    const [one, two] = peers
    const long: Outcome = { ...limited, kind: 'quota-exhausted', reason: 'quota', until: clock.now() + 3_600_000 }
    request(two, { work: long })
    request(one, { work: limited })
    await settle()
    await settle()
    for (const peer of peers)
      expect(health(peer, 'work')).toMatchObject({ reason: 'quota', until: clock.now() + 3_600_000 })
  })

  it("an operator's word stands beside a cooldown of the same moment", async () => {
    const [one, two] = peers
    request(one, { work: limited })
    await two.engine.setEnabled('work', false, 'operator:cli')
    await settle()
    await settle()
    for (const peer of peers) expect(health(peer, 'work')).toMatchObject({ state: 'disabled', by: 'operator' })
  })

  it('blame for an old secret does not outlive its successor', async () => {
    const [one, two] = peers
    await two.engine.renewCredential('work', 'operator', () => [], 'operator:cli')
    request(one, { work: limited })
    await settle()
    await settle()
    for (const peer of peers) expect(health(peer, 'work')).toMatchObject({ state: 'healthy' })
    expect(one.engine.credential('id-work')?.generation).toBe(2)
  })
})

describe('while a replica cannot reach the store', () => {
  it('it serves from what it knows, and what both sides learnt is joined afterwards', async () => {
    const [one, two] = peers
    fleet.cut('one', true)
    one.engine.storeIs(false)
    request(one, { work: limited })
    await two.engine.park('openai', 'home', null, 'operator:cli')
    expect(request(one)).toBe('home')
    await clock.advance(2_500)
    expect(one.told.map(({ event }) => event.kind)).toEqual(['store_trouble', 'cred_cooled', 'cred_failover'])
    fleet.cut('one', false)
    one.engine.storeIs(true)
    await clock.advance(5_000)
    await settle()
    await settle()
    for (const peer of peers) {
      expect(health(peer, 'work')).toMatchObject({ state: 'cooling' })
      expect(request(peer)).toBe('spare')
    }
    expect(kinds().filter((kind) => kind === 'store_healed')).toHaveLength(1)
  })

  it('is told once and ends, also when it had nothing to write', async () => {
    const [one] = peers
    one.engine.storeIs(false)
    await clock.advance(2_500)
    one.engine.storeIs(true)
    await clock.advance(1)
    expect(one.told.map(({ event }) => event.kind)).toEqual(['store_trouble', 'store_healed'])
  })
})
