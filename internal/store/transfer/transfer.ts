import type { Store } from '../api.ts'
import { faultOf as sqliteFault } from '../database-file.ts'
import { StoreError } from '../fault.ts'
import { openSqliteStore, type SqliteOptions } from '../open.ts'
import { faultOf as postgresFault } from '../postgres/fault.ts'
import { openPostgresStore, type PostgresSettings, postgresDatabase } from '../postgres/start.ts'
import { openSqlite } from '../sqlite.ts'
import { type CopiedTable, copyStore, type End } from './copy.ts'

/** Where a store is, and how it is opened. */
export type Place =
  | { readonly kind: 'sqlite'; readonly options: SqliteOptions }
  | { readonly kind: 'postgres'; readonly options: PostgresSettings }

interface TransferOptions {
  /** Told while rows are written. */
  readonly progress?: (table: string, rows: number) => void
  /** Whether others may write to the source meanwhile: the copy is of the moment at which it begins. */
  readonly isLive?: boolean
}

/** How long a replica that is not seen any more may still be one. */
const replicaMs = 60_000

/**
 * Copies the store at one place to the other, which is made when it is missing and must be empty; both belong to the same
 * master key. Returns what each table came to; rejects with a StoreError.
 */
export async function transfer(from: Place, to: Place, options: TransferOptions = {}): Promise<readonly CopiedTable[]> {
  // Opening looks whether each is whole and belongs to this key, and brings its schema up to date.
  await prepared(from, options.isLive ?? false)
  await prepared({ ...to, options: { ...to.options, resumes: true } } as Place, false)
  const source = await endOf(from)
  try {
    const target = await endOf(to)
    try {
      return await copyStore(source, target, options.progress)
    } catch (error) {
      throw faultAt(error, from, to)
    } finally {
      await target.close()
    }
  } finally {
    await source.close()
  }
}

async function prepared(place: Place, isLive: boolean): Promise<void> {
  const store = await (place.kind === 'sqlite' ? openSqliteStore(place.options) : openPostgresStore(place.options))
  try {
    if (!isLive) await refuseReplicas(store)
  } finally {
    await store.close()
  }
}

async function refuseReplicas({ shared }: Store): Promise<void> {
  const [replica] = (await shared?.replicas.list(replicaMs)) ?? []
  if (!replica) return
  const hint = 'Stop every replica first. One that was killed is forgotten after a minute.'
  throw new StoreError('locked', `the replica ${replica.name} uses the database`, { hint })
}

/** The database at a place, past its store. */
export async function endOf(place: Place): Promise<End & { close(): Promise<void> }> {
  if (place.kind === 'postgres') return postgresDatabase(place.options)
  const { file } = place.options
  const database = openSqlite(file, { mustExist: true, busyMs: 1_000 })
  return { db: database.db, label: `sqlite:${file}`, close: async () => database.close() }
}

/** The error in the words of the Store. */
export function faultAt(error: unknown, ...places: readonly Place[]): unknown {
  if (error instanceof StoreError) return error
  const isSqlite = error instanceof Error && 'code' in error && String(error.code).startsWith('SQLITE')
  const file = places.find((place) => place.kind === 'sqlite')?.options.file
  if (isSqlite && file !== undefined) return sqliteFault(error, file)
  const settings = places.find((place) => place.kind === 'postgres')?.options
  return settings ? postgresFault(error, settings.url) : error
}
