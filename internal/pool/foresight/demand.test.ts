import { describe, expect, it } from 'vitest'
import { Demand, expectedAfter, slotMs, slotOf } from './demand.ts'

const hour = 3_600_000
const day = 24 * hour
/** A Monday. */
const start = Date.UTC(2026, 0, 5)

/** So many requests in each slot from `from` up to `to`. */
function filled(from: number, to: number, work: (at: number) => number, demand = new Demand()): Demand {
  for (let at = from; at < to; at += slotMs) demand.add(at, work(at))
  return demand
}

const office = (at: number) => ((at / hour) % 24 >= 9 && (at / hour) % 24 < 17 ? 10 : 0)

describe('demand', () => {
  it('is counted by slots, and forgotten after two days, its hours after thirty', () => {
    const demand = filled(start, start + hour, () => 2)
    demand.add(start, 3)
    expect([demand.samples, demand.fromAt, demand.hour(start)]).toEqual([12, start, 27])
    expect(demand.within(start + hour, hour / 2)).toBe(12)
    demand.blank(start)
    expect(demand.hour(start)).toBeNull()
    demand.forget(start + 2 * day + hour)
    expect([demand.samples, demand.fromAt]).toEqual([0, start])
    demand.forget(start + 31 * day)
    expect([demand.hour(start), demand.fromAt]).toEqual([0, start + day])
    const nothing = new Demand()
    nothing.forget(start)
    expect(nothing.fromAt).toBeNull()
  })

  it('begins with the slot of an instant', () => {
    expect(slotOf(start + 299_999)).toBe(start)
  })
})

describe('what is to be expected', () => {
  const expected = (demand: Demand, now: number, ahead: number, offset = 0) =>
    expectedAfter(demand, now, offset)(now + ahead)

  it('is nothing without any request', () => {
    expect(expected(new Demand(), start, hour)).toBeNull()
  })

  it('is like now on the first day, for six hours, then for as long as was seen', () => {
    const demand = filled(start, start + hour, () => 10)
    expect(expected(demand, start + hour, 5 * hour)).toBe(120)
    expect(expected(demand, start + hour, 6 * hour)).toBeNull()
    filled(start + hour, start + 8 * hour, () => 10, demand)
    expect(expected(demand, start + 8 * hour, 7 * hour)).toBe(120)
    expect(expected(demand, start + 8 * hour, 9 * hour)).toBeNull()
    expect(expected(demand, start, hour)).toBe(0)
  })

  it('is like the same hour of earlier workdays', () => {
    const now = start + 2 * day + 10 * hour
    const demand = filled(start, now, office)
    expect(expected(demand, now, 2 * hour)).toBeCloseTo(120, 6)
    expect(expected(demand, now, 10 * hour)).toBeCloseTo(0, 6)
    expect(expected(demand, now, day)).toBeCloseTo(120, 6)
  })

  it('is unknown on a weekend that was never seen, but for three hours', () => {
    const now = start + 5 * day
    const demand = filled(start, now, () => 5)
    expect(expected(demand, now, 2 * hour)).toBe(60)
    expect(expected(demand, now, 3 * hour)).toBeNull()
    expect(expected(demand, now, 2 * day + hour)).toBeCloseTo(60, 6)
  })

  it('sees workdays and weekends in the zone of the people', () => {
    const saturdayInUtc = start + 5 * day + 2 * hour
    const demand = filled(start, saturdayInUtc, () => 5)
    expect(expected(demand, saturdayInUtc, 4 * hour, -8 * hour)).toBeCloseTo(60, 6)
    expect(expected(demand, saturdayInUtc, 4 * hour)).toBeNull()
  })

  it('departs from the usual as it does now, for a few hours, and never below nothing', () => {
    const now = start + 3 * day + 12 * hour
    const more = filled(start, now, (at) => (at >= now - 2 * hour ? 40 : 10))
    expect(expected(more, now, 0)).toBeGreaterThan(240)
    expect(expected(more, now, 12 * hour)).toBeLessThan(200)
    const idle = filled(start, now - 2 * hour, () => 10)
    expect(expected(idle, now, 0)).toBeLessThan(60)
  })

  it('leaves out hours in which nobody could serve', () => {
    const now = start + 2 * day
    const demand = filled(start, now, (at) => (Math.floor((at - start) / hour) === 5 ? 0 : 10))
    demand.blank(start + 5 * hour)
    expect(expected(demand, now, 5 * hour)).toBeCloseTo(120, 6)
  })
})
