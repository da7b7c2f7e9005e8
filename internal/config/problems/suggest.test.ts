import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { editDistance, suggest } from './suggest.ts'

describe('suggest', () => {
  it.each([
    ['a missing letter', 'listn', ['listen', 'drainMs'], 'listen'],
    ['an extra letter', 'openaii', ['openai', 'gemini'], 'openai'],
    ['swapped neighbours', 'personla', ['personal', 'work'], 'personal'],
    ['another case', 'exposemember', ['exposeMember'], 'exposeMember'],
    ['hyphens for camel case', 'expose-member', ['exposeMember'], 'exposeMember'],
    ['the nearest of several', 'work2', ['work22', 'work', 'work2b'], 'work22'],
    ['one letter of a short name', 'wrk', ['work'], 'work'],
    ['nothing for another word', 'banana', ['listen', 'drainMs'], null],
    ['nothing for a one-letter name', 'a', ['b', 'c'], null],
    ['nothing without candidates', 'a', [], null],
    ['nothing for an empty name', '', ['work'], null],
  ])('offers %s', (_, name, candidates, expected) => {
    expect(suggest(name, candidates)).toBe(expected)
  })

  it('offers the earlier of two that are equally near', () => {
    expect(suggest('work', ['fork', 'pork'])).toBe('fork')
  })

  it('finds a name among ten thousand', () => {
    const names = Array.from({ length: 10_000 }, (_, n) => `member-${n}`)
    expect(suggest('mebmer-4711', names)).toBe('member-4711')
  })
})

describe('the distance', () => {
  it('is zero only between equal texts, symmetric, and at most the longer length', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (a, b) => {
        const distance = editDistance(a, b)
        expect(distance === 0).toBe(a === b)
        expect(editDistance(b, a)).toBe(distance)
        expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length))
      }),
    )
  })

  it('counts a swap of neighbours as one edit', () => {
    expect(editDistance('abcd', 'acbd')).toBe(1)
    expect(editDistance('kitten', 'sitting')).toBe(3)
  })
})
