import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { DomainEvent } from '../events/events.ts'
import { StoreError } from './fault.ts'
import { migrate } from './migrate.ts'
import { SqlSteps } from './sql.ts'
import { openSqlite, type SqliteDatabase, spelling } from './sqlite.ts'
import { type Steps, storeOf } from './steps.ts'
import type { Store } from './store.ts'

let folder: string
let database: SqliteDatabase
let steps: SqlSteps
let store: Store
/** While set, commits are carried out or not, and their answer is lost. */
let losing: 'before' | 'after' | null

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'spillway-steps-'))
  const file = join(folder, 'spillway.db')
  database = openSqlite(file, { mustExist: false, busyMs: 100 })
  steps = new SqlSteps(database.db, { auditKey: new Uint8Array(32).fill(1), house: database.house, fleet: null })
  await migrate(database.db, file, { spelling, program: '0.1.0', begin: (on) => steps.begin(on) })
  losing = null
  store = storeOf(lossy(steps), async () => {})
})
afterEach(() => {
  database.close()
  rmSync(folder, { recursive: true, force: true })
})

function lossy(inner: Steps): Steps {
  return {
    load: (asks) => inner.load(asks),
    async commit(asks) {
      const done = losing === 'before' ? { seqs: [], number: null } : await inner.commit(asks)
      if (losing) throw new StoreError('deadline', 'no answer')
      return done
    },
    refreshState: (asks) => inner.refreshState(asks),
    audit: (asks) => inner.audit(asks),
    usage: (asks) => inner.usage(asks),
    pruneUsage: (asks) => inner.pruneUsage(asks),
    verify: (asks) => inner.verify(asks),
    prune: (asks) => inner.prune(asks),
    incidents: (asks) => inner.incidents(asks),
    outbox: (asks) => inner.outbox(asks),
    usageSamples: (asks) => inner.usageSamples(asks),
    thinSamples: (asks) => inner.thinSamples(asks),
    space: (asks) => inner.space(asks),
  }
}

function event(to: string): DomainEvent {
  const who = { pool: 'openai', from: 'a', to, reason: 'operator' as const, actor: 'operator:cli' }
  return { kind: 'pool_rotated', at: 1_767_621_600_000, ...who, detail: { until: null } }
}

function batch(...events: DomainEvent[]) {
  return { writes: [], audit: events.map((each) => ({ event: each, suppressed: 0 })) }
}

describe('a commit whose answer was lost', () => {
  test.each(['before', 'after'] as const)(
    'leaves one row per event when it is tried again (lost %s it was written)',
    async (when) => {
      await store.commit(batch(event('z')))
      const [a, b, c] = [event('b'), event('c'), event('d')]
      losing = when
      for (let i = 0; i < 3; i++) await expect(store.commit(batch(a, b))).rejects.toMatchObject({ code: 'deadline' })
      losing = null
      // As the journal does it: what came meanwhile joins the batch.
      expect(await store.commit(batch(a, b, c))).toEqual([2, 3, 4])
      expect((await store.audit({})).map(({ seq, to }) => [seq, to])).toEqual([
        [1, 'z'],
        [2, 'b'],
        [3, 'c'],
        [4, 'd'],
      ])
      expect(await store.verifyAudit()).toMatchObject({ ok: true, rows: 4 })
    },
  )

  test('does not hide that the same event was committed twice on purpose', async () => {
    const told = event('b')
    losing = 'after'
    await expect(store.commit(batch(told))).rejects.toThrow()
    losing = null
    expect(await store.commit(batch(told))).toEqual([1])
    expect(await store.commit(batch(told))).toEqual([2])
  })

  test('is done when it replaced a refresh row, and not taken for a stale generation', async () => {
    const credential = {
      id: 'c1',
      name: 'work',
      provider: 'codex',
      baseUrl: null,
      domain: null,
      header: null,
      source: { kind: 'vault' as const },
      auth: 'oauth' as const,
      createdAt: 0,
    }
    const row = { id: 'c1', generation: 1, intent: null, refused: null, failures: 0, nextAttemptAt: 0 }
    await store.commit({ writes: [{ put: 'credential', row: credential }], audit: [] })
    const renew = { writes: [{ put: 'refresh' as const, row, expected: null }], audit: [] }
    losing = 'after'
    await expect(store.commit(renew)).rejects.toMatchObject({ code: 'deadline' })
    losing = null
    expect(await store.commit(renew)).toEqual([])
    expect((await store.refreshState('c1')).row).toEqual(row)
  })
})

describe('a walk along the chain', () => {
  test('does not pass over an end that is removed while it walks', async () => {
    await store.commit(batch(...Array.from({ length: 2_500 }, (_, i) => event(`m${i}`))))
    const walk = await steps.verify(null)
    if (walk.done) throw new Error('one stretch was enough')
    expect(walk).toMatchObject({ rows: 2_000, last: { seq: 2_000 } })
    await sql`delete from audit_head`.execute(database.db)
    expect(await steps.verify(walk)).toMatchObject({ done: true, broken: { seq: 2_500 } })
  })

  test('goes on behind rows that are removed under its feet', async () => {
    await store.commit(batch(...Array.from({ length: 5_000 }, (_, i) => event(`m${i}`))))
    const walk = await steps.verify(null)
    if (walk.done) throw new Error('one stretch was enough')
    await store.prune(1_767_621_600_000, { maxAgeMs: 1e12, maxRows: 1_000, maxBytes: 1e9 })
    expect(await steps.verify(walk)).toMatchObject({ done: true, rows: 3_000, head: { seq: 5_000 }, broken: null })
  })
})
