import { describe, expect, it } from 'vitest'
import { coolingUntil, parkedUntil, probingUntil, type SeatTerms, seatOf } from '../../test/property/seats.ts'
import { pristine } from './member.ts'
import { Roster } from './roster.ts'
import type { Seat } from './seat.ts'
import { select } from './select.ts'
import { type StrategyName, strategies } from './strategy.ts'

const now = 1_000
const over = coolingUntil(now)
const near = coolingUntil(2_000)

function rosterOf(strategy: StrategyName, ...terms: readonly SeatTerms[]): Roster {
  return new Roster(
    strategy,
    terms.map((of, index) => seatOf('abcdefgh'[index]!, of)),
    now,
  )
}

function next(roster: Roster, model: string | null = null, tried: readonly Seat[] = []): string {
  const choice = select(roster, { model, tried, active: -1, degrade: false }, now)
  return 'seat' in choice ? `${choice.tier} ${choice.seat.member}` : choice.tier
}

/** The members that serve the next `count` requests, each of which stays in flight. */
function serve(roster: Roster, count: number, model: string | null = null): string {
  let members = ''
  for (let i = 0; i < count; i++) {
    const choice = select(roster, { model, tried: [], active: -1, degrade: false }, now)
    if (!('seat' in choice)) break
    roster.begin(choice.seat)
    members += choice.seat.member
  }
  return members
}

describe('Roster', () => {
  it('ranks the seats in their order and knows where each stands', () => {
    const roster = rosterOf('sticky', {}, { health: near }, { park: parkedUntil(null) })
    expect(roster.seats.map((seat) => [seat.index, roster.standing(seat)])).toEqual([
      [0, 'ready'],
      [1, 'shut'],
      [2, 'parked'],
    ])
  })

  it('knows by name which strategy it follows', () => {
    expect(rosterOf('weighted').strategyName).toBe('weighted')
  })

  it('follows the time when it is brought up to it, and not before', () => {
    const roster = rosterOf('sticky', { health: near })
    const [seat] = roster.seats
    const seen = [1_999, 2_000].map((at) => {
      roster.advance(at)
      return roster.standing(seat!)
    })
    expect(seen).toEqual(['shut', 'elapsed'])
  })

  it('counts what is in flight and the order of use', () => {
    const roster = rosterOf('sticky', { lastUse: 41 }, {})
    const [a, b] = roster.seats
    roster.begin(b!)
    roster.begin(a!)
    roster.end(b!)
    expect([a!.inFlight, a!.lastUse, b!.inFlight, b!.lastUse]).toEqual([1, 43, 0, 42])
  })

  it.each(strategies)('%s does not choose a parked member among the healthy once it has been used', (strategy) => {
    const roster = rosterOf(strategy, { park: parkedUntil(null) }, { health: near })
    expect(serve(roster, 1)).toBe('a')
    expect(next(roster)).toBe('parked a')
    roster.end(roster.seats[0]!)
    expect(next(roster)).toBe('parked a')
  })

  it.each(strategies)('%s gives no second probe while one is under way', (strategy) => {
    const roster = rosterOf(strategy, { health: over })
    const [seat] = roster.seats
    expect(next(roster)).toBe('probe a')
    seat!.credential.health = probingUntil(5_000, over)
    roster.file(seat!, now)
    roster.begin(seat!)
    expect(next(roster)).toBe('exhausted')
  })
})

describe('Roster built anew', () => {
  it.each(strategies)('%s is not disturbed by the end of a request on a seat that was dropped', (strategy) => {
    const before = rosterOf(strategy, {}, {}, {})
    const [a, b, c] = before.seats as [Seat, Seat, Seat]
    before.begin(c)
    const roster = new Roster(strategy, [a, b], now)
    roster.end(c)
    roster.begin(c)
    roster.file(c, now)
    expect(c.inFlight).toBe(1)
    expect([next(roster), next(roster, null, [a]), next(roster, null, [a, b])]).toEqual([
      'healthy a',
      'healthy b',
      'tried',
    ])
  })

  it('does not take the load of a dropped seat for that of the one in its place', () => {
    const before = rosterOf('least-loaded', {}, {})
    const [a, b] = before.seats as [Seat, Seat]
    for (let i = 0; i < 3; i++) before.begin(a)
    const renewed = seatOf('a')
    const roster = new Roster('least-loaded', [renewed, b], now)
    roster.begin(b)
    roster.end(a)
    expect(next(roster)).toBe('healthy a')
  })

  it('round-robin goes on after the member that was used last', () => {
    const before = rosterOf('round-robin', {}, {}, {})
    expect(serve(before, 2)).toBe('ab')
    expect(serve(new Roster('round-robin', before.seats, now), 2)).toBe('ca')
  })
})

describe('Roster with limits of single models', () => {
  it('takes up a limit that begins and one that ends', () => {
    const roster = rosterOf('ordered', { models: { opus: pristine } }, {})
    const [a] = roster.seats
    const gate = a!.models.get('opus')!
    const seen = [pristine, near, pristine].map((health) => {
      gate.health = health
      roster.file(a!, now)
      return `${next(roster, 'opus')}, ${next(roster)}`
    })
    expect(seen).toEqual(['healthy a, healthy a', 'healthy b, healthy a', 'healthy a, healthy a'])
  })

  it('keeps no files for a family once its last limit is lifted', () => {
    const roster = rosterOf('ordered', { models: { opus: near } }, { models: { opus: near } })
    expect(roster.lane('opus')).not.toBe(roster.lane(null))
    const kept = roster.seats.map((seat) => {
      seat.models.get('opus')!.health = pristine
      roster.file(seat, now)
      return roster.lane('opus') !== roster.lane(null)
    })
    expect(kept).toEqual([true, false])
  })

  it('keeps the limits of several families and members apart', () => {
    const roster = rosterOf('ordered', { models: { opus: near, haiku: near } }, { models: { opus: near } }, {})
    expect([next(roster, 'opus'), next(roster, 'haiku'), next(roster, 'sonnet')]).toEqual([
      'healthy c',
      'healthy b',
      'healthy a',
    ])
  })

  it.each([
    { strategy: 'round-robin', served: 'bdbdbd' },
    { strategy: 'least-loaded', served: 'bdbdbd' },
    { strategy: 'weighted', served: 'bdbdbd' },
  ] as const)('$strategy shares the work among those without the limit', ({ strategy, served }) => {
    const limited = { models: { opus: near } }
    const roster = rosterOf(strategy, limited, {}, limited, {})
    expect(serve(roster, 6, 'opus')).toBe(served)
  })

  it('round-robin goes on after the member that was used last when a limit begins', () => {
    const roster = rosterOf('round-robin', {}, {}, {}, { models: { opus: pristine } })
    expect(serve(roster, 2)).toBe('ab')
    const limited = roster.seats[3]!
    limited.models.get('opus')!.health = near
    roster.file(limited, now)
    expect(serve(roster, 2, 'opus')).toBe('ca')
  })

  it('counts requests of other families as load', () => {
    const roster = rosterOf('least-loaded', {}, {}, { models: { opus: near } })
    expect(serve(roster, 1)).toBe('a')
    expect(serve(roster, 1, 'opus')).toBe('b')
    roster.end(roster.seats[0]!)
    expect(serve(roster, 1, 'opus')).toBe('a')
  })
})
