import { describe, expect, it } from 'vitest'
import { Bits } from './bits.ts'

function bitsOf(size: number, ...members: number[]): Bits {
  const bits = new Bits(size)
  for (const member of members) bits.set(member, true)
  return bits
}

describe('Bits', () => {
  it.each([
    { name: 'an empty set has nobody', size: 40, members: [], from: 0, expected: -1 },
    { name: 'a set of size 0 has nobody', size: 0, members: [], from: 0, expected: -1 },
    { name: 'the number itself counts', size: 40, members: [5], from: 5, expected: 5 },
    { name: 'a later number in the same word', size: 40, members: [1, 9], from: 2, expected: 9 },
    { name: 'the highest bit of a word', size: 40, members: [31], from: 31, expected: 31 },
    { name: 'a number in the next word', size: 70, members: [3, 64], from: 4, expected: 64 },
    { name: 'a number behind empty words', size: 5_000, members: [4_321], from: 0, expected: 4_321 },
    { name: 'nobody behind the last element', size: 5_000, members: [4_321], from: 4_322, expected: -1 },
    { name: 'nobody behind the last summary word', size: 1_000, members: [7], from: 999, expected: -1 },
    { name: 'nobody at or behind the size', size: 10, members: [9], from: 10, expected: -1 },
  ])('from: $name', ({ size, members, from, expected }) => {
    expect(bitsOf(size, ...members).from(from)).toBe(expected)
  })

  it.each([
    { name: 'goes on where it is', members: [2, 6], from: 3, expected: 6 },
    { name: 'starts again after the end', members: [2, 6], from: 7, expected: 2 },
    { name: 'starts again when it begins at the size', members: [2, 6], from: 8, expected: 2 },
    { name: 'finds nobody in an empty set', members: [], from: 3, expected: -1 },
  ])('around: $name', ({ members, from, expected }) => {
    expect(bitsOf(8, ...members).around(from)).toBe(expected)
  })

  it('counts each element once, however often it is put in', () => {
    const bits = bitsOf(100, 4, 4, 68)
    expect(bits.count).toBe(2)
  })

  it('forgets what was taken out, also twice', () => {
    const bits = bitsOf(100, 4, 5, 68)
    bits.set(4, false)
    bits.set(4, false)
    bits.set(68, false)
    expect([bits.count, bits.has(4), bits.has(5), bits.from(6)]).toEqual([1, false, true, -1])
  })
})
