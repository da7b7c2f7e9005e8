import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { localTime, relative, span } from './when.ts'

const now = Date.UTC(2026, 0, 5, 14)
const at = (ms: number) => new Date(now + ms).toISOString()

test.each([
  [0, '0 s'],
  [29_400, '29 s'],
  [59_600, '1 min'],
  [90_000, '2 min'],
  [3_599_000, '60 min'],
  [7_200_000, '2 h'],
  [172_800_000, '2 d'],
])('%i ms are %s', (ms, text) => {
  expect(span(ms)).toBe(text)
})

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
})
