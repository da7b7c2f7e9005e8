import type { Ground } from './ground.ts'
import type { Replica } from './replica.ts'

/** How often it ended how. */
export type Raced = Readonly<Record<string, number>>

/** What two replicas that make one name in the same moment come to. */
export async function races(ground: Ground, rounds: number): Promise<Readonly<Record<string, Raced>>> {
  const [one, two] = ground.replicas as [Replica, Replica]
  const found: Record<string, Record<string, number>> = {}
  for (let round = 0; round < rounds; round++) {
    const name = `race-${round}`
    const kinds: Record<string, (replica: Replica) => Promise<unknown>> = {
      credential: (replica) =>
        replica.ops.credAdd({ name, provider: 'openai', source: { kind: 'vault', secret: `sk-${replica.name}` } }),
      key: (replica) => replica.ops.keyCreate({ name }),
      pool: (replica) =>
        replica.ops.poolCreate({
          ...{ name, provider: 'openai', upstream: ground.upstream.url, members: [replica === one ? 'a' : 'b'] },
        }),
      member: (replica) => replica.ops.poolAdd({ name, member: replica === one ? 'c' : 'd' }),
      job: (replica) => replica.ops.jobClaim({ name, holder: replica.name }),
    }
    for (const [kind, make] of Object.entries(kinds)) {
      const ends = await Promise.allSettled([make(one), make(two)])
      const made = ends.filter((end) => end.status === 'fulfilled')
      const won = kind === 'job' ? made.filter(({ value }) => (value as { lease: unknown }).lease !== null) : made
      const refused = ends.flatMap((end) => (end.status === 'rejected' ? [(end.reason as { code?: string }).code] : []))
      const agree = await haveTheSame(ground)
      const result = `${won.length} made${refused.length > 0 ? `, refused ${refused}` : ''}${agree ? '' : ', memories differ'}`
      found[kind] = { ...found[kind], [result]: (found[kind]?.[result] ?? 0) + 1 }
    }
    await one.ops.poolDelete({ name }).catch(() => {})
    await one.ops.credRemove({ name, force: true }).catch(() => {})
    await one.ops.keyRevoke({ name }).catch(() => {})
    await haveTheSame(ground)
  }
  return found
}

async function haveTheSame(ground: Ground): Promise<boolean> {
  try {
    await ground.same(async ({ ops }) => {
      const pools = (await ops.poolList({})).map(({ name, members, upstream }) => [
        name,
        members.map((each) => each.name),
        upstream,
      ])
      const credentials = (await ops.credList({})).map(({ name, identity }) => [name, identity.fingerprint])
      const keys = (await ops.keyList({}))
        .filter(({ revokedAt }) => revokedAt === null)
        .map(({ id, name }) => [name, id])
      return [pools.sort(), credentials.sort(), keys.sort()]
    })
    return true
  } catch {
    return false
  }
}
