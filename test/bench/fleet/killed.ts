import { ask, Load } from './client.ts'
import { exhaustions, type Ground, limited, members } from './ground.ts'
import type { Replica } from './replica.ts'
import { agreed, pause, until } from './waiting.ts'

/** What was lost when replicas were killed at random under load, and what was told twice. */
export interface Killed {
  readonly rounds: number
  /** Parks that the killed replica had confirmed. */
  readonly parks: number
  readonly lostParks: readonly string[]
  /** Cooldowns that stand in the audit log. */
  readonly cooldowns: number
  readonly lostCooldowns: readonly string[]
  readonly incidents: number
  readonly lostIncidents: readonly string[]
  readonly toldTwice: readonly string[]
  readonly sent: number
  /** On replicas other than the one that was killed. */
  readonly failedElsewhere: readonly string[]
  readonly chainHolds: boolean
}

/** What one round does, and what has to be there afterwards. */
interface Round {
  readonly name: string
  readonly victim: Replica
  readonly others: readonly Replica[]
  readonly parked: string
  readonly cooled: string
}

/** Kills one replica after the other while requests run, right after it parks a member, cools another and exhausts a pool. */
export async function killed(ground: Ground, rounds: number): Promise<Killed> {
  const found = {
    ...{ parks: 0, cooldowns: 0, incidents: 0, toldTwice: [] as string[], failedElsewhere: [] as string[] },
    ...{ lostParks: [] as string[], lostCooldowns: [] as string[], lostIncidents: [] as string[] },
  }
  const load = await new Load(ground).start()
  for (let at = 0; at < rounds; at++) {
    const victim = ground.replica(Math.floor(Math.random() * 3))
    const others = ground.replicas.filter((replica) => replica !== victim)
    const parked = members[at % members.length] ?? ''
    const cooled = (await ground.replica(0).ops.poolStatus({ name: 'busy' })).active ?? ''
    const round: Round = { name: `${at} (${victim.name})`, victim, others, parked, cooled }
    const failedBefore = load.failed.length
    const did = await act(ground, round)
    await pause(500)
    for (const replica of others) note(found, round, did, await membersOf(replica))
    if (did.isParked) found.parks++
    if (did.isCooled) found.cooldowns++
    await victim.start()
    note(found, round, did, await membersOf(victim))
    await incident(ground, round, found)
    await restore(ground, others[0] ?? victim)
    found.failedElsewhere.push(
      ...load.failed.slice(failedBefore).filter((failure) => !failure.startsWith(`${victim.name} `)),
    )
  }
  await load.stop()
  const { ok } = await ground.replica(0).ops.auditVerify({})
  return { rounds, ...found, sent: load.sent, chainHolds: ok }
}

interface Did {
  readonly isParked: boolean
  readonly isCooled: boolean
}

async function act(ground: Ground, { victim, parked, cooled }: Round): Promise<Did> {
  const [last] = await ground.sql<{ seq: string }>('select coalesce(max(seq), 0) as seq from audit')
  const park = victim.ops.poolPark({ name: 'busy', member: parked, forMs: 3_600_000 }).then(
    () => true,
    () => false,
  )
  ground.upstream.on(`sk-${cooled}`).once(limited)
  ground.upstream.on('sk-only').always(limited)
  const asked = Promise.all([ask(ground, victim, 'busy'), ask(ground, victim, 'tiny')])
  await pause(Math.random() * 600)
  await victim.kill()
  await asked
  const rows = await ground.sql<{ seq: string }>(
    `select seq from audit where seq > ${last?.seq} and kind = 'cred_cooled' and from_member = '${cooled}'`,
  )
  return { isParked: await park, isCooled: rows.length > 0 }
}

async function membersOf(replica: Replica) {
  return { name: replica.name, members: (await replica.ops.poolStatus({ name: 'busy' })).members }
}

function note(
  found: { lostParks: string[]; lostCooldowns: string[] },
  { name, parked, cooled }: Round,
  { isParked, isCooled }: Did,
  on: Awaited<ReturnType<typeof membersOf>>,
): void {
  const member = (wanted: string) => on.members.find((each) => each.name === wanted)
  if (isParked && !member(parked)?.park) found.lostParks.push(`${name}: ${parked} on ${on.name}`)
  if (isCooled && member(cooled)?.health.state !== 'cooling')
    found.lostCooldowns.push(`${name}: ${cooled} on ${on.name}`)
}

/** Every exhaustion is told, and none twice. */
async function incident(
  ground: Ground,
  { name, others }: Round,
  found: { incidents: number; lostIncidents: string[]; toldTwice: string[] },
): Promise<void> {
  for (const replica of others) await ask(ground, replica, 'tiny')
  found.incidents++
  if (!(await until(40_000, () => exhaustions(ground) > 0))) found.lostIncidents.push(name)
  await pause(500)
  const times = exhaustions(ground)
  if (times > 1) found.toldTwice.push(`${name}: ${times} times`)
}

/** Everybody usable again, and the exhaustion over. */
async function restore(ground: Ground, { ops }: Replica): Promise<void> {
  for (const name of [...members, 'only']) ground.upstream.on(`sk-${name}`).clear()
  for (const member of members) {
    await ops.poolUnpark({ name: 'busy', member })
    await ops.poolClear({ name: 'busy', member })
  }
  await ops.poolClear({ name: 'tiny', member: 'only' })
  await agreed(ground)
  await until(40_000, () => exhaustions(ground) === 0)
}
