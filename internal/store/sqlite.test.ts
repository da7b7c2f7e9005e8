import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { faultOf } from './database-file.ts'
import { Sqlite } from './driver.ts'
import { StoreError } from './fault.ts'
import { migrate, newestSchema } from './migrate.ts'
import { inspectSqlite, openSqlite, type SqliteDatabase, spelling } from './sqlite.ts'

const key = { keyId: '0123456789abcdef', auditKey: new Uint8Array(32).fill(1) }

let folder: string
let file: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spillway-sqlite-'))
  file = join(folder, 'spillway.db')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

async function created(): Promise<SqliteDatabase> {
  const database = openSqlite(file, { mustExist: false, busyMs: 100 })
  await migrate(database.db, file, { spelling, program: '0.1.0', begin: async () => {} })
  return database
}

function refusal(run: () => void): StoreError {
  try {
    run()
  } catch (error) {
    return faultOf(error, file)
  }
  throw new Error('it was not refused')
}

/** Every file of the folder with its content. */
function contents(): Record<string, string> {
  const digest = (name: string) =>
    createHash('sha256')
      .update(readFileSync(join(folder, name)))
      .digest('hex')
  return Object.fromEntries(readdirSync(folder).map((name) => [name, digest(name)]))
}

describe('an opened database', () => {
  test('forces every commit to the disk, checks foreign keys and keeps small logs, each time it is opened', async () => {
    ;(await created()).close()
    const { db, close } = openSqlite(file, { mustExist: true, busyMs: 100 })
    const pragma = async (name: string) =>
      Object.values((await sql.raw<object>(`pragma ${name}`).execute(db)).rows[0]!)[0]
    expect(await pragma('journal_mode')).toBe('wal')
    expect(await pragma('synchronous')).toBe(2)
    expect(await pragma('foreign_keys')).toBe(1)
    expect(await pragma('auto_vacuum')).toBe(2)
    expect(Number(await pragma('page_size')) * Number(await pragma('wal_autocheckpoint'))).toBeLessThan(256 * 1024)
    close()
  })

  test('has strict tables, so that a wrong type is refused and not kept', async () => {
    const { db, close } = await created()
    const { rows } = await sql<{ name: string; strict: number }>`pragma table_list`.execute(db)
    const loose = rows.filter(({ name, strict }) => !name.startsWith('sqlite_') && strict === 0)
    expect(loose).toEqual([])
    close()
  })

  test('can be read by its owner only, its log too', async () => {
    const { close } = await created()
    const files = readdirSync(folder)
    expect(files).toContain('spillway.db-wal')
    for (const name of files) expect(statSync(join(folder, name)).mode & 0o077).toBe(0)
    close()
  })

  test('is not created where one must exist', () => {
    const { code, mayRetry } = refusal(() => openSqlite(file, { mustExist: true, busyMs: 100 }))
    expect({ code, mayRetry }).toEqual({ code: 'unavailable', mayRetry: true })
    expect(readdirSync(folder)).toEqual([])
  })

  test('may be there later when its directory is gone, as behind a dead mount', () => {
    const inside = join(folder, 'mount', 'spillway.db')
    const { code, mayRetry } = refusal(() => openSqlite(inside, { mustExist: true, busyMs: 100 }))
    expect({ code, mayRetry }).toEqual({ code: 'unavailable', mayRetry: true })
  })
})

describe('looking at a file before it is used', () => {
  test('finds nothing wrong with a missing, an empty and a sound one', async () => {
    inspectSqlite(file, '0.1.0', key)
    writeFileSync(file, '')
    inspectSqlite(file, '0.1.0', key)
    ;(await created()).close()
    inspectSqlite(file, '0.1.0', key)
  })

  test('refuses one of a newer version, naming both, and changes nothing, also when its log was never cleared', async () => {
    const { db } = await created()
    await sql`update schema_mark set version = ${newestSchema + 3}, written_by = '9.9.9'`.execute(db)
    const killed = join(folder, 'killed.db')
    for (const end of ['', '-wal']) writeFileSync(killed + end, readFileSync(file + end))
    const before = contents()
    const error = refusal(() => inspectSqlite(killed, '0.1.0', key))
    expect(error.code).toBe('newer')
    expect(error.mayRetry).toBe(false)
    expect(error.message).toContain(`spillway 9.9.9 (schema ${newestSchema + 3})`)
    expect(error.message).toContain(`spillway 0.1.0 (schema ${newestSchema})`)
    for (const [name, digest] of Object.entries(before)) expect(contents()[name]).toBe(digest)
  })

  const damages: [string, (bytes: Buffer) => void][] = [
    ['its header is gone', (bytes) => bytes.fill(0, 0, 100)],
    ['it is text', (bytes) => bytes.fill('not a database ')],
    ['a page of its schema is overwritten', (bytes) => bytes.fill(0xa5, 200, 1024)],
    ['pages in its middle are overwritten', (bytes) => bytes.fill(0xa5, bytes.length / 2, bytes.length / 2 + 4096)],
  ]

  test.each(damages)('refuses one when %s, says what to do, and keeps its bytes', async (_name, damage) => {
    const { db, close } = await created()
    for (let i = 0; i < 200; i++) await sql`insert into meta values (${`name-${i}`}, ${'x'.repeat(100)})`.execute(db)
    close()
    const bytes = readFileSync(file)
    damage(bytes)
    writeFileSync(file, bytes)
    const error = refusal(() => inspectSqlite(file, '0.1.0', key))
    expect(error).toMatchObject({ code: 'corrupt', mayRetry: false, hint: expect.stringContaining(`mv ${file}`) })
    expect(error.message).toContain(file)
    expect(readFileSync(file).equals(bytes)).toBe(true)
  })

  test('refuses one that was cut short', async () => {
    const { db, close } = await created()
    for (let i = 0; i < 200; i++) await sql`insert into meta values (${`name-${i}`}, ${'x'.repeat(100)})`.execute(db)
    close()
    truncateSync(file, Math.floor(statSync(file).size / 2048) * 1024)
    expect(refusal(() => inspectSqlite(file, '0.1.0', key)).code).toBe('corrupt')
  })

  test("refuses another program's database", () => {
    const other = new Sqlite(file)
    other.exec('create table cookies (name text)')
    other.close()
    const before = contents()
    expect(refusal(() => inspectSqlite(file, '0.1.0', key))).toMatchObject({
      code: 'corrupt',
      message: expect.stringContaining('some other program'),
    })
    expect(contents()).toEqual(before)
  })
})

describe('a failed transaction', () => {
  test('shows why it failed when SQLite has rolled it back by itself', async () => {
    const { db, close } = await created()
    await sql`pragma max_page_count = 80`.execute(db)
    const filling = db.transaction().execute(async (trx) => {
      for (let i = 0; i < 200; i++) await sql`insert into meta values (${`name-${i}`}, ${'x'.repeat(900)})`.execute(trx)
    })
    const error = await filling.catch((thrown: unknown) => faultOf(thrown, file))
    expect(error).toMatchObject({ code: 'full', mayRetry: true })
    const { rows } = await sql<{ n: number }>`select count(*) as n from meta`.execute(db)
    expect(rows[0]?.n).toBe(0)
    close()
  })

  test('waits for the lock before it reads, so that it is never refused for having read too early', async () => {
    const { db, close } = await created()
    const other = new Sqlite(file)
    other.exec('begin immediate')
    const error = await db
      .transaction()
      .execute(async () => 'in')
      .catch((thrown: unknown) => faultOf(thrown, file))
    expect(error).toMatchObject({ code: 'locked', mayRetry: true })
    other.exec('rollback')
    expect(await db.transaction().execute(async () => 'in')).toBe('in')
    other.close()
    close()
  })
})

describe('an error', () => {
  const coded = (code: string) => Object.assign(new Error('it says so'), { code })
  test.each<[string, unknown, StoreError['code'], boolean]>([
    ['a full disk', coded('SQLITE_FULL'), 'full', true],
    ['a full disk, said by the system', coded('ENOSPC'), 'full', true],
    ['a lock', coded('SQLITE_BUSY'), 'locked', true],
    ['a lock that came too late', coded('SQLITE_BUSY_SNAPSHOT'), 'locked', true],
    ['a failed read', coded('SQLITE_IOERR_READ'), 'unavailable', true],
    ['a directory that went away', coded('SQLITE_CANTOPEN'), 'unavailable', true],
    ['a disk that became read-only', coded('SQLITE_READONLY_DIRECTORY'), 'unavailable', true],
    ['a dead mount', coded('ENOTCONN'), 'unavailable', true],
    ['a damaged page', coded('SQLITE_CORRUPT_VTAB'), 'corrupt', false],
    ['a file of another kind', coded('SQLITE_NOTADB'), 'corrupt', false],
    ['JSON that is none', new SyntaxError('Unexpected token'), 'corrupt', false],
    ['a broken rule', coded('SQLITE_CONSTRAINT_FOREIGNKEY'), 'rejected', false],
    ['a mistake of the caller', new TypeError('x is not a function'), 'rejected', false],
    ['something that is no error', 'oops', 'rejected', false],
  ])('is translated: %s', (_name, error, code, mayRetry) => {
    expect(faultOf(error, file)).toMatchObject({ code, mayRetry })
  })

  test('of the Store stays as it is', () => {
    const error = new StoreError('closed', 'the store is closed')
    expect(faultOf(error, file)).toBe(error)
  })
})
