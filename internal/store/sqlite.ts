import { existsSync, statfsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  Kysely,
  SqliteAdapter,
  SqliteDriver,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type TransactionSettings,
} from 'kysely'
import { type Anchor, type Head, isOurAnchor, isOurHead } from './chain.ts'
import { createPrivate, damaged, unreachable } from './database-file.ts'
import { type Connection, Sqlite, type Statement } from './driver.ts'
import { StoreError } from './fault.ts'
import { belongsToAnother, fingerprintEntry, otherKey, type StoreKey, type Traces } from './fingerprint.ts'
import { refuseNewer } from './migrate.ts'
import type { Spelling } from './migrations/migration.ts'
import type { Housekeeping } from './sql.ts'

/** Everything that is SQLite and not SQL: pragmas, files, transactions that take the write lock at once, error codes. */

export const spelling: Spelling = {
  int: 'integer',
  real: 'real',
  text: 'text',
  keyed: 'strict, without rowid',
  numbered: 'strict',
  isShared: false,
}

/**
 * Small pages, because a commit writes three or four of them for a few hundred bytes: a burst of fifty commits then fits
 * into the 256 KiB by which a data directory may grow in a storm.
 */
const pageBytes = 1_024
/** Pages in the log before it goes into the database: the log stays at about 200 KiB. */
const checkpointPages = 192
/** A longer log is cut back; well above its usual length, because growing again costs a slow sync each time. */
const logBytes = 1024 * 1024
/** Pages given back to the disk after a removal; more than 500 audit rows usually take. */
const shrinkPages = 512

/** An open database, as kysely and as itself. */
export interface SqliteDatabase {
  readonly db: Kysely<unknown>
  readonly house: Housekeeping
  close(): void
}

/** Opens the file for writing, with every commit forced to the disk. `mustExist` refuses to begin a new database. */
export function openSqlite(
  file: string,
  options: { readonly mustExist: boolean; readonly busyMs: number },
): SqliteDatabase {
  if (!options.mustExist) createPrivate(file)
  const database = settled(file, options.busyMs)
  return {
    db: new Kysely<unknown>({ dialect: dialectOver(database) }),
    house: {
      space: () => spaceOf(file),
      shrink: () => void database.pragma(`incremental_vacuum(${shrinkPages})`),
    },
    close: () => void database.close(),
  }
}

/** A connection with everything set that a store relies on. */
function settled(file: string, busyMs: number): Connection {
  try {
    return withPragmas(connected(file, busyMs), false)
  } catch (error) {
    // A disk that is full has no room for the index that connections share. Nobody else may open the file, so that this one
    // can keep it in its own memory: what is stored is read, and served.
    if (!isWithoutIndex(error)) throw error
    return withPragmas(connected(file, busyMs), true)
  }
}

function isWithoutIndex(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'SQLITE_IOERR_SHMSIZE'
}

function withPragmas(database: Connection, alone: boolean): Connection {
  try {
    if (alone) database.pragma('locking_mode = exclusive')
    else {
      database.pragma(`page_size = ${pageBytes}`)
      // Writes, also when it changes nothing.
      database.pragma('auto_vacuum = incremental')
    }
    database.pragma('journal_mode = wal')
    // better-sqlite3 is compiled to sync WAL databases only at checkpoints: a commit would not survive a power cut.
    database.pragma('synchronous = full')
    database.pragma('foreign_keys = on')
    database.pragma(`wal_autocheckpoint = ${checkpointPages}`)
    database.pragma(`journal_size_limit = ${logBytes}`)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

/** better-sqlite3 looks for the directory by itself and says in a TypeError, without a code, that a dead mount has none. */
function connected(file: string, busyMs: number): Connection {
  try {
    return new Sqlite(file, { fileMustExist: true, timeout: busyMs })
  } catch (error) {
    throw error instanceof TypeError ? unreachable(file, error.message, error) : error
  }
}

/**
 * Looks at an existing file without changing a byte of it, and refuses one that is damaged, not ours, written by a newer
 * version or with another master key. A file that is missing or empty is in order.
 */
export function inspectSqlite(file: string, program: string, key: StoreKey): void {
  if (!existsSync(file) || statSync(file).size === 0) return
  const database = reader(file)
  try {
    const tables = new Set(database.prepare("select name from sqlite_schema where type = 'table'").pluck().all())
    if (tables.size > 0 && !tables.has('schema_mark')) throw foreign(file)
    const mark = tables.size > 0 && database.prepare('select version, written_by from schema_mark').get()
    if (isMark(mark)) refuseNewer(file, { version: mark.version, writtenBy: mark.written_by }, program)
    const [found] = database.prepare('pragma quick_check(1)').pluck().all()
    if (found !== 'ok') throw damaged(file, String(found))
    const theirs = isMark(mark) ? otherKey(tracesIn(database, key), key.keyId) : null
    if (theirs !== null) throw belongsToAnother(file, theirs, key.keyId)
  } finally {
    database.close()
  }
}

/** A connection that only reads; on a disk without room for the index one that could write, and is not asked to. */
function reader(file: string): Connection {
  const database = new Sqlite(file, { readonly: true, fileMustExist: true })
  try {
    database.prepare('select 1 from sqlite_schema').get()
    return database
  } catch (error) {
    database.close()
    if (!isWithoutIndex(error)) throw error
    const alone = new Sqlite(file, { fileMustExist: true })
    alone.pragma('locking_mode = exclusive')
    return alone
  }
}

function tracesIn(database: Connection, { auditKey }: StoreKey): Traces {
  const kept = database.prepare('select value from meta where name = ?').pluck().get(fingerprintEntry)
  if (typeof kept === 'string') return { kept, sealed: [], signedByAnother: false }
  const sealed = database.prepare(
    "select substr(sealed, 4, 16) as keyId, count(*) as count from secrets where sealed like 'v1.%' group by 1 order by 2 desc",
  )
  const head = database.prepare('select * from audit_head').get() as Head | undefined
  const anchor = database.prepare('select *, broken_seq as brokenSeq from audit_anchor').get() as Anchor | undefined
  const ends = [head && isOurHead(auditKey, head), anchor && isOurAnchor(auditKey, anchor)].filter(
    (end) => end !== undefined,
  )
  return {
    kept: null,
    sealed: sealed.all() as Traces['sealed'],
    signedByAnother: ends.length > 0 && !ends.includes(true),
  }
}

function foreign(file: string): StoreError {
  const hint = 'It was left as it is. Give another path in store.url.'
  return new StoreError('corrupt', `${file} is a database of some other program`, { hint })
}

function isMark(value: unknown): value is { version: number; written_by: string } {
  return typeof value === 'object' && value !== null && 'version' in value && 'written_by' in value
}

function spaceOf(file: string): { usedBytes: number; freeBytes: number; totalBytes: number } {
  const sizes = [file, `${file}-wal`, `${file}-shm`].map((path) => statSync(path, { throwIfNoEntry: false })?.size ?? 0)
  const disk = statfsSync(dirname(file))
  const usedBytes = sizes.reduce((sum, size) => sum + size, 0)
  return { usedBytes, freeBytes: disk.bavail * disk.bsize, totalBytes: disk.blocks * disk.bsize }
}

function dialectOver(database: Connection): Dialect {
  return {
    createDriver: () => new Driver(database),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createAdapter: () => new SqliteAdapter(),
    createIntrospector: (db) => new SqliteIntrospector(db),
  }
}

/** kysely's driver, except for how transactions begin and end, and with statements that are prepared once. */
class Driver extends SqliteDriver {
  readonly #database: Connection

  constructor(database: Connection) {
    const prepared = new Map<string, Statement>()
    super({
      database: {
        close: () => void database.close(),
        prepare(text) {
          const known = prepared.get(text)
          if (known) return known
          const statement = database.prepare(text)
          prepared.set(text, statement)
          return statement
        },
      },
    })
    this.#database = database
  }

  /** A transaction that will write takes the lock at once: one that reads first cannot wait for it later. */
  override async beginTransaction(connection: DatabaseConnection, settings?: TransactionSettings): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw(settings?.accessMode === 'read only' ? 'begin' : 'begin immediate'))
  }

  /** SQLite has rolled back by itself after a full disk or a failed write; asking again would hide the reason. */
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (this.#database.inTransaction) await connection.executeQuery(CompiledQuery.raw('rollback'))
  }
}
