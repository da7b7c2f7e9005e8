import { describe, expect, test } from 'vitest'
import { benchOf, generous } from './bench.ts'
import { storeContract } from './contract.ts'
import { at, cooled } from './samples.ts'
import { sqliteDatabase } from './sqlite.ts'

storeContract('SQLite', async () => sqliteDatabase())

describe('the Store on SQLite alone', () => {
  const bench = benchOf(async () => sqliteDatabase())

  test('gives the room of removed rows back to the disk', async () => {
    await bench.tell(...Array.from({ length: 5_000 }, (_, i) => cooled(`m${i}`)))
    await bench.reopen()
    const { usedBytes: before } = await bench.store.space()
    await bench.store.prune(at, { ...generous, maxRows: 10 })
    await bench.reopen()
    expect((await bench.store.space()).usedBytes).toBeLessThan(before / 2)
  })

  test('is shared with nobody', () => {
    expect(bench.store.shared).toBeNull()
  })
})
