import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { DomainEvent } from '../../internal/events/events.ts'
import type { CredentialRecord, RefreshRecord, Retention, Snapshot, Store, Write } from '../../internal/store/store.ts'
import { at, bare, cooled, credential, full, pool, sealed, seat, state } from './samples.ts'

/** One database, as the suite needs it: opened as often as it likes, and reachable for somebody who tampers with it. */
export interface Database {
  /** Opens the Store on it; `signer` chooses one of several audit keys. */
  open(signer?: number): Promise<Store>
  /** Runs SQL beside the Store. */
  tamper(statements: string): void | Promise<void>
  remove(): void | Promise<void>
}

const generous: Retention = { maxAgeMs: 1e12, maxRows: 1e6, maxBytes: 1e9 }

/** What every implementation of the Store must do, run on databases that `create` makes. */
export function storeContract(name: string, create: () => Promise<Database>): void {
  describe(`the Store on ${name}`, () => {
    let database: Database
    let store: Store

    beforeEach(async () => {
      database = await create()
      store = await database.open()
    })
    afterEach(async () => {
      await store.close()
      await database.remove()
    })

    async function reopen(signer?: number): Promise<void> {
      await store.close()
      store = await database.open(signer)
    }

    function write(...writes: Write[]): Promise<readonly number[]> {
      return store.commit({ writes, audit: [] })
    }

    function tell(...events: DomainEvent[]): Promise<readonly number[]> {
      return store.commit({ writes: [], audit: events.map((event) => ({ event, suppressed: 0 })) })
    }

    async function numbers(): Promise<number[]> {
      return (await store.audit({})).map(({ seq }) => seq)
    }

    describe('what it remembers', () => {
      test('is nothing at first', async () => {
        const nothing: Snapshot = {
          credentials: [],
          states: [],
          pools: [],
          poolStates: [],
          seats: [],
          domains: [],
          hosts: [],
          keys: [],
          secrets: [],
          suppressed: [],
          meta: {},
        }
        expect(await store.load()).toEqual(nothing)
        expect([await store.incidents(), await store.outbox(), await store.audit({})]).toEqual([[], [], []])
        expect(await store.verifyAudit()).toEqual({ ok: true, rows: 0, head: null })
      })

      test.each([
        ['with every field filled', full],
        ['with every field that may be empty empty', bare],
      ])('is every record as it was written, %s, also after a restart', async (_name, sample) => {
        await write(...sample.writes)
        for (let opened = 0; opened < 2; opened++) {
          expect(await store.load()).toEqual(sample.snapshot)
          expect(await store.incidents()).toEqual(sample.incidents)
          expect(await store.outbox()).toEqual(sample.outbox)
          expect(await store.refreshState('c1')).toEqual(sample.refreshState)
          await reopen()
        }
      })

      test('is the last write of a row, within a batch and across batches', async () => {
        await write({ put: 'meta', name: 'n', value: '1' }, { put: 'meta', name: 'n', value: '2' })
        expect((await store.load()).meta).toEqual({ n: '2' })
        await write({ put: 'meta', name: 'n', value: '3' }, { drop: 'meta', name: 'n' })
        expect((await store.load()).meta).toEqual({})
        await write(
          { put: 'credential', row: credential('c1', { domain: 'org' }) },
          { put: 'credential-state', row: state('c1', 1) },
        )
        await write(
          { put: 'credential', row: credential('c1', { baseUrl: 'http://127.0.0.1:1', name: 'renamed' }) },
          { put: 'credential-state', row: state('c1', 2) },
        )
        const { credentials, states } = await store.load()
        expect(credentials).toEqual([credential('c1', { baseUrl: 'http://127.0.0.1:1', name: 'renamed' })])
        expect(states).toEqual([state('c1', 2)])
      })

      test('may be written in any order within a batch', async () => {
        await write(
          { put: 'seat', row: seat('p1', 'c1') },
          { put: 'credential-state', row: state('c1', 1) },
          { put: 'pool', row: pool('p1') },
          { put: 'credential', row: credential('c1') },
        )
        expect((await store.load()).seats).toEqual([seat('p1', 'c1')])
      })

      test('takes text of any kind as it is', async () => {
        const odd = `'"; drop table credentials; -- \\ \n\t ü 🔑 \u2028`
        await write(
          { put: 'meta', name: odd, value: odd },
          { put: 'host', row: { host: odd, failures: 0, since: 0, nextAttemptAt: 0 } },
        )
        expect((await store.load()).meta).toEqual({ [odd]: odd })
        await write({ drop: 'host', host: odd })
        expect((await store.load()).hosts).toEqual([])
      })

      test('rounds instants that a back-off with jitter made fractional', async () => {
        await write({ put: 'host', row: { host: 'h', failures: 1, since: at, nextAttemptAt: at + 1_234.56 } })
        expect((await store.load()).hosts).toEqual([{ host: 'h', failures: 1, since: at, nextAttemptAt: at + 1_235 }])
      })
    })

    describe('a batch', () => {
      const rename: Write[] = [
        { put: 'credential', row: credential('c2') },
        { put: 'meta', name: 'n', value: 'changed' },
      ]
      const breaking: [string, Write][] = [
        ['a second credential of the same name', { put: 'credential', row: credential('c3', { name: 'c1' }) }],
        ['a seat in no pool', { put: 'seat', row: seat('nowhere', 'c1') }],
        ['the state of no credential', { put: 'credential-state', row: state('nobody', 1) }],
      ]

      test.each(breaking)('is written all or nothing: %s takes everything with it', async (_name, last) => {
        await write({ put: 'credential', row: credential('c1') }, { put: 'meta', name: 'n', value: 'before' })
        await tell(cooled('a'))
        const before = await store.load()
        const batch = { writes: [...rename, last], audit: [{ event: cooled('b'), suppressed: 0 }] }
        await expect(store.commit(batch)).rejects.toMatchObject({
          name: 'StoreError',
          code: 'rejected',
          mayRetry: false,
        })
        expect(await store.load()).toEqual(before)
        expect(await numbers()).toEqual([1])
        expect(await tell(cooled('c'))).toEqual([2])
        expect(await store.verifyAudit()).toMatchObject({ ok: true, rows: 2 })
      })

      test('frees a name in time for who takes it over', async () => {
        await write({ put: 'credential', row: credential('c1', { name: 'work' }) })
        await write({ drop: 'credential', id: 'c1' }, { put: 'credential', row: credential('c2', { name: 'work' }) })
        expect((await store.load()).credentials.map(({ id }) => id)).toEqual(['c2'])
      })

      test('is durable when it was answered, and batches that overlap keep their order', async () => {
        const seqs = await Promise.all(
          Array.from({ length: 40 }, (_, i) =>
            store.commit({
              writes: [{ put: 'meta', name: 'n', value: String(i) }],
              audit: [{ event: cooled(`m${i}`), suppressed: 0 }],
            }),
          ),
        )
        expect(seqs).toEqual(Array.from({ length: 40 }, (_, i) => [i + 1]))
        await reopen()
        expect((await store.load()).meta).toEqual({ n: '39' })
        expect((await store.audit({})).map(({ from }) => from)).toEqual(Array.from({ length: 40 }, (_, i) => `m${i}`))
      })
    })

    describe('dropping', () => {
      beforeEach(() => write(...full.writes, ...other))
      const other: Write[] = [
        { put: 'credential', row: credential('c9') },
        { put: 'credential-state', row: state('c9', 1) },
        { put: 'secret', row: sealed('c9') },
        { put: 'pool', row: pool('p9') },
        { put: 'pool-state', row: { name: 'p9', active: 'c9', exhausted: null } },
        { put: 'seat', row: seat('p9', 'c9') },
        { put: 'seat', row: seat('p1', 'c9') },
      ]
      const rest = (snapshot: Snapshot) => ({
        credentials: snapshot.credentials.map(({ id }) => id),
        states: snapshot.states.map(({ id }) => id),
        secrets: snapshot.secrets.map(({ owner }) => owner),
        pools: snapshot.pools.map(({ name: id }) => id),
        poolStates: snapshot.poolStates.map(({ name: id }) => id),
        seats: snapshot.seats.map(({ pool: of, credentialId }) => `${of}/${credentialId}`),
      })
      const all = {
        credentials: ['c1', 'c9'],
        states: ['c1', 'c9'],
        secrets: ['c1', 'c1', 'c9', 'key:k1'],
        pools: ['p1', 'p9'],
        poolStates: ['p1', 'p9'],
        seats: ['p1/c1', 'p1/c9', 'p9/c9'],
      }

      test('a credential takes its state, secrets, seats and refresh row with it, and nothing of others', async () => {
        await write({ drop: 'credential', id: 'c1' })
        const left = { credentials: ['c9'], states: ['c9'], secrets: ['c9', 'key:k1'], seats: ['p1/c9', 'p9/c9'] }
        expect(rest(await store.load())).toEqual({ ...all, ...left })
        expect(await store.refreshState('c1')).toEqual({ row: null, secrets: [] })
      })

      test('a pool takes its state and seats with it, and no credential', async () => {
        await write({ drop: 'pool', name: 'p1' })
        expect(rest(await store.load())).toEqual({ ...all, pools: ['p9'], poolStates: ['p9'], seats: ['p9/c9'] })
      })

      test('a seat or the secrets of one owner touches nothing else', async () => {
        await write({ drop: 'seat', pool: 'p1', credentialId: 'c9' }, { drop: 'secret', owner: 'c1' })
        const left = { seats: ['p1/c1', 'p9/c9'], secrets: ['c9', 'key:k1'] }
        expect(rest(await store.load())).toEqual({ ...all, ...left })
      })

      test('single rows drops them', async () => {
        await write(
          { drop: 'host', host: 'api.openai.com:443' },
          { drop: 'incident', id: 'i1' },
          { drop: 'outbox', id: 'o1' },
          { drop: 'suppressed', signal: 'cred_cooled|p1|c1||quota' },
          { drop: 'meta', name: 'cursor' },
        )
        const { hosts, suppressed, meta } = await store.load()
        expect([hosts, suppressed, meta]).toEqual([[], [], {}])
        expect([await store.incidents(), await store.outbox()]).toEqual([[], []])
      })

      test('what is not there changes nothing', async () => {
        const before = await store.load()
        await write(
          { drop: 'credential', id: 'x' },
          { drop: 'pool', name: 'x' },
          { drop: 'seat', pool: 'p1', credentialId: 'x' },
          { drop: 'secret', owner: 'x' },
        )
        expect(await store.load()).toEqual(before)
      })
    })

    describe('the refresh row', () => {
      const owner: CredentialRecord = credential('c1', { auth: 'oauth' })
      const row = (generation: number, failures = 0): RefreshRecord => {
        return { id: 'c1', generation, intent: null, refused: null, failures, nextAttemptAt: 0 }
      }
      beforeEach(() => write({ put: 'credential', row: owner }))

      test.each<[string, RefreshRecord | null, number | null, boolean]>([
        ['that is the first, on none', null, null, true],
        ['that is the first, on one', row(1), null, false],
        ['on the expected generation', row(1), 1, true],
        ['on a later generation', row(2), 1, false],
        ['on none, where one was expected', null, 1, false],
      ])('is written %s: %#', async (_name, before, expected, accepted) => {
        if (before) await write({ put: 'refresh', row: before, expected: null })
        const batch: Write[] = [
          { put: 'secret', row: sealed('c1') },
          { put: 'refresh', row: row(3, 7), expected },
        ]
        if (accepted) await write(...batch)
        else await expect(write(...batch)).rejects.toMatchObject({ name: 'StaleGeneration' })
        const secrets = accepted ? [sealed('c1')] : []
        expect(await store.refreshState('c1')).toEqual({ row: accepted ? row(3, 7) : before, secrets })
      })
    })

    describe('the audit log', () => {
      const rows = [
        cooled('a', { at: at + 10, pool: 'openai' }),
        cooled('b', { at: at + 20, pool: 'openai' }),
        cooled('a', { at: at + 30, pool: 'gemini' }),
        {
          ...cooled('a', { at: at + 40, pool: 'openai' }),
          kind: 'cred_revived' as const,
          detail: { how: 'probe' as const },
        },
        cooled('c', { at: at + 50, pool: null }),
      ]

      test('numbers rows from one, across batches and restarts, and keeps every field', async () => {
        const entry = { event: cooled('a', { to: 'b' }), suppressed: 17 }
        expect(await store.commit({ writes: [], audit: [entry, { event: cooled('c'), suppressed: 0 }] })).toEqual([
          1, 2,
        ])
        await reopen()
        expect(await tell(cooled('d'))).toEqual([3])
        const [first] = await store.audit({})
        const { kind, pool: of, from, to, reason, actor, detail } = entry.event
        const facts = { at: entry.event.at, kind, pool: of, from, to, reason, actor, detail, suppressed: 17 }
        expect(first).toEqual({ seq: 1, ...facts, hash: expect.stringMatching(/^[0-9a-f]{64}$/) })
        expect(await numbers()).toEqual([1, 2, 3])
      })

      test.each<[string, Parameters<Store['audit']>[0], number[]]>([
        ['everything', {}, [1, 2, 3, 4, 5]],
        ['the newest', { limit: 2 }, [4, 5]],
        ['none', { limit: 0 }, []],
        ['more than there are', { limit: 99 }, [1, 2, 3, 4, 5]],
        ['since an instant, which counts', { since: at + 30 }, [3, 4, 5]],
        ['of a pool', { pool: 'openai' }, [1, 2, 4]],
        ['of a kind', { kind: 'cred_revived' }, [4]],
        ['the newest of a pool since then', { pool: 'openai', since: at + 20, limit: 1 }, [4]],
        ['after a number', { after: 3 }, [4, 5]],
        ['the first ones after a number', { after: 1, limit: 2 }, [2, 3]],
        ['after the last', { after: 5 }, []],
        ['from the beginning', { after: 0, limit: 1 }, [1]],
        ['of a pool after a number', { after: 1, pool: 'openai' }, [2, 4]],
      ])('gives what was asked for, oldest first: %s', async (_name, query, expected) => {
        await tell(...rows)
        expect((await store.audit(query)).map(({ seq }) => seq)).toEqual(expected)
      })

      test('hangs together', async () => {
        await tell(...rows)
        const last = (await store.audit({ limit: 1 })).at(-1)
        expect(await store.verifyAudit()).toEqual({ ok: true, rows: 5, head: { seq: 5, hash: last?.hash } })
      })

      test('hangs together over more rows than one look takes', async () => {
        await tell(...Array.from({ length: 4_500 }, (_, i) => cooled(`m${i}`)))
        expect(await store.verifyAudit()).toMatchObject({ ok: true, rows: 4_500 })
        await database.tamper(`update audit set actor = 'nobody' where seq = 4321`)
        expect(await store.verifyAudit()).toMatchObject({ ok: false, seq: 4_321 })
      })
    })

    describe('the budget of the audit log', () => {
      const many = (count: number) => Array.from({ length: count }, (_, i) => cooled(`m${i}`, { at: at + i * 1_000 }))

      test.each<[string, Partial<Retention>, number]>([
        ['nothing when all is within it', {}, 1],
        ['what is too old', { maxAgeMs: 400_000 }, 601],
        ['what is too much', { maxRows: 300 }, 701],
        ['the stricter of two', { maxRows: 300, maxAgeMs: 400_000 }, 701],
        ['all but the newest', { maxRows: 1 }, 1_000],
        ['everything, when everything is too old', { maxAgeMs: 0 }, 1_001],
      ])('removes %s, oldest first, and the chain still holds', async (_name, budget, first) => {
        await tell(...many(1_000))
        const now = at + 1_000_000
        expect(await store.prune(now, { ...generous, ...budget })).toBe(first - 1)
        expect((await store.audit({ after: 0, limit: 1 }))[0]?.seq).toBe(first > 1_000 ? undefined : first)
        expect(await store.verifyAudit()).toMatchObject({ ok: true, rows: 1_001 - first, head: { seq: 1_000 } })
        expect(await store.prune(now, { ...generous, ...budget })).toBe(0)
        await reopen()
        expect(await tell(cooled('next'))).toEqual([1_001])
        expect(await store.verifyAudit()).toMatchObject({ ok: true, rows: 1_002 - first })
      })

      test('counts the bytes that rows take', async () => {
        const long = (i: number) => cooled(`m${i}`, { detail: { command: 'x'.repeat(1_000) } })
        await tell(...Array.from({ length: 100 }, (_, i) => long(i)))
        await store.prune(at, { ...generous, maxBytes: 50_000 })
        const left = await store.audit({})
        expect(left.length).toBeGreaterThan(30)
        expect(left.length).toBeLessThan(50)
        expect(left.at(-1)?.seq).toBe(100)
        expect(await store.prune(at, { ...generous, maxBytes: 50_000 })).toBe(0)
      })

      test('gives room back', async () => {
        await tell(...many(5_000))
        await reopen()
        const { usedBytes: before } = await store.space()
        await store.prune(at, { ...generous, maxRows: 10 })
        await reopen()
        expect((await store.space()).usedBytes).toBeLessThan(before / 2)
      })
    })

    describe('somebody who tampers with the audit log', () => {
      beforeEach(() => tell(...Array.from({ length: 10 }, (_, i) => cooled(`m${i}`))))

      const cases: [string, string, number][] = [
        ['changes a row', `update audit set from_member = 'x' where seq = 4`, 4],
        ['changes details', `update audit set detail = '{}' where seq = 1`, 1],
        ['removes a row', 'delete from audit where seq = 6', 6],
        ['removes the first row', 'delete from audit where seq = 1', 1],
        ['cuts off the end', 'delete from audit where seq > 7', 8],
        ['removes everything', 'delete from audit', 1],
        [
          'swaps two rows',
          'update audit set seq = 99 where seq = 3; update audit set seq = 3 where seq = 4; update audit set seq = 4 where seq = 99',
          3,
        ],
        [
          'appends a row',
          `insert into audit select 11, at, kind, pool, from_member, to_member, reason, actor, suppressed, detail, hash, bytes, 'e'
           from audit where seq = 10`,
          11,
        ],
        [
          'cuts off the end and makes the head fit',
          `delete from audit where seq > 7;
           update audit_head set seq = 7, hash = (select hash from audit where seq = 7)`,
          7,
        ],
        ['removes the head', 'delete from audit_head', 10],
        ['removes everything and the head', 'delete from audit; delete from audit_head', 1],
        [
          'removes the beginning and makes the anchor fit',
          `update audit_anchor set seq = 3, hash = (select hash from audit where seq = 3); delete from audit where seq < 4`,
          3,
        ],
        ['removes the anchor', 'delete from audit_anchor', 1],
      ]

      test.each(cases)('is found out, and the first bad row named, when he %s', async (_name, statements, seq) => {
        expect(await store.verifyAudit()).toMatchObject({ ok: true })
        await database.tamper(statements)
        expect(await store.verifyAudit()).toEqual({ ok: false, seq, problem: expect.any(String) })
      })

      test.each(cases)('is found out later too: rows go on being written after he %s', async (_name, statements) => {
        await database.tamper(statements)
        await tell(cooled('later'))
        await reopen()
        await tell(cooled('later still'))
        expect((await store.audit({ limit: 2 })).map(({ from }) => from)).toEqual(['later', 'later still'])
        expect(await store.verifyAudit()).toMatchObject({ ok: false })
      })

      test.each(cases)(
        'does not get his traces wiped by the removal of old rows after he %s',
        async (_name, statements) => {
          await database.tamper(statements)
          await tell(cooled('later'), cooled('later still'))
          await store.prune(at, { ...generous, maxRows: 1 })
          await store.prune(at, { ...generous, maxRows: 1 })
          expect((await store.audit({})).map(({ from }) => from)).toEqual(['later still'])
          expect(await store.verifyAudit()).toMatchObject({ ok: false })
        },
      )

      test('cannot put a row before the beginning that was removed', async () => {
        await store.prune(at, { ...generous, maxRows: 5 })
        await database.tamper(
          `insert into audit select 2, at, kind, pool, from_member, to_member, reason, actor, suppressed, detail, hash, bytes, 'e'
           from audit where seq = 7`,
        )
        expect(await store.verifyAudit()).toMatchObject({ ok: false, seq: 2 })
      })

      test('cannot sign with another key', async () => {
        await reopen(2)
        expect(await store.verifyAudit()).toMatchObject({
          ok: false,
          seq: 10,
          problem: expect.stringContaining('signature'),
        })
      })
    })

    describe('closing', () => {
      test('lets what was asked before finish, and refuses what comes later', async () => {
        const earlier = tell(cooled('a'))
        const closed = store.close()
        await expect(tell(cooled('b'))).rejects.toMatchObject({ name: 'StoreError', code: 'closed' })
        expect(await earlier).toEqual([1])
        await closed
        await store.close()
        store = await database.open()
        expect(await numbers()).toEqual([1])
      })
    })

    test('knows how much room it takes and has', async () => {
      const { usedBytes, freeBytes } = await store.space()
      expect(usedBytes).toBeGreaterThan(0)
      expect(freeBytes).toBeGreaterThan(0)
    })
  })
}
