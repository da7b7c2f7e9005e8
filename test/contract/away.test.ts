// F37: a database that fails in every way that a network and an operator know.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Shared, Store, Watcher, Write } from '../../internal/store/store.ts'
import { type Relay, relayTo } from '../fakes/postgres/relay.ts'
import { type PostgresServer, startPostgres } from '../fakes/postgres/server.ts'
import { openOn, type PostgresDatabase, postgresDatabase } from './postgres.ts'
import { cooled } from './samples.ts'

let server: PostgresServer
let database: PostgresDatabase
let relay: Relay
/** A replica behind a network of its own, and one that is beside the database. */
let far: Store
let near: Store

beforeAll(async () => {
  server = await startPostgres()
})
afterAll(() => server.stop())
beforeEach(async () => {
  database = await postgresDatabase(server)
  relay = await relayTo(server.port)
  const through = database.url.replace(`:${server.port}/`, `:${relay.port}/`)
  near = await database.open()
  far = await openOn(through, { statementMs: 1_500, connectMs: 1_500 })
})
afterEach(async () => {
  await Promise.all([far.close(), near.close()])
  await relay.close()
  await database.remove()
})

const note = (value: string): Write => ({ put: 'meta', name: 'n', value })
const written = (store: Store, value: string) => store.commit({ writes: [note(value)], audit: [] })

/** Commits until it succeeds; resolves with the errors on the way. */
async function persist(store: Store, value: string): Promise<unknown[]> {
  const errors: unknown[] = []
  for (;;) {
    try {
      await written(store, value)
      return errors
    } catch (error) {
      errors.push(error)
      if (errors.length > 200) throw error
    }
  }
}

describe('a database that is away', () => {
  test('because it was restarted is said to be unavailable, and is used again when it is back', async () => {
    await written(far, '1')
    await server.crash()
    await expect(written(far, '2')).rejects.toMatchObject({ name: 'StoreError', code: 'unavailable', mayRetry: true })
    await expect(far.load()).rejects.toMatchObject({ code: 'unavailable' })
    await server.start()
    await persist(far, '3')
    expect((await far.load()).meta).toEqual({ n: '3' })
  })

  test('does not stand out when only connections were lost that nobody was using', async () => {
    await Promise.all([written(far, '1'), far.load(), far.load()])
    await server.run(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${database.name}' and pid <> pg_backend_pid()`,
    )
    await written(far, '2')
    relay.cut()
    await written(far, '3')
    expect((await near.load()).meta).toEqual({ n: '3' })
  })

  test('because the network swallows everything is given up after the deadline, and found again', async () => {
    await Promise.all([written(far, '1'), far.load(), far.load(), far.load()])
    relay.partitioned = true
    await expect(written(far, '2')).rejects.toMatchObject({ name: 'StoreError', mayRetry: true })
    relay.partitioned = false
    relay.cut()
    await persist(far, '3')
    expect((await near.load()).meta).toEqual({ n: '3' })
  })

  test('or slow is waited for', async () => {
    relay.delayMs = 20
    await written(far, '1')
    expect((await near.load()).meta).toEqual({ n: '1' })
  })

  test('because it takes no writes is said to be so, is still read, and is written to when it takes them', async () => {
    await written(far, '1')
    await server.run(`alter database ${database.name} set default_transaction_read_only = on`)
    relay.cut()
    await expect(written(far, '2')).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('takes no writes now'),
    })
    expect((await far.load()).meta).toEqual({ n: '1' })
    await server.run(`alter database ${database.name} reset default_transaction_read_only`)
    await persist(far, '3')
    expect((await near.load()).meta).toEqual({ n: '3' })
  })

  test('or held up by somebody who is frozen in a transaction is given up in time', async () => {
    const frozen = server.run('begin; select * from fleet for update; select pg_sleep(4)', database.name)
    await vi.waitUntil(
      async () => {
        const { rows } = await server.run(
          "select 1 from pg_stat_activity where query like '%pg_sleep(4)%' and wait_event = 'PgSleep'",
        )
        return rows.length > 0
      },
      { timeout: 20_000 },
    )
    await expect(written(far, '1')).rejects.toMatchObject({ name: 'StoreError', mayRetry: true })
    await frozen
    await persist(far, '2')
    expect((await near.load()).meta).toEqual({ n: '2' })
  })

  test('in the middle of commits loses none that was answered, and writes no audit row twice', async () => {
    const answered: number[] = []
    const events = Array.from({ length: 60 }, (_, i) => cooled(`m${i}`))
    for (const [i, event] of events.entries()) {
      // Cut at another point of the exchange each time, and once for each of them.
      if (i % 3 === 0) setTimeout(() => relay.cut(), i % 10)
      for (let seqs: readonly number[] | null = null; seqs === null; ) {
        seqs = await far.commit({ writes: [], audit: [{ event, suppressed: 0 }] }).catch(() => null)
        if (seqs) answered.push(...seqs)
      }
    }
    expect(answered).toEqual(events.map((_, i) => i + 1))
    expect((await near.audit({})).map(({ from }) => from)).toEqual(events.map(({ from }) => from))
    expect(await near.verifyAudit()).toMatchObject({ ok: true, rows: 60 })
  })
})

describe('whoever watches', () => {
  let said: string[]
  let stop: () => Promise<void>

  beforeEach(async () => {
    said = []
    const shared = sharedOf(far)
    stop = shared.watch(teller(said))
    await vi.waitUntil(() => said.includes('back'), { timeout: 20_000 })
  })
  afterEach(() => stop())

  test('hears of the batches of others, and of no own ones', async () => {
    await written(far, 'own')
    const { number } = await sharedOf(near).commit({ writes: [note('theirs')], audit: [] })
    await vi.waitUntil(() => said.length > 1, { timeout: 20_000 })
    expect(said).toEqual(['back', `changed ${number}`])
  })

  test('hears that the connection is lost and back, and finds by a sweep what was said meanwhile', async () => {
    const { number } = await sharedOf(far).snapshot()
    relay.partitioned = true
    relay.cut()
    await vi.waitUntil(() => said.includes('away'), { timeout: 20_000 })
    await written(near, 'missed')
    relay.partitioned = false
    relay.cut()
    await vi.waitUntil(() => said.filter((word) => word === 'back').length === 2, { timeout: 20_000 })
    expect(said).toEqual(['back', 'away', 'back'])
    expect(await sharedOf(far).changes(number)).toMatchObject({ writes: [note('missed')] })
  })

  test('of a server that is restarted hears again', async () => {
    await server.crash()
    await vi.waitUntil(() => said.includes('away'), { timeout: 20_000 })
    await server.start()
    await vi.waitUntil(() => said.filter((word) => word === 'back').length === 2, { timeout: 20_000 })
    await persist(near, 'again')
    await vi.waitUntil(() => said.some((word) => word.startsWith('changed')), { timeout: 20_000 })
  })
})

function sharedOf({ shared }: Store): Shared {
  if (!shared) throw new Error('the store is not shared')
  return shared
}

function teller(said: string[]): Watcher {
  return {
    changed: (number) => said.push(`changed ${number}`),
    away: () => said.push('away'),
    back: () => said.push('back'),
    deaf: () => said.push('deaf'),
  }
}
