import { describe, expect, test } from 'vitest'
import { benchOf, type Database } from './bench.ts'
import { limitsContract } from './limits.ts'
import { recordsContract } from './records.ts'
import { cooled } from './samples.ts'
import { tamperingContract } from './tampering.ts'
import { trailContract } from './trail.ts'
import { usageContract } from './usage.ts'

/** What every implementation of the Store must do, run on databases that `create` makes. */
export function storeContract(name: string, create: () => Promise<Database>): void {
  describe(`the Store on ${name}`, () => {
    const bench = benchOf(create)
    recordsContract(bench)
    limitsContract(bench)
    trailContract(bench)
    tamperingContract(bench)
    usageContract(bench)

    describe('closing', () => {
      test('lets what was asked before finish, and refuses what comes later', async () => {
        const earlier = bench.tell(cooled('a'))
        const closed = bench.store.close()
        await expect(bench.tell(cooled('b'))).rejects.toMatchObject({ name: 'StoreError', code: 'closed' })
        expect(await earlier).toEqual([1])
        await closed
        await bench.reopen()
        expect(await bench.numbers()).toEqual([1])
      })
    })

    test('knows how much room it takes and has', async () => {
      const { usedBytes, freeBytes } = await bench.store.space()
      expect(usedBytes).toBeGreaterThan(0)
      expect(freeBytes).toBeGreaterThan(0)
    })
  })
}
