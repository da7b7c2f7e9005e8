import { describe, expect, it } from 'vitest'
import { isOutlier, outlierCoolMs, remember } from './outlier.ts'

const now = 1_000_000
const five = [now - 40_000, now - 30_000, now - 20_000, now - 10_000, now]

describe('isOutlier', () => {
  it.each([
    { name: 'five failures while a sibling works', failedAt: five, sibling: now - 1_000, expected: true },
    { name: 'four failures are too few', failedAt: five.slice(1), sibling: now, expected: false },
    { name: 'no sibling has ever succeeded', failedAt: five, sibling: null, expected: false },
    { name: 'the sibling succeeded exactly a minute ago', failedAt: five, sibling: now - 60_000, expected: true },
    { name: 'the sibling succeeded longer ago', failedAt: five, sibling: now - 60_001, expected: false },
    {
      name: 'a failure of more than a minute ago does not count',
      failedAt: [now - 60_001, ...five.slice(1)],
      sibling: now,
      expected: false,
    },
  ])('$name: $expected', ({ failedAt, sibling, expected }) => {
    expect(isOutlier(failedAt, sibling, now)).toBe(expected)
  })

  it('leaves an outlier alone for a minute', () => {
    expect(outlierCoolMs).toBe(60_000)
  })
})

describe('remember', () => {
  it.each([
    { name: 'adds the failure at the end', failedAt: [now - 5], expected: [now - 5, now] },
    { name: 'keeps the newest five', failedAt: five, expected: [...five.slice(1), now] },
    {
      name: 'drops what is older than a minute',
      failedAt: [now - 60_001, now - 60_000],
      expected: [now - 60_000, now],
    },
  ])('$name', ({ failedAt, expected }) => {
    expect(remember(failedAt, now)).toEqual(expected)
  })
})
