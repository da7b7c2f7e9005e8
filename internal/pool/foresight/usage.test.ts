import { describe, expect, it } from 'vitest'
import { isCurrent, mergedUsage, type Usage, windowMs } from './usage.ts'

const now = Date.UTC(2026, 0, 5, 14)
const hour = 3_600_000

function usage(window: string, usedPercent: number, more: Partial<Usage> = {}): Usage {
  return { window, usedPercent, resetAt: now + hour, seenAt: now, source: 'headers', ...more }
}

describe('what is known of limits', () => {
  it.each([
    ['whose window has not reset', { resetAt: now + 1 }, true],
    ['whose window has reset', { resetAt: now }, false],
    ['without a reset, heard within the hour', { resetAt: null, seenAt: now - hour + 1 }, true],
    ['without a reset, heard longer ago', { resetAt: null, seenAt: now - hour }, false],
  ] as const)('is current or not: one %s', (_name, more, current) => {
    expect(isCurrent(usage('5h', 1, more), now)).toBe(current)
  })

  it('is the newest word on each window, without what has reset', () => {
    const known = [usage('5h', 40), usage('7d', 60), usage('requests', 10, { resetAt: now - 1 })]
    const heard = [usage('5h', 41), usage('5h', 42), usage('7d_opus', 5)]
    expect(mergedUsage(known, heard, now).map(({ window, usedPercent }) => [window, usedPercent])).toEqual([
      ['5h', 42],
      ['7d', 60],
      ['7d_opus', 5],
    ])
  })

  it('is no more than 32 windows, the newest ones', () => {
    const names = Array.from({ length: 40 }, (_, n) => `w${n}`)
    const known = names.reduce<readonly Usage[]>((all, name) => mergedUsage(all, [usage(name, 1)], now), [])
    expect(known.map(({ window }) => window)).toEqual(names.slice(8))
  })
})

describe('the length of a window', () => {
  it.each([
    ['5h', 5 * hour],
    ['7d', 168 * hour],
    ['90min', 1.5 * hour],
    ['7d_opus', 168 * hour],
    ['requests', null],
    ['5hours', null],
    ['primary', null],
  ])('of %s is %s ms', (window, ms) => {
    expect(windowMs(window)).toBe(ms)
  })
})
