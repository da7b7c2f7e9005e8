import { describe, expect, it } from 'vitest'
import { openGate, type Seat, SelectionIndex, select, strategies } from '../../internal/pool/pool.ts'
import { coolingUntil, parkedUntil, type SeatTerms, seatOf } from './seats.ts'

const now = 1_000_000
const family = 'opus'
const limited = { models: { [family]: coolingUntil(now + 60_000) } }

interface State {
  readonly name: string
  readonly terms: (index: number, size: number) => SeatTerms
  /** The rungs of a request that meets one member after the other. */
  readonly rungs: readonly [string, string, string]
}

const states: readonly State[] = [
  { name: 'everybody is healthy', terms: () => ({}), rungs: ['healthy', 'healthy', 'healthy'] },
  {
    name: 'only the last is healthy',
    rungs: ['healthy', 'tried', 'tried'],
    terms: (index, size) => (index === size - 1 ? {} : { health: coolingUntil(now + 60_000 + index) }),
  },
  {
    name: 'everybody cools',
    terms: (index) => ({ health: coolingUntil(now + 60_000 + index) }),
    rungs: ['exhausted', 'exhausted', 'exhausted'],
  },
  {
    name: 'everybody cools and may be tested early',
    terms: (index) => ({ health: coolingUntil(now + 60_000 + index, { probeAt: now - index }) }),
    rungs: ['early-probe', 'early-probe', 'early-probe'],
  },
  {
    name: 'everybody is parked',
    terms: (index) => ({ park: parkedUntil(now + 60_000 + index) }),
    rungs: ['parked', 'parked', 'parked'],
  },
  {
    name: 'the first half is limited for the family',
    terms: (index, size) => (index < size / 2 ? limited : {}),
    rungs: ['healthy', 'healthy', 'healthy'],
  },
  { name: 'everybody is limited for the family', terms: () => limited, rungs: ['exhausted', 'exhausted', 'exhausted'] },
  {
    name: 'every host is away',
    terms: () => ({ host: openGate('host', 'x', coolingUntil(now + 60_000)) }),
    rungs: ['host', 'host', 'host'],
  },
]

/** A list of seats that counts how often one of them is looked up. */
function counting(seats: readonly Seat[]): { readonly list: readonly Seat[]; readonly lookups: () => number } {
  let lookups = 0
  const get = (target: readonly Seat[], key: string | symbol) => {
    if (typeof key === 'string' && /^\d+$/.test(key)) lookups++
    return Reflect.get(target, key)
  }
  return { list: new Proxy(seats, { get }), lookups: () => lookups }
}

function pool(size: number, terms: State['terms']) {
  return counting(Array.from({ length: size }, (_, index) => seatOf(`m${index}`, terms(index, size))))
}

describe('selection', () => {
  it.each(states)('looks at a few of 10,000 members when $name', ({ terms, rungs }) => {
    const { list, lookups } = pool(10_000, terms)
    for (const strategy of strategies) {
      const selectionIndex = new SelectionIndex(strategy, list, now)
      const tried: Seat[] = []
      for (const rung of rungs) {
        const before = lookups()
        const choice = select(selectionIndex, { model: family, tried, active: 3_333, degrade: false }, now)
        expect(choice.rung, strategy).toBe(rung)
        expect(lookups() - before, strategy).toBeLessThan(12)
        if (!('seat' in choice)) continue
        selectionIndex.begin(choice.seat, now)
        tried.push(choice.seat)
      }
    }
  })

  it('looks at the members that come back as time passes, and at few others', () => {
    const { list, lookups } = pool(10_000, (index) => ({ health: coolingUntil(now + 1 + index) }))
    for (const strategy of strategies) {
      const selectionIndex = new SelectionIndex(strategy, list, now)
      for (const back of [1, 50, 100]) {
        const before = lookups()
        select(selectionIndex, { model: null, tried: [], active: 0, degrade: false }, now + back)
        expect(lookups() - before, strategy).toBeLessThan(12 + 2 * back)
      }
    }
  })
})
