import { describe, expect, it } from 'vitest'
import { IndexedHeap } from './heap.ts'

function heapOf(...keys: number[]): IndexedHeap {
  const heap = new IndexedHeap(keys.length)
  for (const [element, key] of keys.entries()) heap.put(element, key)
  return heap
}

function drain(heap: IndexedHeap): number[] {
  const order: number[] = []
  for (let first = heap.first; first >= 0; first = heap.first) {
    order.push(first)
    heap.remove(first)
  }
  return order
}

const anybody = () => true

describe('IndexedHeap', () => {
  it('gives out elements by key, the smaller number first on a tie', () => {
    expect(drain(heapOf(5, 1, 4, 1, 3))).toEqual([1, 3, 4, 2, 0])
  })

  it('is empty at first', () => {
    const heap = new IndexedHeap(3)
    expect([heap.size, heap.first, heap.has(0), heap.firstThat(anybody)]).toEqual([0, -1, false, -1])
  })

  it.each([
    { name: 'forward', key: 0, expected: [2, 0, 1] },
    { name: 'backward', key: 9, expected: [0, 1, 2] },
    { name: 'nowhere', key: 7, expected: [0, 1, 2] },
  ])('moves an element $name when its key changes', ({ key, expected }) => {
    const heap = heapOf(5, 6, 7)
    heap.put(2, key)
    expect(heap.key(2)).toBe(key)
    expect(drain(heap)).toEqual(expected)
  })

  it.each([
    { name: 'the last place', out: 4, expected: [0, 1, 2, 3] },
    { name: 'the first place', out: 0, expected: [1, 2, 3, 4] },
    { name: 'the middle', out: 1, expected: [0, 2, 3, 4] },
  ])('takes an element out of $name', ({ out, expected }) => {
    const heap = heapOf(1, 2, 3, 4, 5)
    heap.remove(out)
    heap.remove(out)
    expect([heap.has(out), heap.size]).toEqual([false, 4])
    expect(drain(heap)).toEqual(expected)
  })

  it('moves the last element up when a later one of another branch is taken out', () => {
    const heap = heapOf(1, 10, 2, 11, 12, 3, 4)
    heap.remove(3)
    expect(drain(heap)).toEqual([0, 2, 5, 6, 1, 4])
  })

  it('finds the first element that fits', () => {
    const heap = heapOf(5, 1, 4, 2, 3)
    expect(heap.firstThat((element) => element !== 1 && element !== 3)).toBe(4)
    expect(heap.firstThat(() => false)).toBe(-1)
  })

  it('finds nobody beyond the greatest key that is asked for', () => {
    const heap = heapOf(5, 1, 4)
    expect(heap.firstThat((element) => element !== 1, 4)).toBe(2)
    expect(heap.firstThat((element) => element !== 1, 3)).toBe(-1)
    expect(heap.firstThat(anybody, 0)).toBe(-1)
  })

  it.each([
    { name: 'the first three do not fit', fits: (element: number) => element > 2, most: 1e9, expected: 3 },
    { name: 'all are beyond the greatest key', fits: anybody, most: -1, expected: -1 },
  ])('looks at a few of 10,000 elements when $name', ({ fits, most, expected }) => {
    const heap = heapOf(...Array.from({ length: 10_000 }, (_, element) => element))
    let looks = 0
    const found = heap.firstThat((element) => {
      looks++
      return fits(element)
    }, most)
    expect(found).toBe(expected)
    expect(looks).toBeLessThan(8)
  })

  it('puts the smaller number first among those whose key is infinite', () => {
    const heap = new IndexedHeap(3)
    for (const element of [2, 1, 0]) heap.put(element, Number.POSITIVE_INFINITY)
    expect([heap.first, heap.firstThat((element) => element > 0)]).toEqual([0, 1])
  })
})
