import { describe, expect, test } from 'vitest'
import type { Retention, Store } from '../../internal/store/store.ts'
import { type Bench, generous } from './bench.ts'
import { at, cooled } from './samples.ts'

/** The audit log of a Store and its budget. */
export function trailContract(bench: Bench): void {
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
      expect(await bench.store.commit({ writes: [], audit: [entry, { event: cooled('c'), suppressed: 0 }] })).toEqual([
        1, 2,
      ])
      await bench.reopen()
      expect(await bench.tell(cooled('d'))).toEqual([3])
      const [first] = await bench.store.audit({})
      const { kind, pool: of, from, to, reason, actor, detail } = entry.event
      const facts = { at: entry.event.at, kind, pool: of, from, to, reason, actor, detail, suppressed: 17 }
      expect(first).toEqual({ seq: 1, ...facts, hash: expect.stringMatching(/^[0-9a-f]{64}$/) })
      expect(await bench.numbers()).toEqual([1, 2, 3])
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
      await bench.tell(...rows)
      expect((await bench.store.audit(query)).map(({ seq }) => seq)).toEqual(expected)
    })

    test('hangs together', async () => {
      await bench.tell(...rows)
      const last = (await bench.store.audit({ limit: 1 })).at(-1)
      expect(await bench.store.verifyAudit()).toEqual({ ok: true, rows: 5, head: { seq: 5, hash: last?.hash } })
    })

    test('hangs together over more rows than one look takes', async () => {
      await bench.tell(...Array.from({ length: 4_500 }, (_, i) => cooled(`m${i}`)))
      expect(await bench.store.verifyAudit()).toMatchObject({ ok: true, rows: 4_500 })
      await bench.database.tamper(`update audit set actor = 'nobody' where seq = 4321`)
      expect(await bench.store.verifyAudit()).toMatchObject({ ok: false, seq: 4_321 })
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
      await bench.tell(...many(1_000))
      const now = at + 1_000_000
      expect(await bench.store.prune(now, { ...generous, ...budget })).toBe(first - 1)
      expect((await bench.store.audit({ after: 0, limit: 1 }))[0]?.seq).toBe(first > 1_000 ? undefined : first)
      expect(await bench.store.verifyAudit()).toMatchObject({ ok: true, rows: 1_001 - first, head: { seq: 1_000 } })
      expect(await bench.store.prune(now, { ...generous, ...budget })).toBe(0)
      await bench.reopen()
      expect(await bench.tell(cooled('next'))).toEqual([1_001])
      expect(await bench.store.verifyAudit()).toMatchObject({ ok: true, rows: 1_002 - first })
    })

    test('counts the bytes that rows take', async () => {
      const long = (i: number) => cooled(`m${i}`, { detail: { command: 'x'.repeat(1_000) } })
      await bench.tell(...Array.from({ length: 100 }, (_, i) => long(i)))
      await bench.store.prune(at, { ...generous, maxBytes: 50_000 })
      const left = await bench.store.audit({})
      expect(left.length).toBeGreaterThan(30)
      expect(left.length).toBeLessThan(50)
      expect(left.at(-1)?.seq).toBe(100)
      expect(await bench.store.prune(at, { ...generous, maxBytes: 50_000 })).toBe(0)
    })
  })
}
