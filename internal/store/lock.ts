import { join } from 'node:path'
import { type At, Refusal } from '../pool/pool.ts'
import { createPrivate, faultOf } from './database-file.ts'
import { type Connection, Sqlite } from './driver.ts'

/** Who holds a data directory, as others may read it. */
export interface Holder {
  readonly pid: number
  readonly startedAt: At
  /** The version of the program. */
  readonly version: string
  /** The path of the admin socket; null for a command that serves nobody. */
  readonly socket: string | null
}

/** The right to use a data directory; it ends with the process, whatever ends that. */
export interface Lock {
  release(): void
}

/** The lock, or who has it (null: it cannot be read) and the refusal to show. */
export type LockAttempt =
  | { readonly ok: true; readonly lock: Lock }
  | { readonly ok: false; readonly holder: Holder | null; readonly refusal: Refusal }

/** How long the file of the lock may be held by somebody who only reads it. */
const readerMs = 200

/**
 * Tries once to take the lock of the data directory, and says who has it otherwise. Throws a StoreError when the directory
 * cannot be used. Blocks for 0.2 s at most.
 */
export function acquireLock(dataDir: string, who: Omit<Holder, 'pid'>): LockAttempt {
  return attempt(join(dataDir, 'lock.db'), (database) => {
    if (!begin(database)) return taken(database, dataDir)
    tryPublish(database, { ...who, pid: process.pid })
    // Somebody else may have come in between: then his lock is as good as ours would have been.
    return begin(database) ? { ok: true, lock: held(database) } : taken(database, dataDir)
  })
}

/**
 * Tries once to take the lock that is the file (created when missing); null when somebody has it. Throws a StoreError when
 * the file cannot be used. Does not wait.
 */
export function tryLock(file: string): Lock | null {
  return attempt(file, (database) => (begin(database) ? held(database) : null))
}

/*
 * A lock is the write lock of a small database of its own. The operating system frees it within a millisecond of the
 * holder's death, and keeps it while the holder is stopped, which no lock with an age does.
 */
function attempt<T>(file: string, run: (database: Connection) => T): T {
  let database: Connection | null = null
  try {
    createPrivate(file)
    database = new Sqlite(file, { timeout: 0 })
    const result = run(database)
    if (!database.inTransaction) database.close()
    return result
  } catch (error) {
    database?.close()
    throw faultOf(error, file)
  }
}

/** Keeps the handles of held locks alive: the garbage collector would close one that nobody refers to. */
const handles = new Set<Connection>()

function held(database: Connection): Lock {
  handles.add(database)
  return {
    release() {
      handles.delete(database)
      database.close()
    },
  }
}

/** Takes the write lock if it is free. */
function begin(database: Connection): boolean {
  try {
    database.exec('begin immediate')
    return true
  } catch (error) {
    if (isBusy(error)) return false
    throw error
  }
}

/** Who holds it is good to know; a disk that is full must not keep a daemon from starting. */
function tryPublish(database: Connection, holder: Holder): void {
  try {
    publish(database, holder)
  } catch (error) {
    if (faultOf(error, database.name).code !== 'full') throw error
    if (database.inTransaction) database.exec('rollback')
  }
}

/** Writes who holds the lock, so that others can read it while it is held; the lock is free for a moment afterwards. */
function publish(database: Connection, holder: Holder): void {
  database.exec('create table if not exists holder (id integer primary key check (id = 1), about text not null) strict')
  database.prepare('insert or replace into holder (id, about) values (1, ?)').run(JSON.stringify(holder))
  database.pragma(`busy_timeout = ${readerMs}`)
  database.exec('commit')
  database.pragma('busy_timeout = 0')
}

function taken(database: Connection, dataDir: string): LockAttempt {
  const holder = read(database)
  const who = holder ? `process ${holder.pid} (spillway ${holder.version})` : 'another spillway'
  const since = holder ? ` since ${new Date(holder.startedAt).toISOString()}` : ''
  const refusal = new Refusal(
    'conflict',
    `${dataDir} is in use by ${who}${since}`,
    'One process at a time uses a data directory: stop that one, or give another directory with --data.',
  )
  return { ok: false, holder, refusal }
}

function read(database: Connection): Holder | null {
  try {
    database.pragma(`busy_timeout = ${readerMs}`)
    const row = database.prepare('select about from holder').pluck().get()
    return typeof row === 'string' ? (JSON.parse(row) as Holder) : null
  } catch {
    // The holder is just writing it, or it never came to that: the refusal stands without a name.
    return null
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Sqlite.SqliteError && error.code.startsWith('SQLITE_BUSY')
}
