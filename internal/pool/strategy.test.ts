import { describe, expect, it } from 'vitest'
import { coolingUntil, type SeatTerms, seatOf } from '../../test/property/seats.ts'
import { pristine } from './member.ts'
import type { Seat } from './seat.ts'
import { select } from './select.ts'
import { SelectionIndex } from './selection-index.ts'
import { type StrategyName, strategies } from './strategy.ts'

const now = 1_000

function rosterOf(strategy: StrategyName, ...terms: readonly SeatTerms[]): SelectionIndex {
  return new SelectionIndex(
    strategy,
    terms.map((of, index) => seatOf('abcdefgh'[index]!, of)),
    now,
  )
}

function choose(selectionIndex: SelectionIndex, active = -1, tried: readonly Seat[] = []): Seat {
  const choice = select(selectionIndex, { model: null, tried, active, degrade: false }, now)
  if (!('seat' in choice)) throw new Error(`nobody serves: ${choice.rung}`)
  return choice.seat
}

/** The members that serve `count` requests one after the other. */
function serve(selectionIndex: SelectionIndex, count: number, active = -1): string {
  let members = ''
  for (let i = 0; i < count; i++) {
    const seat = choose(selectionIndex, active)
    selectionIndex.begin(seat, now)
    selectionIndex.end(seat, now)
    members += seat.member
  }
  return members
}

function setHealth(selectionIndex: SelectionIndex, member: string, health: Seat['credential']['health']): void {
  const seat = selectionIndex.seats.find((one) => one.member === member)!
  seat.credential.health = health
  selectionIndex.file(seat, now)
}

describe('a strategy', () => {
  it.each(strategies)('%s takes turns in a way of its own', (strategy) => {
    const expected = {
      sticky: 'bbbb',
      ordered: 'aaaa',
      'round-robin': 'abca',
      'least-loaded': 'abca',
      weighted: 'abca',
      'expiring-first': 'aaaa',
    }
    expect(serve(rosterOf(strategy, {}, {}, {}), 4, 1)).toBe(expected[strategy])
  })

  it.each(strategies)('%s has nobody to choose from an empty pool', (strategy) => {
    const selectionIndex = new SelectionIndex(strategy, [], now)
    expect(select(selectionIndex, { model: null, tried: [], active: -1, degrade: false }, now).rung).toBe('exhausted')
  })

  it.each(strategies)('%s passes over those that were tried', (strategy) => {
    const selectionIndex = rosterOf(strategy, {}, {}, {})
    const [a, b] = selectionIndex.seats
    expect(choose(selectionIndex, 0, [a!, b!]).member).toBe('c')
  })
})

describe('round-robin', () => {
  it('goes on after the member that was used last, whoever joins', () => {
    const selectionIndex = rosterOf('round-robin', {}, { health: coolingUntil(9_000) }, {})
    expect(serve(selectionIndex, 2)).toBe('ac')
    setHealth(selectionIndex, 'b', pristine)
    expect(serve(selectionIndex, 3)).toBe('abc')
  })
})

describe('least-loaded', () => {
  it('chooses the fewest requests in flight, and the least recently used among equals', () => {
    const selectionIndex = rosterOf(
      'least-loaded',
      { inFlight: 2 },
      { inFlight: 1, lastUse: 9 },
      { inFlight: 1, lastUse: 3 },
    )
    expect(choose(selectionIndex).member).toBe('c')
    selectionIndex.begin(choose(selectionIndex), now)
    expect(choose(selectionIndex).member).toBe('b')
  })

  it('counts a request until it ends', () => {
    const selectionIndex = rosterOf('least-loaded', {}, {})
    const [a, b] = selectionIndex.seats
    selectionIndex.begin(a!, now)
    selectionIndex.begin(b!, now)
    selectionIndex.end(b!, now)
    expect(choose(selectionIndex).member).toBe('b')
  })

  it('knows the load of a member that comes back', () => {
    const selectionIndex = rosterOf('least-loaded', {}, {})
    const [a] = selectionIndex.seats
    selectionIndex.begin(a!, now)
    setHealth(selectionIndex, 'a', coolingUntil(9_000))
    setHealth(selectionIndex, 'b', coolingUntil(9_000))
    selectionIndex.begin(a!, now)
    setHealth(selectionIndex, 'b', pristine)
    setHealth(selectionIndex, 'a', pristine)
    expect(choose(selectionIndex).member).toBe('b')
  })
})

describe('weighted', () => {
  it('shares the requests by weight, evenly spread', () => {
    const selectionIndex = rosterOf('weighted', { weight: 4 }, { weight: 1 })
    const served = serve(selectionIndex, 500)
    expect([...served].filter((member) => member === 'a')).toHaveLength(400)
    expect(served).not.toContain('aaaaa')
    expect(served).not.toContain('bb')
  })

  it('follows a change of weight', () => {
    const selectionIndex = rosterOf('weighted', {}, {})
    serve(selectionIndex, 10)
    selectionIndex.seats[0]!.weight = 9
    expect([...serve(selectionIndex, 100)].filter((member) => member === 'a')).toHaveLength(90)
  })

  it('lets a member that comes back start at the front, without the turns that it missed', () => {
    const selectionIndex = rosterOf('weighted', {}, {})
    setHealth(selectionIndex, 'b', coolingUntil(9_000))
    serve(selectionIndex, 100)
    setHealth(selectionIndex, 'b', pristine)
    expect(['abab', 'baba']).toContain(serve(selectionIndex, 4))
  })

  it('keeps the front where it is when somebody outside the line is used', () => {
    const selectionIndex = rosterOf('weighted', {}, {}, {})
    for (const member of ['b', 'c']) setHealth(selectionIndex, member, coolingUntil(9_000))
    serve(selectionIndex, 100)
    selectionIndex.begin(selectionIndex.seats[1]!, now)
    setHealth(selectionIndex, 'c', pristine)
    expect(['acac', 'caca']).toContain(serve(selectionIndex, 4))
  })
})
