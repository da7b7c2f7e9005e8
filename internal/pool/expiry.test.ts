import { describe, expect, it } from 'vitest'
import { expiresAt } from './expiry.ts'
import type { Usage } from './foresight/usage.ts'

const hour = 3_600_000
const now = 1_000 * hour
const never = Number.POSITIVE_INFINITY

function usage(window: string, usedPercent: number, inMs: number | null, more: Partial<Usage> = {}): Usage {
  return { window, usedPercent, resetAt: inMs === null ? null : now + inMs, seenAt: now, source: 'headers', ...more }
}

describe('what is left of a quota expires', () => {
  it.each<[string, Usage[], number]>([
    ['never, where nothing is known', [], never],
    ['with its only window', [usage('5h', 10, hour)], now + hour],
    ['with the longest window', [usage('7d', 10, hour), usage('5h', 10, 4 * hour)], now + hour],
    ['with the longest window, in whatever order', [usage('5h', 10, 4 * hour), usage('7d', 10, hour)], now + hour],
    ['with a window without a length', [usage('tokens', 10, hour)], now + hour],
    ['never, where no reset is named', [usage('7d', 10, null)], never],
    ['never, where the window has reset since', [usage('7d', 10, -1)], never],
    ['never, where nothing is left of it', [usage('7d', 10, hour), usage('5h', 100, hour)], never],
    ['with the plan and not with the quota of one model', [usage('7d_opus', 10, hour, { isPartial: true })], never],
  ])('%s', (_name, windows, at) => {
    expect(expiresAt(windows, now)).toBe(at)
  })
})
