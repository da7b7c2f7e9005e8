import { beforeEach, describe, expect, test } from 'vitest'
import type { CredentialRecord, RefreshRecord, Snapshot, Write } from '../../internal/store/store.ts'
import type { Bench } from './bench.ts'
import { at, bare, cooled, credential, full, pool, sealed, seat, state } from './samples.ts'

/** What a Store keeps beside the audit log. */
export function recordsContract(bench: Bench): void {
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
      expect(await bench.store.load()).toEqual(nothing)
      expect([await bench.store.incidents(), await bench.store.outbox(), await bench.store.audit({})]).toEqual([
        [],
        [],
        [],
      ])
      expect(await bench.store.verifyAudit()).toEqual({ ok: true, rows: 0, head: null })
    })

    test.each([
      ['with every field filled', full],
      ['with every field that may be empty empty', bare],
    ])('is every record as it was written, %s, also after a restart', async (_name, sample) => {
      await bench.write(...sample.writes)
      for (let opened = 0; opened < 2; opened++) {
        expect(await bench.store.load()).toEqual(sample.snapshot)
        expect(await bench.store.incidents()).toEqual(sample.incidents)
        expect(await bench.store.outbox()).toEqual(sample.outbox)
        expect(await bench.store.refreshState('c1')).toEqual(sample.refreshState)
        await bench.reopen()
      }
    })

    test('is the last write of a row, within a batch and across batches', async () => {
      await bench.write({ put: 'meta', name: 'n', value: '1' }, { put: 'meta', name: 'n', value: '2' })
      expect((await bench.store.load()).meta).toEqual({ n: '2' })
      await bench.write({ put: 'meta', name: 'n', value: '3' }, { drop: 'meta', name: 'n' })
      expect((await bench.store.load()).meta).toEqual({})
      await bench.write(
        { put: 'credential', row: credential('c1', { domain: 'org' }) },
        { put: 'credential-state', row: state('c1', 1) },
      )
      await bench.write(
        { put: 'credential', row: credential('c1', { baseUrl: 'http://127.0.0.1:1', name: 'renamed' }) },
        { put: 'credential-state', row: state('c1', 2) },
      )
      const { credentials, states } = await bench.store.load()
      expect(credentials).toEqual([credential('c1', { baseUrl: 'http://127.0.0.1:1', name: 'renamed' })])
      expect(states).toEqual([state('c1', 2)])
    })

    test('may be written in any order within a batch', async () => {
      await bench.write(
        { put: 'seat', row: seat('p1', 'c1') },
        { put: 'credential-state', row: state('c1', 1) },
        { put: 'pool', row: pool('p1') },
        { put: 'credential', row: credential('c1') },
      )
      expect((await bench.store.load()).seats).toEqual([seat('p1', 'c1')])
    })

    test('takes text of any kind as it is', async () => {
      const odd = `'"; drop table credentials; -- \\ \n\t ü 🔑 \u2028`
      await bench.write(
        { put: 'meta', name: odd, value: odd },
        { put: 'host', row: { host: odd, failures: 0, since: 0, nextAttemptAt: 0 } },
      )
      expect((await bench.store.load()).meta).toEqual({ [odd]: odd })
      await bench.write({ drop: 'host', host: odd })
      expect((await bench.store.load()).hosts).toEqual([])
    })

    test('rounds instants that a back-off with jitter made fractional', async () => {
      await bench.write({ put: 'host', row: { host: 'h', failures: 1, since: at, nextAttemptAt: at + 1_234.56 } })
      expect((await bench.store.load()).hosts).toEqual([
        { host: 'h', failures: 1, since: at, nextAttemptAt: at + 1_235 },
      ])
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
      await bench.write({ put: 'credential', row: credential('c1') }, { put: 'meta', name: 'n', value: 'before' })
      await bench.tell(cooled('a'))
      const before = await bench.store.load()
      const batch = { writes: [...rename, last], audit: [{ event: cooled('b'), suppressed: 0 }] }
      await expect(bench.store.commit(batch)).rejects.toMatchObject({
        name: 'StoreError',
        code: 'rejected',
        mayRetry: false,
      })
      expect(await bench.store.load()).toEqual(before)
      expect(await bench.numbers()).toEqual([1])
      expect(await bench.tell(cooled('c'))).toEqual([2])
      expect(await bench.store.verifyAudit()).toMatchObject({ ok: true, rows: 2 })
    })

    test('frees a name in time for who takes it over', async () => {
      await bench.write({ put: 'credential', row: credential('c1', { name: 'work' }) })
      await bench.write(
        { drop: 'credential', id: 'c1' },
        { put: 'credential', row: credential('c2', { name: 'work' }) },
      )
      expect((await bench.store.load()).credentials.map(({ id }) => id)).toEqual(['c2'])
    })

    test('is durable when it was answered, and batches that overlap keep their order', async () => {
      const seqs = await Promise.all(
        Array.from({ length: 40 }, (_, i) =>
          bench.store.commit({
            writes: [{ put: 'meta', name: 'n', value: String(i) }],
            audit: [{ event: cooled(`m${i}`), suppressed: 0 }],
          }),
        ),
      )
      expect(seqs).toEqual(Array.from({ length: 40 }, (_, i) => [i + 1]))
      await bench.reopen()
      expect((await bench.store.load()).meta).toEqual({ n: '39' })
      expect((await bench.store.audit({})).map(({ from }) => from)).toEqual(
        Array.from({ length: 40 }, (_, i) => `m${i}`),
      )
    })
  })

  describe('dropping', () => {
    beforeEach(() => bench.write(...full.writes, ...other))
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
      await bench.write({ drop: 'credential', id: 'c1' })
      const left = { credentials: ['c9'], states: ['c9'], secrets: ['c9', 'key:k1'], seats: ['p1/c9', 'p9/c9'] }
      expect(rest(await bench.store.load())).toEqual({ ...all, ...left })
      expect(await bench.store.refreshState('c1')).toEqual({ row: null, secrets: [] })
    })

    test('a pool takes its state and seats with it, and no credential', async () => {
      await bench.write({ drop: 'pool', name: 'p1' })
      expect(rest(await bench.store.load())).toEqual({ ...all, pools: ['p9'], poolStates: ['p9'], seats: ['p9/c9'] })
    })

    test('a seat or the secrets of one owner touches nothing else', async () => {
      await bench.write({ drop: 'seat', pool: 'p1', credentialId: 'c9' }, { drop: 'secret', owner: 'c1' })
      const left = { seats: ['p1/c1', 'p9/c9'], secrets: ['c9', 'key:k1'] }
      expect(rest(await bench.store.load())).toEqual({ ...all, ...left })
    })

    test('single rows drops them', async () => {
      await bench.write(
        { drop: 'host', host: 'api.openai.com:443' },
        { drop: 'incident', id: 'i1' },
        { drop: 'outbox', id: 'o1' },
        { drop: 'suppressed', signal: 'cred_cooled|p1|c1||quota' },
        { drop: 'meta', name: 'cursor' },
      )
      const { hosts, suppressed, meta } = await bench.store.load()
      expect([hosts, suppressed, meta]).toEqual([[], [], {}])
      expect([await bench.store.incidents(), await bench.store.outbox()]).toEqual([[], []])
    })

    test('what is not there changes nothing', async () => {
      const before = await bench.store.load()
      await bench.write(
        { drop: 'credential', id: 'x' },
        { drop: 'pool', name: 'x' },
        { drop: 'seat', pool: 'p1', credentialId: 'x' },
        { drop: 'secret', owner: 'x' },
      )
      expect(await bench.store.load()).toEqual(before)
    })
  })

  describe('the refresh row', () => {
    const owner: CredentialRecord = credential('c1', { auth: 'oauth' })
    const row = (generation: number, failures = 0): RefreshRecord => {
      return { id: 'c1', generation, intent: null, refused: null, failures, nextAttemptAt: 0 }
    }
    beforeEach(() => bench.write({ put: 'credential', row: owner }))

    test.each<[string, RefreshRecord | null, number | null, boolean]>([
      ['that is the first, on none', null, null, true],
      ['that is the first, on one', row(1), null, false],
      ['on the expected generation', row(1), 1, true],
      ['on a later generation', row(2), 1, false],
      ['on none, where one was expected', null, 1, false],
    ])('is written %s: %#', async (_name, before, expected, accepted) => {
      if (before) await bench.write({ put: 'refresh', row: before, expected: null })
      const batch: Write[] = [
        { put: 'secret', row: sealed('c1') },
        { put: 'refresh', row: row(3, 7), expected },
      ]
      if (accepted) await bench.write(...batch)
      else await expect(bench.write(...batch)).rejects.toMatchObject({ name: 'StaleGeneration' })
      const secrets = accepted ? [sealed('c1')] : []
      expect(await bench.store.refreshState('c1')).toEqual({ row: accepted ? row(3, 7) : before, secrets })
    })
  })
}
