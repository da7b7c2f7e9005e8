import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Fleet, startFleet } from '../../fakes/rig/fleet.ts'
import type { Installation } from '../../fakes/rig/installation.ts'
import { answer } from '../../fakes/upstream/upstream.ts'

const limited = answer(
  429,
  { 'retry-after': '600' },
  { error: { message: 'Rate limit reached', type: 'requests', code: 'rate_limit_exceeded' } },
)

let fleet: Fleet
let one: Installation
let two: Installation
let three: Installation

beforeAll(async () => {
  fleet = await startFleet(3, () => ({ config: { 'pools.maxWaitMs': '0', 'server.preDrainMs': '2s' } }))
  ;[one, two, three] = fleet.replicas as [Installation, Installation, Installation]
  await one.pool('openai', ['a', 'b', 'c'])
}, 60_000)
afterAll(() => fleet?.close())

/** Resolves when it is so on every replica. */
async function everywhere(isSo: (replica: Installation) => Promise<boolean>): Promise<void> {
  for (const replica of fleet.replicas) await expect.poll(() => isSo(replica), { timeout: 10_000 }).toBe(true)
}

const member = async (replica: Installation, name: string) =>
  (await replica.ops.poolStatus({ name: 'openai' })).members.find((each) => each.name === name)
const told = async (kind: string) => (await one.daemon.core.store.audit({ kind })).length

describe('a fleet of three', () => {
  it('serves from a pool, with a key, that another replica has made', async () => {
    await everywhere(async (replica) => (await replica.ask()).status === 200)
    const { key } = await two.ops.keyCreate({ name: 'ci' })
    const headers = { authorization: `Bearer ${key}` }
    const status = async (replica: Installation) => (await replica.send('/openai/v1/models', { headers })).status
    await everywhere(async (replica) => (await status(replica)) === 200)
    await three.ops.keyRevoke({ name: 'ci' })
    await everywhere(async (replica) => (await status(replica)) === 401)
  })

  it('obeys a cooldown that one of them has met, and tells it once', async () => {
    fleet.upstream.on('sk-a').always(limited)
    expect((await one.ask()).status).toBe(200)
    await everywhere(async (replica) => (await member(replica, 'a'))?.health.state === 'cooling')
    fleet.upstream.forget()
    for (const replica of fleet.replicas) expect((await replica.ask()).status).toBe(200)
    expect(fleet.upstream.served).toEqual(['sk-b', 'sk-b', 'sk-b'])
    await everywhere(async (replica) => (await replica.ops.poolStatus({ name: 'openai' })).active === 'b')
    expect([await told('cred_cooled'), await told('cred_failover')]).toEqual([1, 1])
    fleet.upstream.on('sk-a').clear()
    await two.ops.poolClear({ name: 'openai', member: 'a' })
    await everywhere(async (replica) => (await member(replica, 'a'))?.health.state === 'healthy')
  })

  it('follows a park, a rotation, an order, a new member and a replaced key', async () => {
    await one.ops.poolPark({ name: 'openai', member: 'b' })
    await everywhere(async (replica) => (await member(replica, 'b'))?.park !== null)
    fleet.upstream.forget()
    for (const replica of fleet.replicas) await replica.ask()
    expect(new Set(fleet.upstream.served)).toEqual(new Set(['sk-c']))
    await two.ops.poolUnpark({ name: 'openai', member: 'b' })
    await three.ops.poolRotate({ name: 'openai', to: 'a' })
    await everywhere(async (replica) => (await replica.ops.poolStatus({ name: 'openai' })).active === 'a')
    await two.credential('d')
    await one.daemon.core.store.space()
    await two.ops.poolAdd({ name: 'openai', member: 'd', position: 1 })
    await everywhere(async (replica) => (await member(replica, 'd'))?.position === 1)
    await one.ops.poolRotate({ name: 'openai', to: 'd' })
    await everywhere(async (replica) => (await replica.ops.poolStatus({ name: 'openai' })).active === 'd')
    await three.ops.credReplace({ name: 'd', secret: 'sk-other' })
    await everywhere(async (replica) => {
      fleet.upstream.forget()
      await replica.ask()
      return fleet.upstream.served[0] === 'sk-other'
    })
    await two.ops.poolDrop({ name: 'openai', member: 'd' })
    await everywhere(async (replica) => (await member(replica, 'd')) === undefined)
  })

  it('lists its replicas, and has one chain of audit rows', async () => {
    const { replicas } = await two.ops.status({})
    expect(replicas.map(({ name, version, draining }) => [name.replace(/:\d+$/, ''), version, draining])).toEqual([
      ['replica-1', '0.0.0-test', false],
      ['replica-2', '0.0.0-test', false],
      ['replica-3', '0.0.0-test', false],
    ])
    expect(await three.ops.auditVerify({})).toMatchObject({ ok: true })
  })
})

describe('F37: while the database is away', () => {
  it('requests go on from memory, what is learnt is joined afterwards, and it is told once', async () => {
    for (const relay of fleet.relays) relay.cut()
    fleet.upstream.on('sk-c').always(limited)
    await one.ops.poolRotate({ name: 'openai', to: 'c' }).catch(() => {})
    for (let round = 0; round < 5; round++)
      for (const replica of fleet.replicas) expect((await replica.ask()).status).toBe(200)
    await expect.poll(async () => (await one.ops.status({})).incidents.length, { timeout: 10_000 }).toBe(1)
    for (const relay of fleet.relays) relay.restore()
    await everywhere(async (replica) => (await member(replica, 'c'))?.health.state === 'cooling')
    await expect.poll(async () => (await one.ops.status({})).incidents.length, { timeout: 15_000 }).toBe(0)
    expect(await three.ops.auditVerify({})).toMatchObject({ ok: true })
    fleet.upstream.on('sk-c').clear()
    await one.ops.poolClear({ name: 'openai', member: 'c' })
  }, 60_000)
})

describe('a replica that is told to stop', () => {
  it('is not ready, says that it drains, serves on for a while, and leaves its lead to another one', async () => {
    expect(fleet.replicas.map((replica) => replica.daemon.core.fleet.leads())).toEqual([true, false, false])
    const left = one.daemon.drain()
    await expect.poll(async () => (await one.send('/readyz')).status).toBe(503)
    const drains = async () => (await two.ops.status({})).replicas.map(({ draining }) => draining)
    await expect.poll(drains).toEqual([true, false, false])
    for (const replica of fleet.replicas) expect((await replica.ask()).status).toBe(200)
    await left
    const leads = () => [two, three].filter((replica) => replica.daemon.core.fleet.leads()).length
    await expect.poll(leads, { timeout: 10_000 }).toBe(1)
    expect((await two.ops.status({})).replicas.map(({ name }) => name.slice(0, 9))).toEqual(['replica-2', 'replica-3'])
    await one.start()
    expect((await one.ask()).status).toBe(200)
  }, 30_000)
})
