import { afterEach, describe, expect, it } from 'vitest'
import { between, fromTo, instantsIn, inTime, inUtc, span, stampsIn } from './when.ts'

const noon = Date.UTC(2026, 0, 5, 14)
const second = 1_000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

describe('an instant', () => {
  it.each([
    ['on the second', noon + 5 * minute, '14:05:00 UTC'],
    ['is rounded up to the second', noon + 5 * minute + 1, '14:05:01 UTC'],
    ['just before midnight', noon + 10 * hour - 1, '2026-01-06 00:00:00 UTC'],
    ['tomorrow', noon + 12 * hour, '2026-01-06 02:00:00 UTC'],
    ['yesterday', noon - 15 * hour, '2026-01-04 23:00:00 UTC'],
    ['a day away: rounded up to the minute', noon + day + 1, '2026-01-06 14:01 UTC'],
    ['days away', noon + 5 * day, '2026-01-10 14:00 UTC'],
  ])('%s', (_name, at, text) => {
    expect(inUtc(at, noon)).toBe(text)
  })

  it.each([
    ['Europe/Berlin', '15:05:00 UTC+1'],
    ['America/New_York', '09:05:00 UTC-5'],
    ['Asia/Kolkata', '19:35:00 UTC+5:30'],
    ['Asia/Tokyo', '23:05:00 UTC+9'],
    ['Pacific/Auckland', '03:05:00 UTC+13'],
  ])('in %s', (zone, text) => {
    const say = instantsIn(zone)
    expect(say(noon + 5 * minute, noon)).toBe(text)
  })
})

describe('a wait', () => {
  it.each([
    [0, 'now (14:00:00 UTC)'],
    [-second, 'now (13:59:59 UTC)'],
    [1, 'in 1 s (14:00:01 UTC)'],
    [45 * second, 'in 45 s (14:00:45 UTC)'],
    [44 * second + 1, 'in 45 s (14:00:45 UTC)'],
    [5 * minute, 'in 5 min (14:05:00 UTC)'],
    [3 * hour + 5 * minute, 'in 3 h 5 min (17:05:00 UTC)'],
    [5 * day, 'in 5 d (2026-01-10 14:00 UTC)'],
  ])('of %d ms', (ms, text) => {
    expect(inTime(noon + ms, noon, inUtc)).toBe(text)
  })
})

it.each([
  [0, '0 s'],
  [-5, '0 s'],
  [1_499, '1 s'],
  [119_400, '119 s'],
  [119_500, '2 min'],
  [12 * minute, '12 min'],
  [59.6 * minute, '1 h'],
  [3 * hour + 5 * minute, '3 h 5 min'],
  [day, '1 d'],
  [2 * day + 4 * hour, '2 d 4 h'],
])('a span of %d ms is %s', (ms, text) => {
  expect(span(ms)).toBe(text)
})

it('what lies between two instants agrees with how they are said', () => {
  const [from, to] = [noon + 18_097, noon + 43_869]
  expect([inUtc(from, noon), inUtc(to, noon), between(from, to)]).toEqual(['14:00:19 UTC', '14:00:44 UTC', '25 s'])
})

it('a stretch of time names its zone once, unless the clocks were set within it', () => {
  expect(fromTo(noon, noon + 12 * minute, noon, inUtc)).toBe('from 14:00:00 to 14:12:00 UTC')
  const [before, after] = [Date.UTC(2026, 2, 29, 0, 30), Date.UTC(2026, 2, 29, 1, 30)]
  expect(fromTo(before, after, after, instantsIn('Europe/Berlin'))).toBe('from 01:30:00 UTC+1 to 03:30:00 UTC+2')
})

describe("the machine's own zone", () => {
  const before = process.env.TZ
  afterEach(() => {
    if (before === undefined) delete process.env.TZ
    else process.env.TZ = before
  })
  const say = instantsIn()
  const zones = ['UTC', 'Asia/Kolkata', 'America/New_York', 'Asia/Kathmandu', 'Pacific/Marquesas', 'Europe/Berlin']

  it.each(zones)('is said as %s is, by the same function, whenever it is set', (zone) => {
    process.env.TZ = zone
    for (const at of [noon, noon + 36_000_000, Date.UTC(2026, 6, 1), Date.UTC(2026, 2, 29, 1, 30)])
      expect([say(at, noon), stampsIn()(at, noon)]).toEqual([instantsIn(zone)(at, noon), stampsIn(zone)(at, noon)])
  })
})
