import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../internal/clock/clock.ts'
import { type Place, type Store, transfer } from '../../internal/store/store.ts'
import { all } from '../../internal/store/tables.ts'
import { type PostgresServer, startPostgres } from '../fakes/postgres/server.ts'
import { openOn, type PostgresDatabase, postgresDatabase, settingsFor } from './postgres.ts'
import { cooled, full } from './samples.ts'
import { keyOf, type SqliteDatabase, sqliteDatabase } from './sqlite.ts'

let server: PostgresServer
let sqlite: SqliteDatabase
let postgres: PostgresDatabase

beforeAll(async () => {
  server = await startPostgres()
})
afterAll(() => server.stop())
beforeEach(async () => {
  sqlite = sqliteDatabase()
  postgres = await postgresDatabase(server)
})
afterEach(async () => {
  sqlite.remove()
  await postgres.remove()
})

function onSqlite(file = sqlite.file): Place {
  return { kind: 'sqlite', options: { file, key: keyOf(1), clock: systemClock(), deadlineMs: 15_000 } }
}

function onPostgres(keyId?: string): Place {
  return { kind: 'postgres', options: settingsFor(postgres.url, keyId === undefined ? {} : { keyId }) }
}

async function filled(store: Store, rows = 2_500): Promise<void> {
  await store.commit({ writes: full.writes, audit: [{ event: cooled('a'), suppressed: 3 }] })
  const audit = Array.from({ length: rows }, (_, i) => ({ event: cooled(`m${i}`), suppressed: 0 }))
  await store.commit({ writes: [], audit })
  await store.prune(0, { maxAgeMs: 1e12, maxRows: rows - 100, maxBytes: 1e9 })
  await store.close()
}

/** Everything that a store says of itself. */
async function contents(store: Store) {
  const told = {
    snapshot: await store.load(),
    refresh: await store.refreshState('c1'),
    incidents: await store.incidents(),
    outbox: await store.outbox(),
    audit: await store.audit({}),
    verdict: await store.verifyAudit(),
  }
  await store.close()
  return told
}

describe('a copy', () => {
  test('brings everything from SQLite to PostgreSQL and back, and compares it', async () => {
    await filled(await sqlite.open())
    const original = await contents(await sqlite.open())
    const there = await transfer(onSqlite(), onPostgres())
    expect(there.map(({ table }) => table)).toEqual(all.map(({ name }) => name))
    expect(there.find(({ table }) => table === 'audit')).toMatchObject({ rows: 2_400, written: true })
    expect(await contents(await postgres.open())).toEqual(original)
    const again = join(sqlite.folder, 'again.db')
    const back = await transfer(onPostgres(), onSqlite(again))
    expect(back.map(({ rows, digest }) => [rows, digest])).toEqual(there.map(({ rows, digest }) => [rows, digest]))
    expect(original.verdict).toMatchObject({ ok: true })
  })

  test('that is made twice writes nothing the second time', async () => {
    await filled(await sqlite.open(), 200)
    await transfer(onSqlite(), onPostgres())
    const twice = await transfer(onSqlite(), onPostgres())
    expect(twice.some(({ written }) => written)).toBe(false)
  })

  test('into a store that holds something else is refused, and leaves it as it is', async () => {
    await filled(await sqlite.open(), 200)
    const other = await postgres.open()
    await other.commit({ writes: [{ put: 'meta', name: 'n', value: '1' }], audit: [] })
    const before = await contents(other)
    await expect(transfer(onSqlite(), onPostgres())).rejects.toMatchObject({
      code: 'rejected',
      message: expect.stringMatching(/holds another store already/),
    })
    expect(await contents(await postgres.open())).toEqual(before)
  })

  test('to a store of another master key is refused', async () => {
    await filled(await sqlite.open(), 200)
    await (await postgres.open()).close()
    await expect(transfer(onSqlite(), onPostgres('fedcba9876543210'))).rejects.toMatchObject({ code: 'other-key' })
  })

  test('that was cut off is used by nobody, and goes on where it was', async () => {
    await filled(await sqlite.open())
    const cut = transfer(onSqlite(), onPostgres(), {
      progress(table, rows) {
        if (table === 'audit' && rows >= 2_000) throw new Error('cut off')
      },
    })
    await expect(cut).rejects.toThrow()
    await expect(openOn(postgres.url)).rejects.toMatchObject({
      code: 'unfinished',
      message: expect.stringContaining(`copying from sqlite:${sqlite.file} has not ended`),
    })
    const elsewhere = join(sqlite.folder, 'elsewhere.db')
    await expect(transfer(onSqlite(elsewhere), onPostgres())).rejects.toMatchObject({ code: 'unfinished' })
    const done = await transfer(onSqlite(), onPostgres())
    expect(done.filter(({ written }) => written).map(({ table }) => table)).toEqual([
      'audit',
      'audit_head',
      'audit_anchor',
    ])
    expect(await contents(await postgres.open())).toEqual(await contents(await sqlite.open()))
  })

  test('is refused while a replica uses the database, unless it may be of one moment', async () => {
    const store = await postgres.open()
    const replica = { id: 'r', name: 'one', version: '0.1.0', startedAt: 1, draining: false }
    await store.shared?.replicas.beat(replica)
    await expect(transfer(onPostgres(), onSqlite())).rejects.toMatchObject({ code: 'locked' })
    expect(existsSync(sqlite.file)).toBe(false)
    await transfer(onPostgres(), onSqlite(), { isLive: true })
    await store.close()
  })

  test('carries every table of the schema', async () => {
    const store = await postgres.open()
    const { rows } = await server.run(
      "select table_name as name from information_schema.tables where table_schema = 'public'",
      postgres.name,
    )
    const own = ['schema_mark', 'fleet', 'changes', 'leases', 'replicas']
    expect(
      rows
        .map(({ name }) => name)
        .filter((name) => !own.includes(name))
        .sort(),
    ).toEqual(all.map(({ name }) => name).sort())
    await store.close()
  })
})
