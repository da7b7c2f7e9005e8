import { describe, expect, it } from 'vitest'
import { isNearLimit } from './preempt.ts'

const now = 1_000_000
const hour = 3_600_000
const heard = { seenAt: now, source: 'headers' } as const

describe('being near a limit', () => {
  it.each([
    { name: 'without preemptAt', used: 100, resetAt: now + hour, preemptAt: null, near: false },
    { name: 'below it', used: 97.9, resetAt: now + hour, preemptAt: 98, near: false },
    { name: 'at it', used: 98, resetAt: now + hour, preemptAt: 98, near: true },
    { name: 'of a limit that resets within 5 minutes', used: 99, resetAt: now + 299_999, preemptAt: 98, near: false },
    { name: 'of a limit that has reset', used: 99, resetAt: now - 1, preemptAt: 98, near: false },
    { name: 'of a limit without a reset', used: 99, resetAt: null, preemptAt: 98, near: false },
  ])('$name: $near', ({ used, resetAt, preemptAt, near }) => {
    expect(isNearLimit([{ window: '5h', usedPercent: used, resetAt, ...heard }], preemptAt, now)).toBe(near)
  })

  it('counts any of several limits, and none when nothing is known', () => {
    const partial = { window: 'overage', isPartial: true as const, usedPercent: 100, resetAt: now + hour, ...heard }
    expect(isNearLimit([partial], 98, now)).toBe(false)
    const low = { window: '7d', usedPercent: 10, resetAt: now + hour, ...heard }
    expect(isNearLimit([low, { window: '5h', usedPercent: 99, resetAt: now + hour, ...heard }], 98, now)).toBe(true)
    expect(isNearLimit([], 98, now)).toBe(false)
  })
})
