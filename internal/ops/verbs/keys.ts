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

/** A key that has just been made: the only time that it is shown, unless it is kept. */
interface MadeKey {
  name: string
  key: string
  id: string
  pools: string[] | null
  /** Whether it is kept sealed, so that `env`, `run` and `connect` can use it. */
  kept: boolean
}

const keyCreate = verb({
  method: 'POST',
  path: '/v1/keys',
  inTurn: true,
  args: z.strictObject({
    name: z.string(),
    pools: z.array(known).optional(),
    /** Keeps the key sealed in the vault, so that `env` can print it again. */
    keep: flag.default(false),
  }),
  secret: true,
  async run(call, { name, pools, keep }): Promise<MadeKey> {
    checkName('key', name)
    if (living(call).some((other) => other.name === name))
      throw new Refusal(
        'conflict',
        `there is a key named ${name} already`,
        `spillway key rotate ${name} puts a new one in its place`,
      )
    for (const pool of pools ?? []) poolNamed(call.engine, pool)
    return make(call, { name, pools: pools ?? null, keep })
  },
})

const keyRotate = verb({
  method: 'POST',
  path: '/v1/keys/:name/rotate',
  inTurn: true,
  args: z.strictObject({ name: known, keep: flag.default(false) }),
  secret: true,
  async run(call, { name, keep }): Promise<MadeKey & { revoked: number }> {
    const old = living(call).filter((key) => key.name === name)
    const last = old.at(-1) ?? call.keys.list().findLast((key) => key.name === name)
    if (!last) throw unknownKey(call, name)
    const isKept = keep || name === localKeyName || (await bareKey(call, last)) !== null
    // The old one goes when the new one is durable: whatever happens between, one of them opens the pools.
    const made = await make(call, { name, pools: last.pools, keep: isKept })
    for (const record of old) await revoke(call, record)
    return { ...made, revoked: old.length }
  },
})

async function make(
  call: Call,
  { name, pools, keep }: { name: string; pools: readonly string[] | null; keep: boolean },
): Promise<MadeKey> {
  const { record, key } = mintKey(name, pools && [...pools], call.clock.now())
  const writes: Write[] = [{ put: 'key', row: record }]
  if (keep) writes.push({ put: 'secret', row: sealedKey(call, record, key) })
  call.engine.tell({ kind: 'key_created', from: name, actor: call.actor, detail: { pools: record.pools } }, writes)
  // A key that opens nothing after a crash would be worse than none: it is given out when it is durable.
  await durable(call)
  call.keys.add(record)
  return { name, key: key.reveal(), id: record.id, pools: pools && [...pools], kept: keep }
}

const keyRevoke = verb({
  method: 'DELETE',
  path: '/v1/keys/:name',
  args: z.strictObject({ name: known }),
  async run(call, { name }): Promise<{ name: string; changed: boolean }> {
    const record = living(call).find((key) => key.name === name)
    if (!record && call.keys.list().some((key) => key.name === name)) return { name, changed: false }
    if (!record) throw unknownKey(call, name)
    return { name, changed: await revoke(call, record) }
  },
})

async function revoke(call: Call, record: KeyRecord): Promise<boolean> {
  const revoked = call.keys.revoke(record.id, call.clock.now())
  if (!revoked) return false
  call.engine.tell({ kind: 'key_revoked', from: record.name, actor: call.actor, detail: {} }, [
    { put: 'key', row: revoked },
    { drop: 'secret', owner: ownerOf(record) },
  ])
  await durable(call)
  return true
}

const keyShow = verb({
  method: 'GET',
  path: '/v1/keys/:name',
  args: z.strictObject({ name: known }),
  secret: true,
  async run(call, { name }): Promise<{ name: string; key: string; id: string; pools: string[] | null }> {
    const record = keyNamed(call, name)
    const bare = await bareKey(call, record)
    if (bare === null) throw unkept(name)
    return { name, key: bare.reveal(), id: record.id, pools: record.pools && [...record.pools] }
  },
})

/** The refusal for a key of which only the digest is known here. */
export function unkept(name: string): Refusal {
  return new Refusal(
    'conflict',
    `the key ${name} is not kept here: only its owner has it`,
    `spillway key rotate ${name}${name === localKeyName ? '' : ' --keep'} puts one in its place that is`,
  )
}

export const keyVerbs = {
  keyCreate,
  keyRotate,
  keyRevoke,
  keyShow,
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

/** The key of that name that is in force; refuses a revoked one with the way out, and an unknown one with the nearest name. */
export function keyNamed(call: Call, name: string): KeyRecord {
  const found = living(call).find((key) => key.name === name)
  if (found) return found
  if (!call.keys.list().some((key) => key.name === name)) throw unknownKey(call, name)
  throw new Refusal('conflict', `the key ${name} is revoked`, `spillway key rotate ${name} puts a new one in its place`)
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
