import { describe, expect, it } from 'vitest'
import { type Burn, burnAfter, rateOf, usedNow } from './burn.ts'
import type { Usage } from './usage.ts'

const now = Date.UTC(2026, 0, 5, 14)
const hour = 3_600_000

function usage(usedPercent: number, resetAt: number | null = now + hour): Usage {
  return { window: '5h', usedPercent, resetAt, seenAt: now, source: 'headers' }
}

/** After the percentages of `said`, `work` requests before each. */
function burned(said: readonly number[], work = 10): Burn {
  return said.reduce<Burn | undefined>((burn, percent) => burnAfter(burn, usage(percent), work), undefined) as Burn
}

describe('how fast requests use a limit', () => {
  it.each<[string, readonly number[], { percentPerWork: number; isSure: boolean } | null]>([
    ['of nothing', [5], null],
    ['of a limit that has not grown: at most a percent', [5, 5, 5], { percentPerWork: 1 / 20, isSure: false }],
    ['of one that has hardly grown', [5, 6], { percentPerWork: 2 / 10, isSure: false }],
    ['of one that grows', [5, 6, 7, 8], { percentPerWork: 0.1, isSure: true }],
    ['of one whose next percent is overdue', [5, 6, 7, 7, 7], { percentPerWork: 2 / 30, isSure: true }],
    ['of one that began anew, in which nothing was seen', [98, 99, 100, 1], { percentPerWork: 0.1, isSure: true }],
  ])('%s', (_name, said, rate) => {
    const found = rateOf(burned(said))
    if (rate === null) expect(found).toBeNull()
    else expect(found).toEqual({ percentPerWork: expect.closeTo(rate.percentPerWork, 9), isSure: rate.isSure })
  })

  it('is that of the newest 20 percent', () => {
    const slow = burned(Array.from({ length: 30 }, (_, at) => at))
    const fast = Array.from({ length: 21 }, (_, at) => 30 + at).reduce(
      (burn, at) => burnAfter(burn, usage(at), 1),
      slow,
    )
    expect(rateOf(fast)).toEqual({ percentPerWork: 1, isSure: true })
    expect(fast.stretches).toHaveLength(20)
  })

  it('knows a limit that began anew by its reset, where it says one', () => {
    const known = burned([10, 20])
    expect(burnAfter(known, usage(30, now + 5 * hour), 10).pending).toBe(0)
    expect(burnAfter(known, usage(20, null), 10)).toMatchObject({ pending: 10, resetAt: null })
    expect(burnAfter(burnAfter(known, usage(20, null), 10), usage(21), 10).stretches).toHaveLength(2)
  })

  it('counts nothing where percent came without requests', () => {
    expect(rateOf(burned([1, 5], 0))).toBeNull()
  })

  it.each<[string, Burn | undefined, number, number]>([
    ['a part of the next whole percent is used', burned([5, 6, 6], 3), 6, 6.3],
    ['but never all of it', burned([5, 6, 6], 90), 6, 6.95],
    ['a broken percentage is exact', { ...burned([5.5]), pending: 3 }, 5.5, 5.5],
    ['what was said since is taken as it is', burned([5, 6]), 7, 7],
    ['nothing is known', undefined, 7, 7],
  ])('%s', (_name, burn, said, used) => {
    expect(usedNow(burn, usage(said), { percentPerWork: 0.1, isSure: true })).toBeCloseTo(used, 9)
  })
})
