import { beforeEach, expect, it } from 'vitest'
import { MemoryStore } from '../../test/fakes/rig/store.ts'
import { FakeClock } from '../clock/clock.ts'
import type { Tokens } from '../dialect/dialect.ts'
import { Ledger, type LedgerDeps } from './ledger.ts'

const tokens: Tokens = { input: 10, cached: 4, cacheWrite: 0, cacheWriteHour: 0, output: 5, reasoning: 0 }
const served = { pool: 'p', key: 'k', member: 'm', provider: 'openai', model: 'gpt-5' }
const everything = { from: 0, to: Number.MAX_SAFE_INTEGER, by: [] }

let clock: FakeClock
let store: MemoryStore
let errors: string[]
let counted: [string, Tokens][]

beforeEach(() => {
  clock = new FakeClock()
  store = new MemoryStore()
  errors = []
  counted = []
})

function ledger(change: Partial<LedgerDeps> = {}): Ledger {
  return new Ledger({
    store,
    clock,
    writer: 'w',
    retention: () => ({ maxAgeMs: 1e9, maxBytes: 1e9 }),
    prices: { date: '2026-11-30', prices: [{ providers: ['openai'], models: ['gpt-5'], input: 1, output: 2 }] },
    maySpend: () => true,
    counted: (pool, told) => counted.push([pool, told]),
    onError: (error, what) => errors.push(`${what}: ${(error as Error).message}`),
    ...change,
  })
}

/** What the store has by itself. */
const stored = async () => (await store.usage(everything)).map(({ requests }) => requests)

it('writes 30 s after the first answer that is not written, whatever comes meanwhile, in one batch', async () => {
  const books = ledger()
  for (let second = 0; second < 29; second++) {
    books.note(served, tokens)
    await clock.advance(1_000)
  }
  expect(store.batches).toHaveLength(0)
  await clock.advance(1_000)
  expect(await stored()).toEqual([29])
  expect(store.batches).toHaveLength(1)
  await clock.advance(3_600_000)
  expect(store.batches).toHaveLength(1)
})

it('writes what is asked for at once, with its cost', async () => {
  const books = ledger()
  books.note(served, tokens)
  books.note({ ...served, provider: 'azure' }, tokens)
  books.note(served, null)
  expect(await books.sums(everything)).toMatchObject([{ requests: 3, unmetered: 1, unpriced: 1, cost: 20_000 }])
  expect(counted).toEqual([
    ['p', tokens],
    ['p', tokens],
  ])
})

it('keeps what could not be written, says so, and tries again', async () => {
  const books = ledger()
  store.trouble = new Error('the disk is full')
  books.note(served, tokens)
  await clock.advance(30_000)
  expect(errors).toEqual(['usage was not written: the disk is full'])
  store.trouble = null
  books.note(served, tokens)
  await clock.advance(30_000)
  expect(await stored()).toEqual([2])
  expect(errors).toHaveLength(1)
})

it('writes nothing while the disk is short, and all of it later', async () => {
  let isShort = true
  const books = ledger({ maySpend: () => !isShort })
  books.note(served, tokens)
  await clock.advance(30_000)
  expect(await books.sums(everything)).toEqual([])
  isShort = false
  books.note(served, tokens)
  await clock.advance(30_000)
  expect(await stored()).toEqual([2])
})

it('writes many rows in batches that are not long', async () => {
  const books = ledger()
  for (let key = 0; key < 1_200; key++) books.note({ ...served, key: `k${key}` }, tokens)
  await clock.advance(30_000)
  expect(store.batches.map(({ writes }) => writes.length)).toEqual([500, 500, 200])
})

it('writes what is left when it stops, and nothing any more', async () => {
  const books = ledger()
  books.note(served, tokens)
  await books.stop()
  expect(await stored()).toEqual([1])
  books.note(served, tokens)
  await clock.advance(60_000)
  expect(await stored()).toEqual([1])
})

it('knows after a restart how much of the input of this hour and the last came from a cache', async () => {
  const before = ledger()
  before.note({ ...served, pool: 'old' }, tokens)
  await clock.advance(3_600_000)
  before.note(served, tokens)
  before.note({ ...served, pool: 'old' }, { ...tokens, cached: 10 })
  await before.stop()
  const books = ledger({ writer: 'w2' })
  books.start()
  await clock.advance(0)
  books.note(served, { ...tokens, cached: 0 })
  expect(['p', 'old', 'x'].map((pool) => books.cachedShare(pool))).toEqual([0.2, 0.7, null])
  await clock.advance(3_600_000)
  expect(['p', 'old'].map((pool) => books.cachedShare(pool))).toEqual([0.2, 1])
})

it('goes on when the latest hours cannot be read, and says so', async () => {
  const books = ledger({
    store: {
      commit: () => store.commit({ writes: [], audit: [] }),
      pruneUsage: () => store.pruneUsage(),
      usage: () => Promise.reject(new Error('locked')),
    },
  })
  books.start()
  await clock.advance(0)
  expect(errors).toEqual(['the usage of the latest hours could not be read: locked'])
})

it('keeps its budget at once and every hour, also after a failure', async () => {
  const asked: number[] = []
  let fails = true
  const pruneUsage = async (now: number) => {
    asked.push(now - clock.now())
    if (fails) throw new Error('away')
    return 0
  }
  const books = ledger({
    store: { commit: (batch) => store.commit(batch), usage: (query) => store.usage(query), pruneUsage },
  })
  books.start()
  await clock.advance(0)
  expect(errors).toEqual(['usage was not pruned: away'])
  fails = false
  await clock.advance(3_600_000)
  expect(asked).toHaveLength(2)
  await books.stop()
  await clock.advance(7_200_000)
  expect(asked).toHaveLength(2)
})

it('is closed when its budget is nothing', () => {
  expect(ledger().isOpen).toBe(true)
  expect(ledger({ retention: () => ({ maxAgeMs: 1, maxBytes: 0 }) }).isOpen).toBe(false)
})

it('knows how much of the input of this hour and the last came from a cache', async () => {
  const books = ledger()
  expect(books.cachedShare('p')).toBeNull()
  books.note(served, tokens)
  books.note({ ...served, pool: 'q' }, { ...tokens, cached: 10 })
  expect(books.cachedShare('p')).toBe(0.4)
  await clock.advance(3_600_000)
  books.note(served, { ...tokens, input: 10, cached: 10 })
  expect(books.cachedShare('p')).toBe(0.7)
  expect(books.cachedShare('q')).toBe(1)
  await clock.advance(3_600_000)
  expect(books.cachedShare('p')).toBe(1)
  expect(books.cachedShare('q')).toBeNull()
  await clock.advance(5 * 3_600_000)
  expect(books.cachedShare('p')).toBeNull()
})
