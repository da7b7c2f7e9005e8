import { z } from 'zod'
import { mintKey } from '../../keys/keys.ts'
import { Refusal } from '../../pool/pool.ts'
import type { KeyRecord, Write } from '../../store/store.ts'
import type { Secret } from '../../vault/vault.ts'
import { poolNamed } from '../find.ts'
import { checkName, missing } from '../names.ts'
import { instant, maybeInstant } from '../present.ts'
import { type Call, flag, known, verb } from '../verb.ts'

/** The client key that the first start makes, kept sealed for `env` and `run`. */
export const localKeyName = 'local'

/** A client key without the key itself. */
export interface KeyShape {
  id: string
  name: string
  /** null: every pool. */
  pools: string[] | null
  createdAt: string
  revokedAt: string | null
}

const keyCreate = verb({
  method: 'POST',
  path: '/v1/keys',
  args: z.strictObject({
    name: z.string(),
    pools: z.array(known).optional(),
    /** Keeps the key sealed in the vault, so that `env` can print it again. */
    keep: flag.default(false),
  }),
  secret: true,
  async run(call, { name, pools, keep }): Promise<{ name: string; key: string; id: string; pools: string[] | null }> {
    checkName('key', name)
    if (living(call).some((other) => other.name === name))
      throw new Refusal('conflict', `there is a key named ${name} already`, `spillway key revoke ${name} first`)
    for (const pool of pools ?? []) poolNamed(call.engine, pool)
    const { record, key } = mintKey(name, pools ?? null, call.clock.now())
    const writes: Write[] = [{ put: 'key', row: record }]
    if (keep) writes.push({ put: 'secret', row: sealedKey(call, record, key) })
    call.engine.tell({ kind: 'key_created', from: name, actor: call.actor, detail: { pools: record.pools } }, writes)
    // A key that opens nothing after a crash would be worse than none: it is given out when it is durable.
    await durable(call)
    call.keys.add(record)
    return { name, key: key.reveal(), id: record.id, pools: pools ?? null }
  },
})

const keyRevoke = verb({
  method: 'DELETE',
  path: '/v1/keys/:name',
  args: z.strictObject({ name: known }),
  async run(call, { name }): Promise<{ name: string; changed: boolean }> {
    const record = living(call).find((key) => key.name === name)
    if (!record && call.keys.list().some((key) => key.name === name)) return { name, changed: false }
    if (!record) throw unknownKey(call, name)
    const revoked = call.keys.revoke(record.id, call.clock.now())
    if (!revoked) return { name, changed: false }
    call.engine.tell({ kind: 'key_revoked', from: name, actor: call.actor, detail: {} }, [
      { put: 'key', row: revoked },
      { drop: 'secret', owner: ownerOf(record) },
    ])
    await durable(call)
    return { name, changed: true }
  },
})

export const keyVerbs = {
  keyCreate,
  keyRevoke,
  keyList: verb({
    method: 'GET',
    path: '/v1/keys',
    args: z.strictObject({}),
    run: async (call): Promise<KeyShape[]> => call.keys.list().map(keyShape),
  }),
}

function keyShape({ id, name, pools, createdAt, revokedAt }: KeyRecord): KeyShape {
  return { id, name, pools: pools && [...pools], createdAt: instant(createdAt), revokedAt: maybeInstant(revokedAt) }
}

function living(call: Call): KeyRecord[] {
  return call.keys.list().filter(({ revokedAt }) => revokedAt === null)
}

/** The key of that name that is in force; refuses an unknown one with the nearest name. */
export function keyNamed(call: Call, name: string): KeyRecord {
  const found = living(call).find((key) => key.name === name)
  if (found) return found
  throw unknownKey(call, name)
}

function unknownKey(call: Call, name: string): Refusal {
  return missing(
    'key',
    name,
    living(call).map((key) => key.name),
  )
}

/** The bare key, where it was kept; null where only its owner has it. */
export async function bareKey(call: Call, record: KeyRecord): Promise<Secret | null> {
  const { secrets } = await call.store.load()
  const row = secrets.find(({ owner }) => owner === ownerOf(record))
  return row ? call.vault.open(row.sealed, row) : null
}

function sealedKey(call: Call, record: KeyRecord, key: Secret) {
  const context = { owner: ownerOf(record), field: 'secret', generation: 1 }
  return { ...context, sealed: call.vault.seal(key, context) }
}

function ownerOf(record: KeyRecord): string {
  return `key:${record.id}`
}

/** Resolves when what was told so far is durable, or was given up because the store is ill. */
export async function durable(call: Call): Promise<void> {
  try {
    await call.engine.flush()
  } catch (error) {
    throw new Refusal('failed', error instanceof Error ? error.message : 'the store did not write the change')
  }
}
