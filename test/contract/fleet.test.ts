// F38, and what replicas rely on: changes in order, conditions on a batch, leases, one chain.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Conflict, LeaseLost, type Shared, type Store, type Write } from '../../internal/store/store.ts'
import { type PostgresServer, startPostgres } from '../fakes/postgres/server.ts'
import { openOn, type PostgresDatabase, postgresDatabase } from './postgres.ts'
import { cooled, credential, pool, sealed, seat, state } from './samples.ts'

let server: PostgresServer
let database: PostgresDatabase
/** The stores of two replicas. */
let a: Store
let b: Store
let ofA: Shared
let ofB: Shared

function sharedOf({ shared }: Store): Shared {
  if (!shared) throw new Error('the store is not shared')
  return shared
}

beforeAll(async () => {
  server = await startPostgres()
})
afterAll(() => server.stop())
beforeEach(async () => {
  database = await postgresDatabase(server)
  ;[a, b] = await Promise.all([database.open(), database.open()])
  ;[ofA, ofB] = [sharedOf(a), sharedOf(b)]
})
afterEach(async () => {
  await Promise.all([a.close(), b.close()])
  await database.remove()
})

const note = (name: string, value: string): Write => ({ put: 'meta', name, value })
const writing = (...writes: Write[]) => ({ writes, audit: [] })

describe('the changes of a fleet', () => {
  test('are what others wrote after a number, as it is now, without what one wrote oneself', async () => {
    const { snapshot, number } = await ofA.snapshot()
    expect(snapshot.meta).toEqual({})
    await b.commit(writing(note('n', '1')))
    await a.commit(writing(note('mine', 'x')))
    await b.commit(writing(note('n', '2'), note('m', '1')))
    const changes = await ofA.changes(number)
    expect(changes).toEqual({ writes: [note('m', '1'), note('n', '2')], number: number + 3 })
    expect(await ofA.changes(number + 3)).toEqual({ writes: [], number: number + 3 })
  })

  test('tell what is gone with what', async () => {
    await a.commit(
      writing(
        { put: 'credential', row: credential('c1') },
        { put: 'credential-state', row: state('c1', 1) },
        { put: 'secret', row: sealed('c1') },
        { put: 'pool', row: pool('p1') },
        { put: 'seat', row: seat('p1', 'c1') },
      ),
    )
    const { number } = await ofB.snapshot()
    await a.commit(writing({ drop: 'pool', name: 'p1' }, { drop: 'credential', id: 'c1' }))
    await a.commit(writing({ put: 'pool', row: pool('p1') }))
    expect((await ofB.changes(number))?.writes).toEqual([
      { drop: 'credential', id: 'c1' },
      { drop: 'seat', pool: 'p1', credentialId: 'c1' },
      { drop: 'secret', owner: 'c1' },
      { put: 'pool', row: pool('p1') },
    ])
  })

  test('leave out audit rows, incidents and the outbox, which nobody keeps in memory', async () => {
    const { number } = await ofB.snapshot()
    await a.commit({ writes: [{ drop: 'incident', id: 'i' }], audit: [{ event: cooled('m'), suppressed: 0 }] })
    expect(await ofB.changes(number)).toEqual({ writes: [], number })
  })

  test('miss nothing of a hundred writers at once, whenever one looks', async () => {
    const writers = await Promise.all(Array.from({ length: 10 }, () => database.open()))
    const seen = new Map<string, string>()
    let { number } = await ofA.snapshot()
    let writing_ = true
    const looking = (async () => {
      for (let last = false; !last; ) {
        last = !writing_
        const changes = await ofA.changes(number)
        if (!changes) throw new Error('forgotten')
        for (const write of changes.writes) {
          if ('put' in write && write.put === 'meta') seen.set(write.name, write.value)
        }
        number = changes.number
      }
    })()
    await Promise.all(
      writers.flatMap((store, w) =>
        Array.from({ length: 10 }, async (_, i) => {
          await store.commit({
            writes: [note(`w${w}.${i}`, 'done')],
            audit: [{ event: cooled(`w${w}.${i}`), suppressed: 0 }],
          })
        }),
      ),
    )
    writing_ = false
    await looking
    expect(seen.size).toBe(100)
    expect(await a.verifyAudit()).toMatchObject({ ok: true, rows: 100 })
    await Promise.all(writers.map((store) => store.close()))
  })

  test('are too old to tell after what is gone was forgotten', async () => {
    await a.commit(writing(note('n', '1')))
    const { number } = await ofB.snapshot()
    await a.commit(writing({ drop: 'meta', name: 'n' }, note('m', '1')))
    await server.run('update changes set at = 0', database.name)
    await a.prune(0, { maxAgeMs: 1e12, maxRows: 1e6, maxBytes: 1e9 })
    expect(await ofB.changes(number)).toBeNull()
    const { snapshot, number: later } = await ofB.snapshot()
    expect(snapshot.meta).toEqual({ m: '1' })
    expect(await ofB.changes(later)).toEqual({ writes: [], number: later })
  })
})

describe('a batch that says what its writer had seen', () => {
  test('is refused whole when somebody else changed one of its rows since, with the rows as they are', async () => {
    const { number } = await ofA.snapshot()
    await b.commit(writing(note('n', 'theirs')))
    const batch = { writes: [note('n', 'mine'), note('other', 'mine')], audit: [{ event: cooled('m'), suppressed: 0 }] }
    const refused = await ofA.commit({ ...batch, seen: number }).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(Conflict)
    expect((refused as Conflict).current).toEqual({ writes: [note('n', 'theirs')], number: number + 1 })
    expect([(await a.load()).meta, await a.audit({})]).toEqual([{ n: 'theirs' }, []])
    const again = await ofA.commit({ ...batch, seen: (refused as Conflict).current.number })
    expect(again).toEqual({ seqs: [1], number: number + 2 })
    expect((await b.load()).meta).toEqual({ n: 'mine', other: 'mine' })
  })

  test('is written when others changed other rows, and after one wrote the row oneself', async () => {
    const { number } = await ofA.snapshot()
    await b.commit(writing(note('theirs', '1')))
    await ofA.commit({ ...writing(note('n', '1')), seen: number })
    await ofA.commit({ ...writing(note('n', '2')), seen: number })
    expect((await b.load()).meta).toEqual({ theirs: '1', n: '2' })
  })

  test('is refused for the state of a credential that was removed', async () => {
    await a.commit(writing({ put: 'credential', row: credential('c1') }))
    const { number } = await ofA.snapshot()
    await b.commit(writing({ drop: 'credential', id: 'c1' }))
    const late = ofA.commit({ ...writing({ put: 'credential-state', row: state('c1', 1) }), seen: number })
    await expect(late).rejects.toMatchObject({ name: 'Conflict', current: { writes: [] } })
  })

  test('lets exactly one of many win who decide from the same', async () => {
    const stores = await Promise.all(Array.from({ length: 8 }, () => database.open()))
    const { number } = await ofA.snapshot()
    const results = await Promise.allSettled(
      stores.map((store, i) => sharedOf(store).commit({ ...writing(note('n', String(i))), seen: number })),
    )
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    await Promise.all(stores.map((store) => store.close()))
  })
})

describe('a lease', () => {
  const hour = 3_600_000

  test('is held by one at a time, renewed by its holder, and free when it is released', async () => {
    const lease = await ofA.leases.take('refresh:c1', 'a', hour)
    expect(lease).toEqual({ name: 'refresh:c1', holder: 'a', generation: 1 })
    expect(await ofB.leases.take('refresh:c1', 'b', hour)).toBeNull()
    expect(await ofA.leases.take('refresh:c1', 'a', hour)).toEqual(lease)
    if (!lease) return
    expect(await ofA.leases.renew(lease, hour)).toBe(true)
    expect(await ofB.leases.held()).toEqual([{ ...lease, until: expect.any(Number) }])
    await ofA.leases.release(lease)
    expect(await ofA.leases.renew(lease, hour)).toBe(false)
    expect(await ofB.leases.take('refresh:c1', 'b', hour)).toMatchObject({ holder: 'b', generation: 2 })
  })

  test('is taken over when its time is over, and whoever had it writes nothing any more', async () => {
    const old = await ofA.leases.take('probe', 'a', hour)
    if (!old) throw new Error('not taken')
    await ofA.commit({ ...writing(note('n', 'a')), fence: old })
    // As if the holder had been frozen for longer than that.
    await server.run('update leases set until_at = 1', database.name)
    const idle = ofA.commit({ ...writing(note('n', 'frozen')), fence: old })
    await expect(idle).rejects.toBeInstanceOf(LeaseLost)
    const taken = await ofB.leases.take('probe', 'b', hour)
    expect(taken?.generation).toBe(2)
    await expect(ofA.commit({ ...writing(note('n', 'frozen')), fence: old })).rejects.toMatchObject({
      name: 'LeaseLost',
    })
    expect(await ofA.leases.renew(old, hour)).toBe(false)
    await ofA.leases.release(old)
    if (taken) await ofB.commit({ ...writing(note('n', 'b')), fence: taken })
    expect((await a.load()).meta).toEqual({ n: 'b' })
  })

  test('has one holder for each generation, however many want it', async () => {
    const stores = await Promise.all(Array.from({ length: 8 }, () => database.open()))
    const grants: number[] = []
    await Promise.all(
      stores.map(async (store, i) => {
        const { leases } = sharedOf(store)
        for (let round = 0; round < 20; round++) {
          const lease = await leases.take('lead', `r${i}`, hour)
          if (!lease) continue
          grants.push(lease.generation)
          await leases.release(lease)
        }
      }),
    )
    expect(new Set(grants).size).toBe(grants.length)
    await Promise.all(stores.map((store) => store.close()))
  })

  test('is not taken over while its holder writes under it', async () => {
    const lease = await ofA.leases.take('lead', 'a', hour)
    if (!lease) throw new Error('not taken')
    const written = ofA.commit({ ...writing(note('n', 'a')), fence: lease })
    await Promise.all([written, ofB.leases.take('lead', 'b', hour)])
    expect((await b.load()).meta).toEqual({ n: 'a' })
  })
})

describe('replicas', () => {
  test('are listed while they say that they live, by the clock of the database', async () => {
    const replica = { id: ofA.origin, name: 'one', version: '0.1.0', startedAt: 5, draining: false }
    await ofA.replicas.beat(replica)
    await ofB.replicas.beat({ ...replica, id: ofB.origin, name: 'two' })
    await ofB.replicas.beat({ ...replica, id: ofB.origin, name: 'two', draining: true })
    expect(await ofA.replicas.list(60_000)).toEqual([
      { ...replica, seenAt: expect.any(Number) },
      { ...replica, id: ofB.origin, name: 'two', draining: true, seenAt: expect.any(Number) },
    ])
    await server.run(`update replicas set seen_at = seen_at - 120000 where name = 'one'`, database.name)
    expect(await ofA.replicas.list(60_000)).toHaveLength(1)
    await ofB.replicas.leave(ofB.origin)
    expect(await ofA.replicas.list(60_000)).toEqual([])
    await server.run('update replicas set seen_at = 0', database.name)
    await ofB.replicas.beat({ ...replica, id: 'three' })
    expect((await server.run('select id from replicas', database.name)).rows).toEqual([{ id: 'three' }])
  })
})

describe('one database', () => {
  test('is not used with another master key, and nothing is written', async () => {
    const before = await server.run('select * from meta', database.name)
    await expect(openOn(database.url, { keyId: 'fedcba9876543210' })).rejects.toMatchObject({
      code: 'other-key',
      message: expect.stringContaining(
        'belongs to master key 0123456789abcdef, and the one at hand is fedcba9876543210',
      ),
    })
    expect((await server.run('select * from meta', database.name)).rows).toEqual(before.rows)
  })

  test('belongs to the key of the first of many who begin it at once', async () => {
    const empty = await postgresDatabase(server)
    const keys = Array.from({ length: 6 }, (_, i) => String(i).repeat(16))
    const opened = await Promise.allSettled(keys.map((keyId) => openOn(empty.url, { keyId })))
    const won = opened.filter((each) => each.status === 'fulfilled')
    expect(won).toHaveLength(1)
    for (const each of opened) {
      if (each.status === 'rejected') expect(each.reason).toMatchObject({ code: 'other-key' })
    }
    await won[0]?.value.close()
    await empty.remove()
  })

  test('of a newer version is refused, with both versions named', async () => {
    await server.run(`update schema_mark set version = 99, written_by = '9.9.9'`, database.name)
    await expect(openOn(database.url)).rejects.toMatchObject({
      code: 'newer',
      message: expect.stringContaining('9.9.9'),
    })
    // Whoever has it open goes on: two versions work side by side while a fleet is upgraded.
    await a.commit(writing(note('n', '1')))
  })

  test('keeps one audit chain, whoever writes and while somebody verifies', async () => {
    let verdicts = 0
    const writers = [a, b].map(async (store) => {
      for (let i = 0; i < 60; i++)
        await store.commit({ writes: [], audit: [{ event: cooled(`m${i}`), suppressed: 0 }] })
    })
    let done = false
    const verifying = (async () => {
      while (!done) {
        expect(await a.verifyAudit()).toMatchObject({ ok: true })
        await b.prune(0, { maxAgeMs: 1e12, maxRows: 40, maxBytes: 1e9 })
        verdicts++
      }
    })()
    await Promise.all(writers)
    done = true
    await verifying
    expect(verdicts).toBeGreaterThan(0)
    expect((await a.audit({ limit: 1 }))[0]?.seq).toBe(120)
    expect(await b.verifyAudit()).toMatchObject({ ok: true })
  })

  test('says how it is reached', async () => {
    expect(await ofA.health()).toEqual({
      label: database.url,
      server: expect.stringMatching(/^\d+\.\d+/),
      encrypted: false,
      latencyMs: expect.any(Number),
      isPooled: false,
    })
  })
})
