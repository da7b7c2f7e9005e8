import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Bits } from '../../internal/pool/bits.ts'
import { IndexedHeap } from '../../internal/pool/heap.ts'

describe('IndexedHeap', () => {
  it('answers as a sorted list does', () => {
    const element = fc.nat(15)
    const step = fc.oneof(
      fc.record({ do: fc.constant('put' as const), element, key: fc.nat(9) }),
      fc.record({ do: fc.constant('remove' as const), element, key: fc.nat(9) }),
      fc.record({ do: fc.constant('find' as const), element, key: fc.nat(9) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80, size: 'max' }), (steps) => {
        const heap = new IndexedHeap(16)
        const model = new Map<number, number>()
        const sorted = () => [...model].sort(([a, keyA], [b, keyB]) => keyA - keyB || a - b).map(([one]) => one)
        for (const { do: what, element: one, key } of steps) {
          if (what === 'put') {
            heap.put(one, key)
            model.set(one, key)
          } else if (what === 'remove') {
            heap.remove(one)
            model.delete(one)
          } else {
            const fits = (other: number) => other % 3 !== one % 3
            expect(heap.firstThat(fits)).toBe(sorted().find(fits) ?? -1)
            expect(heap.firstThat(fits, key)).toBe(
              sorted().find((other) => model.get(other)! <= key && fits(other)) ?? -1,
            )
          }
          expect([heap.size, heap.first, heap.has(one)]).toEqual([model.size, sorted()[0] ?? -1, model.has(one)])
        }
        expect([...model.keys()].map((one) => heap.key(one))).toEqual([...model.values()])
      }),
      { numRuns: 200 },
    )
  })
})

describe('Bits', () => {
  it('answers as a sorted set does', () => {
    const sizes = fc.constantFrom(1, 31, 32, 33, 1_023, 1_024, 1_025, 5_000)
    const steps = fc.array(fc.tuple(fc.nat(), fc.constantFrom(true, true, false), fc.nat()), {
      maxLength: 60,
      size: 'max',
    })
    fc.assert(
      fc.property(sizes, steps, (size, walk) => {
        const bits = new Bits(size)
        const model = new Set<number>()
        for (const [at, present, from] of walk) {
          const index = at % size
          bits.set(index, present)
          if (present) model.add(index)
          else model.delete(index)
          const sorted = [...model].sort((a, b) => a - b)
          const start = from % (size + 1)
          const next = sorted.find((one) => one >= start) ?? -1
          expect([bits.count, bits.has(index)]).toEqual([model.size, present])
          expect(bits.from(start)).toBe(next)
          expect(bits.around(start)).toBe(next >= 0 ? next : (sorted[0] ?? -1))
        }
      }),
      { numRuns: 200 },
    )
  })
})
