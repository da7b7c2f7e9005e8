import { ask, Load } from './client.ts'
import { chat, exhaustions, type Ground, limited } from './ground.ts'
import type { Replica } from './replica.ts'
import { agreed, pause, until } from './waiting.ts'

/** When another replica leads after the leader was stopped, in ms, and how often a notice came of which both knew. */
export async function frozen(ground: Ground, ms: number) {
  const [leader, before] = await leading(ground)
  const [witness] = ground.replicas.filter((replica) => replica !== leader) as [Replica]
  const load = await new Load(ground).start()
  leader.signal('SIGSTOP')
  const begun = performance.now()
  const isTaken = await until(ms, async () => ![before, ''].includes(await holder(ground)))
  const takenOverMs = isTaken ? performance.now() - begun : Number.NaN
  await pause(begun + ms - performance.now())
  ground.upstream.on('sk-only').always(limited)
  await ask(ground, witness, 'tiny')
  await until(20_000, () => exhaustions(ground) > 0)
  leader.signal('SIGCONT')
  await pause(5_000)
  const told = exhaustions(ground)
  ground.upstream.on('sk-only').clear()
  await agreed(ground)
  await witness.ops.poolClear({ name: 'tiny', member: 'only' })
  await load.stop()
  // Who was in the frozen one's hands waits for it; nobody else does.
  const failed = load.failed.filter((failure) => !failure.startsWith(`${leader.name} `))
  return { frozenMs: ms, takenOverMs, told, sent: load.sent, failed }
}

async function holder(ground: Ground): Promise<string> {
  const rows = await ground.sql<{ holder: string }>(
    "select holder from leases where name = 'lead' and until_at > extract(epoch from clock_timestamp()) * 1000",
  )
  return rows[0]?.holder ?? ''
}

async function leading(ground: Ground): Promise<[Replica, string]> {
  const id = await holder(ground)
  const rows = await ground.sql<{ name: string }>(`select name from replicas where id = '${id}'`)
  const found = ground.replicas.find(({ name }) => rows[0]?.name.startsWith(`${name}:`))
  if (!found) throw new Error('nobody leads')
  return [found, id]
}

/** What fails, and what is told, while the database crashes and comes back again and again. */
export async function restarted(ground: Ground, times: number) {
  const load = await new Load(ground).start()
  const backMs: number[] = []
  const before = ground.telegram.shown(chat).length
  for (let time = 0; time < times; time++) {
    await ground.server.crash()
    await pause(1_000 + Math.random() * 4_000)
    await ground.server.start()
    const begun = performance.now()
    const { ops } = ground.replica(time)
    const parks = () =>
      ops.poolPark({ name: 'busy', member: 'd' }).then(
        () => true,
        () => false,
      )
    await until(60_000, parks)
    backMs.push(performance.now() - begun)
    await ops.poolUnpark({ name: 'busy', member: 'd' })
    await agreed(ground)
  }
  await until(20_000, async () => (await ground.sql('select 1 from incidents where closed_at is null')).length === 0)
  await load.stop()
  const messages = ground.telegram.shown(chat).slice(before)
  const { ok } = await ground.replica(0).ops.auditVerify({})
  const { sent, failed } = load
  return { times, backMs, sent, failed, messages: messages.map(({ text }) => text), chainHolds: ok }
}
