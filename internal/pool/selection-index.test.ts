import { describe, expect, it } from 'vitest'
import { coolingUntil, parkedUntil, probingUntil, type SeatTerms, seatOf } from '../../test/property/seats.ts'
import { pristine } from './member.ts'
import type { Seat } from './seat.ts'
import { select } from './select.ts'
import { SelectionIndex } from './selection-index.ts'
import { type StrategyName, strategies } from './strategy.ts'

const now = 1_000
const over = coolingUntil(now)
const near = coolingUntil(2_000)

function rosterOf(strategy: StrategyName, ...terms: readonly SeatTerms[]): SelectionIndex {
  return new SelectionIndex(
    strategy,
    terms.map((of, index) => seatOf('abcdefgh'[index]!, of)),
    now,
  )
}

function next(selectionIndex: SelectionIndex, model: string | null = null, tried: readonly Seat[] = []): string {
  const choice = select(selectionIndex, { model, tried, active: -1, degrade: false }, now)
  return 'seat' in choice ? `${choice.rung} ${choice.seat.member}` : choice.rung
}

/** The members that serve the next `count` requests, each of which stays in flight. */
function serve(selectionIndex: SelectionIndex, count: number, model: string | null = null): string {
  let members = ''
  for (let i = 0; i < count; i++) {
    const choice = select(selectionIndex, { model, tried: [], active: -1, degrade: false }, now)
    if (!('seat' in choice)) break
    selectionIndex.begin(choice.seat, now)
    members += choice.seat.member
  }
  return members
}

describe('SelectionIndex', () => {
  it('ranks the seats in their order and knows where each stands', () => {
    const selectionIndex = rosterOf('sticky', {}, { health: near }, { park: parkedUntil(null) })
    expect(selectionIndex.seats.map((seat) => [seat.index, selectionIndex.availability(seat)])).toEqual([
      [0, 'ready'],
      [1, 'shut'],
      [2, 'parked'],
    ])
  })

  it('knows by name which strategy it follows', () => {
    expect(rosterOf('weighted').strategyName).toBe('weighted')
  })

  it('follows the time when it is brought up to it, and not before', () => {
    const selectionIndex = rosterOf('sticky', { health: near })
    const [seat] = selectionIndex.seats
    const seen = [1_999, 2_000].map((at) => {
      selectionIndex.advance(at)
      return selectionIndex.availability(seat!)
    })
    expect(seen).toEqual(['shut', 'elapsed'])
  })

  it('counts what is in flight and the order of use', () => {
    const selectionIndex = rosterOf('sticky', { lastUse: 41 }, {})
    const [a, b] = selectionIndex.seats
    selectionIndex.begin(b!, now)
    selectionIndex.begin(a!, now)
    selectionIndex.end(b!, now)
    expect([a!.inFlight, a!.lastUse, b!.inFlight, b!.lastUse]).toEqual([1, 43, 0, 42])
  })

  it.each(strategies)('%s does not choose a parked member among the healthy once it has been used', (strategy) => {
    const selectionIndex = rosterOf(strategy, { park: parkedUntil(null) }, { health: near })
    expect(serve(selectionIndex, 1)).toBe('a')
    expect(next(selectionIndex)).toBe('parked a')
    selectionIndex.end(selectionIndex.seats[0]!, now)
    expect(next(selectionIndex)).toBe('parked a')
  })

  it.each(strategies)('%s gives no second probe while one is under way', (strategy) => {
    const selectionIndex = rosterOf(strategy, { health: over })
    const [seat] = selectionIndex.seats
    expect(next(selectionIndex)).toBe('probe a')
    seat!.credential.health = probingUntil(5_000, over)
    selectionIndex.file(seat!, now)
    selectionIndex.begin(seat!, now)
    expect(next(selectionIndex)).toBe('exhausted')
  })
})

describe('SelectionIndex built anew', () => {
  it.each(strategies)('%s is not disturbed by the end of a request on a seat that was dropped', (strategy) => {
    const before = rosterOf(strategy, {}, {}, {})
    const [a, b, c] = before.seats as [Seat, Seat, Seat]
    before.begin(c, now)
    const selectionIndex = new SelectionIndex(strategy, [a, b], now)
    selectionIndex.end(c, now)
    selectionIndex.begin(c, now)
    selectionIndex.file(c, now)
    expect(c.inFlight).toBe(1)
    expect([next(selectionIndex), next(selectionIndex, null, [a]), next(selectionIndex, null, [a, b])]).toEqual([
      'healthy a',
      'healthy b',
      'tried',
    ])
  })

  it('does not take the load of a dropped seat for that of the one in its place', () => {
    const before = rosterOf('least-loaded', {}, {})
    const [a, b] = before.seats as [Seat, Seat]
    for (let i = 0; i < 3; i++) before.begin(a, now)
    const renewed = seatOf('a')
    const selectionIndex = new SelectionIndex('least-loaded', [renewed, b], now)
    selectionIndex.begin(b, now)
    selectionIndex.end(a, now)
    expect(next(selectionIndex)).toBe('healthy a')
  })

  it('round-robin goes on after the member that was used last', () => {
    const before = rosterOf('round-robin', {}, {}, {})
    expect(serve(before, 2)).toBe('ab')
    expect(serve(new SelectionIndex('round-robin', before.seats, now), 2)).toBe('ca')
  })
})

describe('SelectionIndex with limits of single models', () => {
  it('takes up a limit that begins and one that ends', () => {
    const selectionIndex = rosterOf('ordered', { models: { opus: pristine } }, {})
    const [a] = selectionIndex.seats
    const gate = a!.models.get('opus')!
    const seen = [pristine, near, pristine].map((health) => {
      gate.health = health
      selectionIndex.file(a!, now)
      return `${next(selectionIndex, 'opus')}, ${next(selectionIndex)}`
    })
    expect(seen).toEqual(['healthy a, healthy a', 'healthy b, healthy a', 'healthy a, healthy a'])
  })

  it('keeps no files for a family once its last limit is lifted', () => {
    const selectionIndex = rosterOf('ordered', { models: { opus: near } }, { models: { opus: near } })
    expect(selectionIndex.familyIndex('opus')).not.toBe(selectionIndex.familyIndex(null))
    const kept = selectionIndex.seats.map((seat) => {
      seat.models.get('opus')!.health = pristine
      selectionIndex.file(seat, now)
      return selectionIndex.familyIndex('opus') !== selectionIndex.familyIndex(null)
    })
    expect(kept).toEqual([true, false])
  })

  it('keeps the limits of several families and members apart', () => {
    const selectionIndex = rosterOf('ordered', { models: { opus: near, haiku: near } }, { models: { opus: near } }, {})
    expect([next(selectionIndex, 'opus'), next(selectionIndex, 'haiku'), next(selectionIndex, 'sonnet')]).toEqual([
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
    const selectionIndex = rosterOf(strategy, limited, {}, limited, {})
    expect(serve(selectionIndex, 6, 'opus')).toBe(served)
  })

  it('round-robin goes on after the member that was used last when a limit begins', () => {
    const selectionIndex = rosterOf('round-robin', {}, {}, {}, { models: { opus: pristine } })
    expect(serve(selectionIndex, 2)).toBe('ab')
    const limited = selectionIndex.seats[3]!
    limited.models.get('opus')!.health = near
    selectionIndex.file(limited, now)
    expect(serve(selectionIndex, 2, 'opus')).toBe('ca')
  })

  it('counts requests of other families as load', () => {
    const selectionIndex = rosterOf('least-loaded', {}, {}, { models: { opus: near } })
    expect(serve(selectionIndex, 1)).toBe('a')
    expect(serve(selectionIndex, 1, 'opus')).toBe('b')
    selectionIndex.end(selectionIndex.seats[0]!, now)
    expect(serve(selectionIndex, 1, 'opus')).toBe('a')
  })
})
