import { expect, test } from 'vitest'
import { type Reading, sleptMs } from './slept.ts'

const hour = 3_600_000

test.each<[string, Reading, number]>([
  ['a second that passed as it should', { mono: 1_000, uptime: 1_000, wall: 1_000 }, 0],
  ['an uptime in whole seconds', { mono: 1_000, uptime: 2_000, wall: 1_000 }, 0],
  ['a sleep of 8 h', { mono: 1_000, uptime: 8 * hour + 1_000, wall: 8 * hour + 1_000 }, 8 * hour],
  [
    'a sleep of 8 h by a coarse uptime',
    { mono: 1_000, uptime: 8 * hour + 2_000, wall: 8 * hour + 1_003 },
    8 * hour + 3,
  ],
  ['a sleep of 8 h while the wall clock was set', { mono: 1_000, uptime: 8 * hour + 1_000, wall: hour }, 8 * hour],
  ['a sleep of 3 s', { mono: 1_000, uptime: 4_000, wall: 4_000 }, 3_000],
  ['a wall clock that is set an hour ahead', { mono: 1_000, uptime: 1_000, wall: hour }, 0],
  ['a wall clock that is set an hour back', { mono: 1_000, uptime: 1_000, wall: -hour }, 0],
  ['a busy process that did not look for a minute', { mono: 60_000, uptime: 60_000, wall: 60_000 }, 0],
  ['a monotonic clock that counts sleep itself', { mono: 8 * hour, uptime: 8 * hour, wall: 8 * hour }, 0],
  ['an uptime that goes back', { mono: 1_000, uptime: -50_000, wall: 1_000 }, 0],
  ['an uptime that nobody knows', { mono: 1_000, uptime: Number.NaN, wall: 8 * hour }, 0],
])('%s', (_name, now, expected) => {
  expect(sleptMs({ mono: 0, uptime: 0, wall: 0 }, now)).toBe(expected)
})
