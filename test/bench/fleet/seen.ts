import { ask } from './client.ts'
import { type Ground, limited } from './ground.ts'
import type { Replica } from './replica.ts'
import { pause } from './waiting.ts'

/** When a change of one replica holds on the others, in ms. */
export async function seen(ground: Ground, rounds: number): Promise<Readonly<Record<string, number[]>>> {
  const found: Record<string, number[]> = {}
  const note = (what: string, ms: readonly number[]) => {
    found[what] = [...(found[what] ?? []), ...ms]
  }
  for (let round = 0; round < rounds; round++) {
    const acting = ground.replica(round)
    const others = ground.replicas.filter((replica) => replica !== acting)
    const when = (holds: (replica: Replica) => Promise<boolean>) => untilAll(others, holds)
    const member = async (replica: Replica, name: string) =>
      (await replica.ops.poolStatus({ name: 'busy' })).members.find((each) => each.name === name)
    const { active } = await acting.ops.poolStatus({ name: 'busy' })
    if (active === null) throw new Error('nobody serves')
    ground.upstream.on(`sk-${active}`).once(limited)
    await ask(ground, acting, 'busy')
    note('cooldown', await when(async (replica) => (await member(replica, active))?.health.state === 'cooling'))
    await acting.ops.poolClear({ name: 'busy', member: active })
    note('clear', await when(async (replica) => (await member(replica, active))?.health.state === 'healthy'))
    await acting.ops.poolPark({ name: 'busy', member: 'c', forMs: 600_000 })
    note('park', await when(async (replica) => (await member(replica, 'c'))?.park != null))
    await acting.ops.poolUnpark({ name: 'busy', member: 'c' })
    const { to } = await acting.ops.poolRotate({ name: 'busy' })
    note('rotate', await when(async (replica) => (await replica.ops.poolStatus({ name: 'busy' })).active === to))
    for (const name of ['a', 'b', 'c', 'd']) await acting.ops.poolUnpark({ name: 'busy', member: name })
    const weight = (round % 9) + 2
    await acting.ops.poolTune({ name: 'busy', member: 'd', weight })
    note('tune', await when(async (replica) => (await member(replica, 'd'))?.weight === weight))
    const name = `seen-${round}`
    await acting.ops.keyCreate({ name })
    const hasKey = async (replica: Replica) =>
      (await replica.ops.keyList({})).some((key) => key.name === name && key.revokedAt === null)
    note('key create', await when(hasKey))
    await acting.ops.keyRevoke({ name })
    note('key revoke', await when(async (replica) => !(await hasKey(replica))))
    await acting.ops.poolCreate({ name, provider: 'openai', members: ['a'], upstream: ground.upstream.url })
    const hasPool = async (replica: Replica) => (await replica.ops.poolList({})).some((pool) => pool.name === name)
    note('pool create', await when(hasPool))
    await acting.ops.poolDelete({ name })
    note('pool drop', await when(async (replica) => !(await hasPool(replica))))
  }
  return found
}

/** For each, how long it took until it holds there. */
function untilAll(replicas: readonly Replica[], holds: (replica: Replica) => Promise<boolean>): Promise<number[]> {
  const begun = performance.now()
  return Promise.all(
    replicas.map(async (replica) => {
      while (!(await holds(replica))) {
        if (performance.now() - begun > 20_000) throw new Error(`${replica.name} has not heard of it in 20 s`)
        await new Promise((resolve) => setTimeout(resolve, 2))
      }
      return performance.now() - begun
    }),
  )
}

/** How many rows of which table requests which go well change, but those by which replicas say that they live. */
export async function writes(ground: Ground, requests: number): Promise<Readonly<Record<string, number>>> {
  // What was told of the changes before it is edited for a while.
  await pause(30_000)
  for (const replica of ground.replicas) await ask(ground, replica, 'busy')
  await pause(1_000)
  const before = await changedRows(ground)
  for (let at = 0; at < requests; at++) {
    const status = await ask(ground, ground.replica(at), 'busy')
    if (status !== 200) throw new Error(`a request ended with ${status}`)
  }
  await pause(2_000)
  const after = await changedRows(ground)
  const changed = [...after].map(([table, rows]) => [table, rows - (before.get(table) ?? 0)] as const)
  return Object.fromEntries(changed.filter(([table, rows]) => rows > 0 && table !== 'leases' && table !== 'replicas'))
}

/** How many rows of each table were ever changed. */
async function changedRows(ground: Ground): Promise<ReadonlyMap<string, number>> {
  const found = await ground.sql<{ name: string; rows: string }>(
    'select relname as name, n_tup_ins + n_tup_upd + n_tup_del as rows from pg_stat_user_tables',
  )
  return new Map(found.map(({ name, rows }) => [name, Number(rows)]))
}
