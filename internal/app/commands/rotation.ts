import { existsSync, rmSync } from 'node:fs'
import type { Clock } from '../../clock/clock.ts'
import { Refusal } from '../../pool/pool.ts'
import { acquireLock, openSqliteStore, rekeyDatabase } from '../../store/store.ts'
import { createKeyFile, replaceKeyFile, Vault } from '../../vault/vault.ts'
import type { Places } from '../places.ts'
import { masterKeyOf, nextKeyOf } from '../secrets.ts'
import { databaseOf } from '../settings.ts'
import { load } from './configuration.ts'
import { actor, type Environment, loading } from './loading.ts'

const deadlineMs = 5_000

/** What a rotation of the master key did. */
export interface Rotated {
  readonly before: string
  readonly after: string
  readonly resealed: number
  /** Secrets that the old key did not open, either. */
  readonly left: number
}

/**
 * Puts a new master key in the place of the old one and seals everything anew. The new key lies beside the old one before the
 * store changes, in one transaction, and takes its place after that: whoever is killed in between leaves both, and the next
 * start takes the one that the store names. Needs the data directory to itself.
 */
export async function rotateMasterKey(
  places: Places,
  around: { env: Environment; clock: Clock; version: string },
): Promise<Rotated> {
  const { env, clock, version } = around
  const database = databaseOf(load(loading(places, env)).config)
  if (database === null)
    throw new Refusal(
      'conflict',
      'the master key of a store on PostgreSQL is not rotated in place',
      'stop every replica, store copy to a SQLite file, rotate there, and copy it to a new database with the new key',
    )
  if (!existsSync(places.masterKey) || !existsSync(database))
    throw new Refusal('not-found', `nothing is set up in ${places.data}`, 'name the data directory with --data')
  const attempt = acquireLock(places.data, { startedAt: clock.now(), version, socket: null })
  if (!attempt.ok)
    throw new Refusal(
      'conflict',
      `${attempt.refusal.message}, and the master key is rotated while nobody does`,
      'stop it first, and start it again afterwards',
    )
  try {
    const from = new Vault(masterKeyOf(places, database))
    // Opening looks whether the store is whole and belongs to this key, and brings it up to date.
    const key = { keyId: from.keyId, auditKey: from.auditKey() }
    await (await openSqliteStore({ file: database, key, clock, deadlineMs, program: version })).close()
    return await rekeyed(places, database, { from, now: clock.now() })
  } finally {
    attempt.lock.release()
  }
}

async function rekeyed(
  places: Places,
  database: string,
  { from, now }: { from: Vault; now: number },
): Promise<Rotated> {
  const next = nextKeyOf(places)
  const to = new Vault(createKeyFile(next))
  const detail = { before: from.keyId, after: to.keyId }
  const about = { pool: null, from: null, to: null, reason: null, actor } as const
  try {
    const done = await rekeyDatabase(database, { from, to }, { kind: 'master_key_rotated', at: now, ...about, detail })
    replaceKeyFile(next, places.masterKey)
    return { ...detail, ...done }
  } catch (error) {
    // The next start decides by what the store says, should it have been written after all.
    if (error instanceof Error && 'code' in error && error.code === 'full') rmSync(next, { force: true })
    throw error
  }
}
