import { describe, expect, test } from 'vitest'
import type { UsageRecord, UsageSum } from '../../internal/store/store.ts'
import type { Bench } from './bench.ts'
import { at } from './samples.ts'

const hourMs = 3_600_000

const counts = {
  requests: 3,
  unmetered: 1,
  unpriced: 1,
  input: 5_000_000_000,
  cached: 4,
  cacheWrite: 3,
  output: 2,
  reasoning: 1,
  cost: 9_000_000_000_000,
}

function row(change: Partial<UsageRecord> = {}): UsageRecord {
  const names = { writer: 'w', pool: 'p', key: 'k', member: 'm', model: 'gpt-5' }
  return { hour: at, ...names, ...counts, ...change }
}

const everything = { from: 0, to: at + 100 * hourMs }
const unnamed = { key: null, member: null, model: null, pool: null }

/** What a Store keeps of the usage. */
export function usageContract(bench: Bench): void {
  const write = (...rows: UsageRecord[]) => bench.write(...rows.map((each) => ({ put: 'usage' as const, row: each })))
  const sums = (by: Parameters<typeof bench.store.usage>[0]['by'] = []) => bench.store.usage({ ...everything, by })
  const requests = (found: readonly UsageSum[]) => found.map((sum) => sum.requests)

  describe('the usage', () => {
    test('is nothing at first', async () => {
      expect(await sums()).toEqual([])
      expect(await sums(['key'])).toEqual([])
      expect(await bench.store.pruneUsage(at, { maxAgeMs: 1, maxBytes: 1 })).toBe(0)
    })

    test('is as it was written, also after a restart', async () => {
      await write(row())
      await bench.reopen()
      const names = { key: 'k', member: 'm', model: 'gpt-5', pool: 'p' }
      expect(await sums(['key', 'member', 'model', 'pool'])).toEqual([{ ...names, ...counts }])
    })

    test('written twice counts once, and what several wrote adds up', async () => {
      await write(row({ requests: 1 }))
      await write(row({ requests: 4 }), row({ requests: 4 }))
      expect(requests(await sums())).toEqual([4])
      await write(row({ writer: 'other', requests: 10 }), row({ hour: at + hourMs, requests: 100 }))
      expect(await sums()).toMatchObject([{ ...unnamed, requests: 114, input: 3 * counts.input }])
    })

    test('is added up by what was asked for, in its order', async () => {
      await write(
        row({ key: 'b', model: 'x', requests: 1 }),
        row({ key: 'a', model: 'y', requests: 2 }),
        row({ key: 'a', model: 'x', requests: 4 }),
        row({ key: 'a', model: 'x', member: 'n', requests: 8 }),
      )
      expect(await sums(['key', 'model'])).toMatchObject([
        { ...unnamed, key: 'a', model: 'x', requests: 12 },
        { ...unnamed, key: 'a', model: 'y', requests: 2 },
        { ...unnamed, key: 'b', model: 'x', requests: 1 },
      ])
    })

    test('is that of the hours that were asked for', async () => {
      await write(row({ requests: 1 }), row({ hour: at + hourMs, requests: 2 }))
      const of = async (from: number, to: number) => requests(await bench.store.usage({ from, to, by: [] }))
      expect(await of(at, at + hourMs)).toEqual([1])
      expect(await of(at + 1, at + hourMs + 1)).toEqual([2])
      expect(await of(at + hourMs + 1, at + 9 * hourMs)).toEqual([])
    })

    test('that is too old is removed, but the newest hour stays', async () => {
      await write(...[0, 1, 2].map((hours) => row({ hour: at + hours * hourMs, requests: 2 ** hours })))
      const budget = { maxAgeMs: hourMs, maxBytes: 1_000_000 }
      expect(await bench.store.pruneUsage(at + 2 * hourMs, budget)).toBe(1)
      expect(requests(await sums())).toEqual([6])
      expect(await bench.store.pruneUsage(at + 90 * hourMs, budget)).toBe(1)
      expect(requests(await sums())).toEqual([4])
    })

    test('that is over its budget of bytes is removed by the hour, oldest first', async () => {
      for (let hour = 0; hour < 4; hour++) {
        const rows = Array.from({ length: 400 }, (_, key) =>
          row({ hour: at + hour * hourMs, key: `k${key}`, requests: 1 }),
        )
        await write(...rows)
      }
      const gone = await bench.store.pruneUsage(at, { maxAgeMs: 400 * hourMs, maxBytes: 800 * 130 })
      expect(gone).toBe(800)
      expect(await bench.store.usage({ from: at, to: at + 2 * hourMs, by: [] })).toEqual([])
      expect(requests(await sums())).toEqual([800])
    })
  })
}
