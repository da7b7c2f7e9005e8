import { describe, expect, it, test } from 'vitest'
import { settings } from '../../test/property/seats.ts'
import { backoff, doubtMs, isRefuted, jittered, suspicionMs } from './cooldown.ts'

describe('backoff', () => {
  it.each([
    { name: 'the first refusal lasts the base', base: 60_000, strikes: 0, most: 1_800_000, expected: 60_000 },
    { name: 'each strike doubles it', base: 60_000, strikes: 3, most: 1_800_000, expected: 480_000 },
    { name: 'it ends at the most', base: 60_000, strikes: 5, most: 1_800_000, expected: 1_800_000 },
    { name: 'a base beyond the most stays', base: 3_600_000, strikes: 4, most: 1_800_000, expected: 3_600_000 },
    { name: 'any number of strikes is finite', base: 60_000, strikes: 5_000, most: 1_800_000, expected: 1_800_000 },
  ])('$name', ({ base, strikes, most, expected }) => {
    expect(backoff(base, strikes, most)).toBe(expected)
  })
})

describe('suspicionMs', () => {
  it.each([
    { name: 'begins with the configured length', strikes: 0, expected: 300_000 },
    { name: 'doubles', strikes: 1, expected: 600_000 },
    { name: 'ends at one hour', strikes: 9, expected: 3_600_000 },
  ])('$name', ({ strikes, expected }) => {
    expect(suspicionMs(strikes, settings)).toBe(expected)
  })
})

describe('jittered', () => {
  it.each([
    { name: 'no jitter leaves the hint', until: 61_000, jitter: 0, expected: 61_000 },
    { name: 'a near hint moves by up to 5 % of its distance', until: 61_000, jitter: 0.5, expected: 62_500 },
    { name: 'a far hint moves by up to 30 s', until: 7_201_000, jitter: 0.5, expected: 7_216_000 },
    { name: 'the result is a whole millisecond', until: 1_003, jitter: 0.5, expected: 1_003 },
  ])('$name', ({ until, jitter, expected }) => {
    expect(jittered(until, 1_000, jitter)).toBe(expected)
  })
})

test.each([
  ['at once', 0, 0, true],
  ['just before 5 min', 0, 299_999, true],
  ['after 5 min, when it is another limit', 0, 300_000, false],
  ['without such an end', null, 1, false],
])('an end that no request asked for is refuted by requests: %s', (_name, endedAt, now, refuted) => {
  expect(isRefuted(endedAt, now)).toBe(refuted)
})

describe('doubtMs', () => {
  it.each([
    ['never', 0, 0],
    ['once', 1, 900_000],
    ['twice', 2, 1_800_000],
    ['for a day', 20, 7_200_000],
  ])('after a probe that was refuted %s', (_name, refuted, ms) => {
    expect(doubtMs(refuted)).toBe(ms)
  })
})
