import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Ops } from '../../../internal/ops/ops.ts'
import { type Fleet, startFleet } from '../../fakes/rig/fleet.ts'

let fleet: Fleet

beforeAll(async () => {
  fleet = await startFleet(2)
  const [one, two] = fleet.replicas
  for (const name of ['a', 'b', 'c', 'd']) await one?.credential(name)
  await vi.waitUntil(async () => (await two?.ops.credList({}))?.length === 4, { timeout: 10_000 })
}, 60_000)
afterAll(() => fleet?.close())

const vault = (secret: string) => ({ kind: 'vault' as const, secret })
const rounds = [1, 2, 3, 4, 5]

/** What both replicas have, by name. */
async function everything(ops: Ops): Promise<unknown> {
  const pools = await ops.poolList({})
  const credentials = await ops.credList({})
  return {
    pools: pools.map(({ name, members }) => [name, members.map((member) => [member.name, member.position])]).sort(),
    credentials: credentials.map(({ name, identity }) => [name, identity.fingerprint]).sort(),
    keys: (await ops.keyList({})).map(({ name, id, revokedAt }) => [name, id, revokedAt]).sort(),
  }
}

/** Both replicas are asked in the same moment; what became of it, and that they know the same afterwards. */
async function both(ask: (ops: Ops, at: number) => Promise<unknown>): Promise<string[]> {
  const ends = await Promise.allSettled(fleet.replicas.map(({ ops }, at) => ask(ops, at)))
  const [one, two] = fleet.replicas
  await expect
    .poll(async () => JSON.stringify(await everything(two!.ops)) === JSON.stringify(await everything(one!.ops)))
    .toBe(true)
  return ends.map((end) => (end.status === 'fulfilled' ? 'made' : end.reason.message)).sort()
}

describe('what two replicas are asked to make in the same moment', () => {
  it.each(rounds)('is made by one, and refused by the other: credential, key and pool %i', async (round) => {
    const name = `same-${round}`
    const refused = (what: string) => [`made`, `there is a ${what} named ${name} already`].sort()
    const credential = (ops: Ops, at: number) => ops.credAdd({ name, provider: 'openai', source: vault(`sk-${at}`) })
    expect(await both(credential)).toEqual(refused('credential'))
    expect(await both((ops) => ops.keyCreate({ name }))).toEqual(refused('key'))
    const members = [['a'], ['b']]
    const { url: upstream } = fleet.upstream
    const pool = (ops: Ops, at: number) =>
      ops.poolCreate({ name, provider: 'openai', upstream, members: members[at] ?? [] })
    expect(await both(pool)).toEqual(refused('pool'))
    expect(await both((ops, at) => ops.poolAdd({ name, member: at === 0 ? 'c' : 'd' }))).toEqual(['made', 'made'])
    const pools = await fleet.replicas[0]?.ops.poolStatus({ name })
    expect(pools?.members.map(({ position }) => position)).toEqual([1, 2, 3])
  })
})

describe('a job', () => {
  it.each(rounds)('is claimed by one of two replicas that ask in the same moment, time %i', async (round) => {
    const name = `nightly-${round}`
    const claims = await Promise.all(fleet.replicas.map(({ ops }, at) => ops.jobClaim({ name, holder: `host-${at}` })))
    const won = claims.findIndex(({ lease }) => lease !== null)
    const [winner, loser] = [fleet.replicas[won]!.ops, fleet.replicas[1 - won]!.ops]
    expect(claims[1 - won]).toMatchObject({ lease: null, why: 'running', holder: `host-${won}` })
    const lease = claims[won]?.lease ?? ''
    // A runner whose own replica is gone asks another one.
    expect(await loser.jobRenew({ name, lease })).toMatchObject({ held: true })
    const failed = { name, lease, failures: 2, infra: 0, waitMs: 60_000, running: false }
    expect(await winner.jobSettle(failed)).toMatchObject({ held: true })
    expect(await loser.jobClaim({ name, holder: 'host' })).toMatchObject({ lease: null, why: 'waiting', failures: 2 })
    expect(await loser.jobRenew({ name, lease })).toMatchObject({ held: false })
  })
})
