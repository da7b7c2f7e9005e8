import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { localTime, relative, timesAt } from './when.ts'

const now = Date.UTC(2026, 0, 5, 14)
const at = (ms: number) => new Date(now + ms).toISOString()

test.each([
  [240_000, 'in 4 min'],
  [-7_200_000, '2 h ago'],
  [400, 'now'],
  [-400, 'now'],
])('%i ms from now is %s', (ms, text) => {
  expect(relative(at(ms), now)).toBe(text)
})

describe('local time', () => {
  let zone: string | undefined
  beforeEach(() => {
    zone = process.env.TZ
  })
  afterEach(() => {
    if (zone === undefined) delete process.env.TZ
    else process.env.TZ = zone
  })

  test.each([
    ['UTC', 300_000, '14:05:00'],
    ['Asia/Kolkata', 300_000, '19:35:00'],
    ['America/New_York', 300_000, '09:05:00'],
    ['UTC', 36_000_000, '2026-01-06 00:00:00'],
    ['America/New_York', 36_000_000, '19:00:00'],
  ])('in %s, %i ms from now, is %s', (timezone, ms, text) => {
    process.env.TZ = timezone
    expect(localTime(at(ms), now)).toBe(text)
  })

  test('what was is said to its second, and what will be with as much as helps', () => {
    process.env.TZ = 'Asia/Kolkata'
    const times = timesAt(now)
    expect(times.stamp(at(-3 * 86_400_000 + 500))).toBe('2026-01-02 19:30:00 UTC+5:30')
    expect(times.stamp(at(-1_500))).toBe('19:29:58 UTC+5:30')
    expect(times.at(at(3 * 86_400_000))).toBe('2026-01-08 19:30 UTC+5:30')
  })
})
