import { describe, expect, it } from 'vitest'
import { letOn, longestRampMs, rampDeadline } from './ramp.ts'

describe('the ramp', () => {
  it('lets one on at once, and then so many a second', () => {
    let freeAt = 0
    const went: number[] = []
    for (let now = 10_000; now <= 11_000; now += 10) {
      const next = letOn(freeAt, 4, now)
      if (next === null) continue
      freeAt = next
      went.push(now - 10_000)
    }
    expect(went).toEqual([0, 250, 500, 750, 1_000])
  })

  it.each([
    ['before the time', 1_000, 999, null],
    ['at the time', 1_000, 1_000, 1_250],
    ['when a timer comes late', 1_000, 1_040, 1_250],
    ['after a pause', 1_000, 9_000, 9_250],
  ])('%s', (_name, freeAt, now, next) => {
    expect(letOn(freeAt, 4, now)).toBe(next)
  })

  it('ends for each within 2 s, one after the other', () => {
    const ends = Array.from({ length: 200 }, (_, rank) => rampDeadline(0, 0, rank))
    expect(Math.max(...ends)).toBe(longestRampMs)
    expect(Math.min(...ends)).toBeGreaterThan(1_800)
    expect(ends.filter((end) => end === longestRampMs)).toHaveLength(10)
  })

  it('counts what has been waited before, with another member', () => {
    expect([rampDeadline(0, 1_500, 0), rampDeadline(0, 2_500, 0)]).toEqual([500, 0])
  })
})
