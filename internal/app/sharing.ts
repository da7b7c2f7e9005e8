import { isDeepStrictEqual } from 'node:util'
import type { LiveCredentials } from '../credential/credential.ts'
import type { Engine } from '../engine/engine.ts'
import { differenceTo, type Fleet, type Hearing } from '../fleet/fleet.ts'
import type { Keyring } from '../keys/keys.ts'
import type { Batch, Changes, CredentialRecord, Store, Write } from '../store/store.ts'

interface Live {
  readonly engine: Engine
  readonly credentials: LiveCredentials
  readonly keys: Keyring
  readonly store: Store
  /** Is told of all rows that others have written. */
  readonly heard?: (writes: readonly Write[]) => void
}

/** Commits for whoever leads: rejects once another replica may lead. */
export function committing({
  store,
  fleet,
}: {
  store: Store
  fleet: Fleet
}): (batch: Batch) => Promise<readonly number[]> {
  return async (batch) => {
    const fence = fleet.lease()
    return fence && store.shared ? (await store.shared.commit({ ...batch, fence })).seqs : store.commit(batch)
  }
}

/** Takes what other replicas have changed into the live parts: secrets first, so that nobody serves without one. */
export function hearingOf(live: Live): Hearing {
  const { engine, keys } = live
  async function take(changes: Changes): Promise<void> {
    await secretsOf(live, changes.writes)
    engine.adopt(changes)
    for (const write of changes.writes) if ('put' in write && write.put === 'key') keys.add(write.row)
    live.heard?.(changes.writes)
  }
  return {
    take,
    async whole(snapshot, number) {
      const idOf = (member: string) => engine.credentials().find(({ record }) => record.name === member)?.record.id
      const writes = differenceTo(snapshot, {
        credentials: engine.credentials().map(({ record }) => record.id),
        pools: engine.pools().map(({ record, members }) => ({
          name: record.name,
          members: members.flatMap((member) => idOf(member.name) ?? []),
        })),
      })
      await take({ writes, number })
    },
    told: (rows) => engine.heard(rows),
    reachable: (isReachable) => engine.storeIs(isReachable),
  }
}

async function secretsOf({ engine, credentials, store }: Live, writes: readonly Write[]): Promise<void> {
  const changed = new Map<string, CredentialRecord>()
  for (const write of writes) {
    if ('drop' in write) {
      if (write.drop === 'credential') credentials.remove(write.id)
      continue
    }
    if (write.put === 'credential') {
      const known = engine.credential(write.row.id)?.record
      if (isDeepStrictEqual(known, write.row)) continue
      const { secrets } = await store.refreshState(write.row.id)
      credentials.add([write.row], secrets)
    } else if (write.put === 'secret') {
      const known = engine.credential(write.row.owner)?.record
      if (known) changed.set(known.id, known)
    }
  }
  for (const [id, record] of changed) {
    const { secrets } = await store.refreshState(id)
    await credentials.reread(record, secrets)
  }
}
