import { describe, expect, it } from 'vitest'
import { fullAt, growthSince, isCalm, isFilling, multiplier } from './growth.ts'

const now = Date.UTC(2026, 0, 5, 14)
const hour = 3_600_000
const of = (files: number, bytes = files * 1000) => ({ files, bytes })
const seen = (after: number, before: number, lately = after, hourBefore = before) => ({
  after: of(after),
  before: of(before),
  lately: of(lately),
  hourBefore: of(hourBefore),
})

describe('the multiplier', () => {
  it.each([
    ['of 76 files after 2', 76, 2, 38],
    ['to one decimal', 10, 3, 3.3],
    ['of nothing after something', 0, 3, 0],
    ['is unknown without files before', 76, 0, null],
  ])('%s', (_, after, before, times) => {
    expect(multiplier({ after: of(after), before: of(before) })).toBe(times)
  })
})

describe('a directory is filling', () => {
  it.each([
    ['at 38 × normal', seen(76, 2), true],
    ['at 3 × normal', seen(30, 10), true],
    ['not at 2.9 × normal', seen(29, 10), false],
    ['from nothing before', seen(10, 0), true],
    ['not with fewer than ten files', seen(9, 0), false],
    ['not when it has stopped', seen(76, 2, 0), false],
  ])('%s', (_, facts, filling) => {
    expect(isFilling(facts)).toBe(filling)
  })
})

describe('it is calm again', () => {
  it.each([
    ['with ten minutes like those of the hour before', 10, 60, true],
    ['with half as much again', 15, 60, true],
    ['not with more', 16, 60, false],
    ['with a single file where there were none', 1, 0, true],
    ['not with two where there were none', 2, 0, false],
  ])('%s', (_, lately, perHour, calm) => {
    expect(isCalm({ lately: of(lately) }, perHour)).toBe(calm)
  })
})

describe('growth', () => {
  it('is bytes an hour since the first error, of a minute at least', () => {
    expect(growthSince({ after: of(1, 600) }, now - hour / 2, now)).toBe(1_200)
    expect(growthSince({ after: of(1, 10) }, now - 1, now)).toBe(600)
  })

  it.each([
    ['in an hour', 1_000, 1_000, now + hour],
    ['never without growth', 1_000, 0, null],
    ['not within a year', 1e12, 1, null],
  ])('fills the disk %s', (_, free, perHour, at) => {
    expect(fullAt(free, perHour, now)).toBe(at)
  })
})
