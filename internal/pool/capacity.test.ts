import { describe, expect, it } from 'vitest'
import { type Capacity, hopped, isForgotten, isPassedOver, withoutCapacity } from './capacity.ts'

const minute = 60_000
const start = 1_000_000_000

/** The record after refusals at these minutes. */
function refusedAt(...minutes: number[]): Capacity {
  return minutes.reduce<Capacity | null>((record, at) => withoutCapacity(record, start + at * minute), null) as Capacity
}

describe('a member that refuses a model for want of capacity', () => {
  it.each([
    ['once is not passed over', [0], null],
    ['twice is not passed over', [0, 1], null],
    ['three times within 15 min is passed over for 2 min', [0, 7, 14], 2],
    ['three times over more than 15 min is not passed over', [0, 8, 15], null],
    ['again while it is passed over stays so for no longer', [0, 0, 0, 1], 1],
    ['again after 2 min is passed over for 4', [0, 0, 0, 2], 4],
    ['again and again is passed over for 8 min', [0, 0, 0, 2, 6], 8],
    ['for hours is passed over for 15 min at a time', [0, 0, 0, 2, 6, 14, 29, 44], 15],
    ['again long after it was passed over begins anew', [0, 0, 0, 17], null],
    ['again within 15 min of having been passed over is so for 4 min', [0, 0, 0, 16], 4],
  ])('%s', (_name, minutes, passedOver) => {
    const record = refusedAt(...minutes)
    const now = start + (minutes.at(-1) ?? 0) * minute
    expect(isPassedOver(record, now)).toBe(passedOver !== null)
    if (passedOver !== null) expect((record.until - now) / minute).toBe(passedOver)
    expect(isPassedOver(record, now + (passedOver ?? 0) * minute)).toBe(false)
  })

  it('keeps no more than three refusals', () => {
    expect(refusedAt(0, 0, 0, 0, 0, 0).refusedAt).toHaveLength(3)
  })

  it('is passed over for 10 s by the client that comes again at once', () => {
    const record = hopped(null, start)
    expect([isPassedOver(record, start + 9_999), isPassedOver(record, start + 10_000)]).toEqual([true, false])
    expect(hopped(refusedAt(0, 0, 0), start).until).toBe(start + 2 * minute)
  })

  it('is forgotten 15 min after the last of it', () => {
    expect(isForgotten(refusedAt(0), start + 14 * minute)).toBe(false)
    expect(isForgotten(refusedAt(0), start + 15 * minute)).toBe(true)
    expect(isForgotten(refusedAt(0, 0, 0), start + 16 * minute)).toBe(false)
  })
})
