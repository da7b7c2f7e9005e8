import { describe, expect, it } from 'vitest'
import { coolingUntil, type SeatTerms, seatOf } from '../../test/property/seats.ts'
import { pristine } from './member.ts'
import { Roster } from './roster.ts'
import type { Seat } from './seat.ts'
import { select } from './select.ts'
import { type StrategyName, strategies } from './strategy.ts'

const now = 1_000

function rosterOf(strategy: StrategyName, ...terms: readonly SeatTerms[]): Roster {
  return new Roster(
    strategy,
    terms.map((of, index) => seatOf('abcdefgh'[index]!, of)),
    now,
  )
}

function choose(roster: Roster, active = -1, tried: readonly Seat[] = []): Seat {
  const choice = select(roster, { model: null, tried, active, degrade: false }, now)
  if (!('seat' in choice)) throw new Error(`nobody serves: ${choice.tier}`)
  return choice.seat
}

/** The members that serve `count` requests one after the other. */
function serve(roster: Roster, count: number, active = -1): string {
  let members = ''
  for (let i = 0; i < count; i++) {
    const seat = choose(roster, active)
    roster.begin(seat)
    roster.end(seat)
    members += seat.member
  }
  return members
}

function setHealth(roster: Roster, member: string, health: Seat['credential']['health']): void {
  const seat = roster.seats.find((one) => one.member === member)!
  seat.credential.health = health
  roster.file(seat, now)
}

describe('a strategy', () => {
  it.each(strategies)('%s takes turns in a way of its own', (strategy) => {
    const expected = {
      sticky: 'bbbb',
      ordered: 'aaaa',
      'round-robin': 'abca',
      'least-loaded': 'abca',
      weighted: 'abca',
    }
    expect(serve(rosterOf(strategy, {}, {}, {}), 4, 1)).toBe(expected[strategy])
  })

  it.each(strategies)('%s has nobody to choose from an empty pool', (strategy) => {
    const roster = new Roster(strategy, [], now)
    expect(select(roster, { model: null, tried: [], active: -1, degrade: false }, now).tier).toBe('exhausted')
  })

  it.each(strategies)('%s passes over those that were tried', (strategy) => {
    const roster = rosterOf(strategy, {}, {}, {})
    const [a, b] = roster.seats
    expect(choose(roster, 0, [a!, b!]).member).toBe('c')
  })
})

describe('round-robin', () => {
  it('goes on after the member that was used last, whoever joins', () => {
    const roster = rosterOf('round-robin', {}, { health: coolingUntil(9_000) }, {})
    expect(serve(roster, 2)).toBe('ac')
    setHealth(roster, 'b', pristine)
    expect(serve(roster, 3)).toBe('abc')
  })
})

describe('least-loaded', () => {
  it('chooses the fewest requests in flight, and the least recently used among equals', () => {
    const roster = rosterOf('least-loaded', { inFlight: 2 }, { inFlight: 1, lastUse: 9 }, { inFlight: 1, lastUse: 3 })
    expect(choose(roster).member).toBe('c')
    roster.begin(choose(roster))
    expect(choose(roster).member).toBe('b')
  })

  it('counts a request until it ends', () => {
    const roster = rosterOf('least-loaded', {}, {})
    const [a, b] = roster.seats
    roster.begin(a!)
    roster.begin(b!)
    roster.end(b!)
    expect(choose(roster).member).toBe('b')
  })

  it('knows the load of a member that comes back', () => {
    const roster = rosterOf('least-loaded', {}, {})
    const [a] = roster.seats
    roster.begin(a!)
    setHealth(roster, 'a', coolingUntil(9_000))
    setHealth(roster, 'b', coolingUntil(9_000))
    roster.begin(a!)
    setHealth(roster, 'b', pristine)
    setHealth(roster, 'a', pristine)
    expect(choose(roster).member).toBe('b')
  })
})

describe('weighted', () => {
  it('shares the requests by weight, evenly spread', () => {
    const roster = rosterOf('weighted', { weight: 4 }, { weight: 1 })
    const served = serve(roster, 500)
    expect([...served].filter((member) => member === 'a')).toHaveLength(400)
    expect(served).not.toContain('aaaaa')
    expect(served).not.toContain('bb')
  })

  it('follows a change of weight', () => {
    const roster = rosterOf('weighted', {}, {})
    serve(roster, 10)
    roster.seats[0]!.weight = 9
    expect([...serve(roster, 100)].filter((member) => member === 'a')).toHaveLength(90)
  })

  it('lets a member that comes back start at the front, without the turns that it missed', () => {
    const roster = rosterOf('weighted', {}, {})
    setHealth(roster, 'b', coolingUntil(9_000))
    serve(roster, 100)
    setHealth(roster, 'b', pristine)
    expect(['abab', 'baba']).toContain(serve(roster, 4))
  })

  it('keeps the front where it is when somebody outside the line is used', () => {
    const roster = rosterOf('weighted', {}, {}, {})
    for (const member of ['b', 'c']) setHealth(roster, member, coolingUntil(9_000))
    serve(roster, 100)
    roster.begin(roster.seats[1]!)
    setHealth(roster, 'c', pristine)
    expect(['acac', 'caca']).toContain(serve(roster, 4))
  })
})
