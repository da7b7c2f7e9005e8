import type { Snapshot, Write } from '../store/store.ts'

/** What a replica has in memory, by the keys of its rows. */
export interface InMemory {
  readonly credentials: readonly string[]
  readonly pools: readonly { readonly name: string; readonly members: readonly string[] }[]
}

/** The writes that bring a memory up to a snapshot, in an order in which they can be applied. */
export function differenceTo(snapshot: Snapshot, memory: InMemory): readonly Write[] {
  const { credentials, states, domains, pools, poolStates, seats, keys, secrets, meta } = snapshot
  const kept = new Set(credentials.map(({ id }) => id))
  const named = new Set(pools.map(({ name }) => name))
  const seated = new Set(seats.map(({ pool, credentialId }) => `${pool} ${credentialId}`))
  const dropped: Write[] = [
    ...memory.pools.filter(({ name }) => !named.has(name)).map(({ name }) => ({ drop: 'pool', name }) as const),
    ...memory.credentials.filter((id) => !kept.has(id)).map((id) => ({ drop: 'credential', id }) as const),
    ...memory.pools.flatMap(({ name: pool, members }) =>
      members
        .filter((credentialId) => named.has(pool) && kept.has(credentialId) && !seated.has(`${pool} ${credentialId}`))
        .map((credentialId) => ({ drop: 'seat', pool, credentialId }) as const),
    ),
  ]
  return [
    ...dropped,
    ...credentials.map((row) => ({ put: 'credential', row }) as const),
    ...states.map((row) => ({ put: 'credential-state', row }) as const),
    ...domains.map((row) => ({ put: 'domain', row }) as const),
    ...pools.map((row) => ({ put: 'pool', row }) as const),
    ...seats.map((row) => ({ put: 'seat', row }) as const),
    ...poolStates.map((row) => ({ put: 'pool-state', row }) as const),
    ...keys.map((row) => ({ put: 'key', row }) as const),
    ...secrets.map((row) => ({ put: 'secret', row }) as const),
    ...Object.entries(meta).map(([name, value]) => ({ put: 'meta', name, value }) as const),
  ]
}
