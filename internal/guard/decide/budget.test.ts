import { describe, expect, it } from 'vitest'
import type { Candidate } from '../isolated/tally.ts'
import { type Limits, overBy, type PruneFacts, victims } from './budget.ts'

const now = Date.UTC(2026, 0, 5, 14)
const day = 86_400_000
const none: Limits = { maxBytes: null, maxFiles: null, maxAge: null }

/** Files `a`, `b`, … of 100 bytes each, a day apart, the oldest first. */
const files = (count: number): Candidate[] =>
  Array.from({ length: count }, (_, index) => ({
    path: String.fromCharCode(97 + index),
    bytes: 100,
    at: now - (count - index) * day,
    inode: index,
  }))

const totals = { bytes: 500, files: 5, oldestAt: now - 5 * day }

describe('a directory', () => {
  it.each([
    ['without limits is never over', none, []],
    ['with as many bytes as it may is not over', { ...none, maxBytes: 500 }, []],
    ['with one byte more is over', { ...none, maxBytes: 499 }, ['maxBytes']],
    ['with one file more is over', { ...none, maxFiles: 4 }, ['maxFiles']],
    ['with a file that is too old is over', { ...none, maxAge: 5 * day - 1 }, ['maxAge']],
    ['with a file of just the age is not over', { ...none, maxAge: 5 * day }, []],
    ['can be over in several ways', { maxBytes: 1, maxFiles: 1, maxAge: 1 }, ['maxBytes', 'maxFiles', 'maxAge']],
  ] as const)('%s', (_, limits, over) => {
    expect(overBy(totals, limits, now)).toEqual(over)
  })

  it('without files is never over', () => {
    expect(overBy({ bytes: 0, files: 0, oldestAt: null }, { maxBytes: 0, maxFiles: 0, maxAge: 1 }, now)).toEqual([])
  })
})

describe('pruning', () => {
  const chosen = (change: Partial<PruneFacts>) =>
    victims({ totals, limits: none, oldest: files(5), first: [], keep: 0, now, ...change })
      .map(({ path }) => path)
      .join('')

  it.each([
    ['nothing while within limits', { limits: { ...none, maxFiles: 5 } }, ''],
    ['the oldest until the number fits', { limits: { ...none, maxFiles: 3 } }, 'ab'],
    ['the oldest until the size fits', { limits: { ...none, maxBytes: 250 } }, 'abc'],
    ['whatever is too old', { limits: { ...none, maxAge: 3.5 * day } }, 'ab'],
    ['what each limit asks for', { limits: { maxBytes: 400, maxFiles: 4, maxAge: 2.5 * day } }, 'abc'],
    [
      'never the first evidence of the incident',
      { limits: { ...none, maxFiles: 1 }, first: files(5).slice(1, 4), keep: 2 },
      'ade',
    ],
    ['the evidence of an incident that is over', { limits: { ...none, maxFiles: 3 }, first: files(5), keep: 0 }, 'ab'],
    ['nothing of what it has not seen', { limits: { ...none, maxFiles: 0 }, oldest: [] }, ''],
  ] as const)('takes %s', (_, change, expected) => {
    expect(chosen(change)).toBe(expected)
  })
})
