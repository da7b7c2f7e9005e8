import { describe, expect, it } from 'vitest'
import { coolingUntil, parkedUntil, probingUntil, type SeatTerms, seatOf } from '../../test/property/seats.ts'
import { openGate } from './gate.ts'
import type { Seat } from './seat.ts'
import { type Choice, select, type Wish } from './select.ts'
import { SelectionIndex } from './selection-index.ts'
import { type StrategyName, strategies } from './strategy.ts'
import { needsLogin } from './transition.ts'

const now = 1_000_000
const over = coolingUntil(now - 1)
const near = coolingUntil(now + 60_000)
const nearer = coolingUntil(now + 30_000)
const far = coolingUntil(now + 86_400_000, { probeAt: now })
const out = needsLogin('refresh-rejected', 0)
const park = parkedUntil(now + 300_000)

type Members = Readonly<Record<string, SeatTerms>>
type Asked = Omit<Partial<Wish>, 'tried' | 'passedOver' | 'active' | 'preferred'> & {
  readonly strategy?: StrategyName
  readonly tried?: readonly string[]
  readonly passedOver?: readonly string[]
  readonly active?: string
  readonly preferred?: string
}

function seatsOf(members: Members): readonly Seat[] {
  return Object.entries(members).map(([member, terms]) => seatOf(member, terms))
}

function ask(members: Members, asked: Asked = {}): Choice {
  const seats = seatsOf(members)
  const selectionIndex = new SelectionIndex(asked.strategy ?? 'sticky', seats, now)
  const tried = seats.filter((seat) => asked.tried?.includes(seat.member))
  const passedOver = seats.filter((seat) => asked.passedOver?.includes(seat.member))
  const active = seats.findIndex((seat) => seat.member === asked.active)
  const preferred = seats.find((seat) => seat.member === asked.preferred) ?? null
  const { model = null, degrade = false } = asked
  return select(selectionIndex, { model, tried, passedOver, active, preferred, degrade }, now)
}

/** A choice in one line: its rung, whom it names and when it says that somebody recovers. */
function told(choice: Choice): string {
  switch (choice.rung) {
    case 'exhausted':
      return `exhausted ${choice.first?.member ?? '-'} ${choice.retryAt === null ? '-' : choice.retryAt - now}`
    case 'host':
      return `host ${choice.seat.member} ${choice.retryAt - now}`
    case 'tried':
      return 'tried'
    default:
      return `${choice.rung} ${choice.seat.member}`
  }
}

interface Row {
  readonly name: string
  readonly members: Members
  readonly asked?: Asked
  readonly expected: string
}

function selects(rows: readonly Row[]): void {
  it.each(rows)('$name: $expected', ({ members, asked, expected }) => {
    expect(told(ask(members, asked))).toBe(expected)
  })
}

describe('select among the healthy', () => {
  selects([
    { name: 'the first without an active member', members: { a: {}, b: {} }, expected: 'healthy a' },
    { name: 'the active member', members: { a: {}, b: {} }, asked: { active: 'b' }, expected: 'healthy b' },
    {
      name: 'the one after an active member that fails',
      members: { a: {}, b: { health: near }, c: {} },
      asked: { active: 'b' },
      expected: 'healthy c',
    },
    {
      name: 'the first again after the last',
      members: { a: {}, b: {}, c: { health: near } },
      asked: { active: 'c' },
      expected: 'healthy a',
    },
    { name: 'nobody twice', members: { a: {}, b: {} }, asked: { tried: ['a'] }, expected: 'healthy b' },
    { name: 'nobody parked', members: { a: { park }, b: {} }, asked: { active: 'a' }, expected: 'healthy b' },
    {
      name: 'a member whose park is over',
      members: { a: { park: parkedUntil(now) } },
      expected: 'healthy a',
    },
    {
      name: 'nobody whose domain cools',
      members: { a: { domain: openGate('domain', 'acme', near) }, b: {} },
      expected: 'healthy b',
    },
    {
      name: 'nobody whose host is away',
      members: { a: { host: openGate('host', 'x', near) }, b: {} },
      expected: 'healthy b',
    },
    {
      name: 'nobody who is limited for the family',
      members: { a: { models: { opus: near } }, b: {} },
      asked: { model: 'opus' },
      expected: 'healthy b',
    },
    {
      name: 'a member that is limited for another family',
      members: { a: { models: { opus: near } }, b: {} },
      asked: { model: 'haiku' },
      expected: 'healthy a',
    },
    {
      name: 'a limited member when the family is unknown',
      members: { a: { models: { opus: near } }, b: {} },
      expected: 'healthy a',
    },
  ])
})

describe('select of a member whose cooldown is over', () => {
  selects([
    {
      name: 'sticky prefers the healthy',
      members: { a: { health: over }, b: {} },
      asked: { active: 'a' },
      expected: 'healthy b',
    },
    {
      name: 'sticky tests when nobody is healthy',
      members: { a: { health: near }, b: { health: over } },
      expected: 'probe b',
    },
    {
      name: 'sticky tests its active member first',
      members: { a: { health: over }, b: { health: over }, c: { health: over } },
      asked: { active: 'b' },
      expected: 'probe b',
    },
    {
      name: 'sticky comes back to its active member when their host may be tried again',
      members: { a: { host: openGate('host', 'x', over) }, b: { host: openGate('host', 'x', over) } },
      asked: { active: 'b' },
      expected: 'probe b',
    },
    {
      name: 'sticky tests a limit of a family when nobody is healthy for it',
      members: { a: { models: { opus: near } }, b: { models: { opus: over } } },
      asked: { model: 'opus' },
      expected: 'probe b',
    },
    {
      name: 'sticky prefers somebody without a limit to one whose limit is over',
      members: { a: { models: { opus: over } }, b: {} },
      asked: { model: 'opus' },
      expected: 'healthy b',
    },
    {
      name: 'nobody while a test is under way',
      members: { a: { health: probingUntil(now + 1, over) }, b: {} },
      expected: 'healthy b',
    },
    {
      name: 'not one that was tried',
      members: { a: { health: over }, b: { health: over } },
      asked: { tried: ['a'] },
      expected: 'probe b',
    },
  ])

  it.each(strategies.filter((name) => name !== 'sticky'))('%s tests it in its turn', (strategy) => {
    expect(told(ask({ a: { health: over }, b: {} }, { strategy }))).toBe('probe a')
    expect(told(ask({ a: { models: { opus: over } }, b: {} }, { strategy, model: 'opus' }))).toBe('probe a')
  })
})

describe('select among the parked', () => {
  selects([
    {
      name: 'the one whose park ends soonest',
      members: {
        a: { park: parkedUntil(null) },
        b: { park },
        c: { park: parkedUntil(now + 1) },
        d: { health: nearer },
      },
      expected: 'parked c',
    },
    { name: 'rather one whose cooldown is over', members: { a: { park }, b: { health: over } }, expected: 'probe b' },
    {
      name: 'rather a healthy one than one that failed',
      members: { a: { park }, b: { health: far } },
      expected: 'parked a',
    },
    { name: 'nobody twice', members: { a: { park }, b: { park } }, asked: { tried: ['a'] }, expected: 'parked b' },
    {
      name: 'nobody who is limited for the family',
      members: { a: { park, models: { opus: near } }, b: { park: parkedUntil(null) } },
      asked: { model: 'opus' },
      expected: 'parked b',
    },
    {
      name: 'the parked one that has failed too is no longer preferred',
      members: { a: { park, health: nearer }, b: { health: near } },
      expected: 'exhausted a 30000',
    },
    {
      name: 'a parked one whose cooldown is over, when nobody else is left',
      members: { a: { park, health: over }, b: { health: near } },
      expected: 'parked-probe a',
    },
    {
      name: 'a parked one whose limit of the family is over, when nobody else is left',
      members: { a: { park, models: { opus: over } }, b: { health: near } },
      asked: { model: 'opus' },
      expected: 'parked-probe a',
    },
  ])
})

describe('select from a pool that would be exhausted', () => {
  selects([
    {
      name: 'a far hint is tested early',
      members: { a: { health: near }, b: { health: far } },
      expected: 'early-probe b',
    },
    {
      name: 'not before its time',
      members: { a: { health: coolingUntil(now + 9, { probeAt: now + 1 }) } },
      expected: 'exhausted a 9',
    },
    {
      name: 'a far limit of the family is tested early',
      members: { a: { models: { opus: near } }, b: { models: { opus: far } } },
      asked: { model: 'opus' },
      expected: 'early-probe b',
    },
    {
      name: 'not one that was tried',
      members: { a: { health: far } },
      asked: { tried: ['a'] },
      expected: 'exhausted a 86400000',
    },
    {
      name: 'whoever recovers first',
      members: { a: { health: near }, b: { health: nearer } },
      expected: 'exhausted b 30000',
    },
    {
      name: 'whoever recovers first for the family',
      members: { a: { health: nearer, models: { opus: coolingUntil(now + 90_000) } }, b: { models: { opus: near } } },
      asked: { model: 'opus' },
      expected: 'exhausted b 60000',
    },
    {
      name: 'somebody who is being tested is expected at once',
      members: { a: { health: near }, b: { health: probingUntil(now + 5, over) } },
      expected: 'exhausted b 0',
    },
    { name: 'nobody without a person', members: { a: { health: out } }, expected: 'exhausted - -' },
    { name: 'nobody of an empty pool', members: {}, expected: 'exhausted - -' },
    {
      name: 'whoever can serve has been tried',
      members: { a: {}, b: { health: near } },
      asked: { tried: ['a'] },
      expected: 'tried',
    },
    {
      name: 'whoever can serve from behind a park has been tried',
      members: { a: { park }, b: { health: near } },
      asked: { tried: ['a'] },
      expected: 'tried',
    },
    {
      name: 'whoever may be tested behind a park has been tried',
      members: { a: { park, health: over }, b: { health: near } },
      asked: { tried: ['a'] },
      expected: 'tried',
    },
    {
      name: 'whoever may be tested has been tried',
      members: { a: { health: over } },
      asked: { tried: ['a'] },
      expected: 'tried',
    },
    {
      name: 'who was tried and is limited for the family cannot serve it',
      members: { a: { models: { opus: near } }, b: { health: nearer } },
      asked: { model: 'opus', tried: ['a'] },
      expected: 'exhausted b 30000',
    },
  ])
})

describe('select for a pool that would rather degrade', () => {
  const degrade = true
  selects([
    {
      name: 'whoever recovers first',
      members: { a: { health: near }, b: { health: nearer } },
      asked: { degrade },
      expected: 'degraded b',
    },
    {
      name: 'nobody twice',
      members: { a: { health: near }, b: { health: nearer } },
      asked: { degrade, tried: ['b'] },
      expected: 'degraded a',
    },
    {
      name: 'rather one that may be tested early',
      members: { a: { health: nearer }, b: { health: far } },
      asked: { degrade },
      expected: 'early-probe b',
    },
    {
      name: 'nobody when all have been tried',
      members: { a: { health: near } },
      asked: { degrade, tried: ['a'] },
      expected: 'exhausted a 60000',
    },
    { name: 'nobody without a person', members: { a: { health: out } }, asked: { degrade }, expected: 'exhausted - -' },
    {
      name: 'whoever recovers first for the family',
      members: { a: { models: { opus: near } }, b: { models: { opus: nearer } } },
      asked: { degrade, model: 'opus' },
      expected: 'degraded b',
    },
  ])
})

describe('select for members whose host is away', () => {
  const x = openGate('host', 'x', near)
  const y = openGate('host', 'y', nearer)
  selects([
    {
      name: 'the host that is tried again first',
      members: { a: { host: x }, b: { host: y } },
      expected: 'host b 30000',
    },
    {
      name: 'rather than a member that waits for its own sake',
      members: { a: { host: x }, b: { health: nearer } },
      expected: 'host a 60000',
    },
    {
      name: 'also when the request has met them all',
      members: { a: { host: x } },
      asked: { tried: ['a'] },
      expected: 'host a 60000',
    },
    {
      name: 'an answer that was there before a host that is away',
      members: { a: {}, b: { host: x } },
      asked: { tried: ['a', 'b'] },
      expected: 'tried',
    },
    {
      name: 'a host that is away before an answer, when it has not been met',
      members: { a: {}, b: { host: x } },
      asked: { tried: ['a'] },
      expected: 'host b 60000',
    },
    {
      name: 'a host that is being tested is expected at once',
      members: { a: { host: openGate('host', 'x', probingUntil(now + 5, over)) } },
      expected: 'host a 0',
    },
    {
      name: 'exhaustion when the members behind it are limited for the family',
      members: { a: { host: x, models: { opus: near } } },
      asked: { model: 'opus' },
      expected: 'exhausted a 60000',
    },
    {
      name: 'exhaustion when the member cools itself',
      members: { a: { host: x, health: nearer } },
      expected: 'exhausted a 60000',
    },
  ])
})

describe('select as time passes', () => {
  it('brings back a member under each strategy when its cooldown is over', () => {
    for (const strategy of strategies) {
      const seats = seatsOf({ a: { health: near } })
      const selectionIndex = new SelectionIndex(strategy, seats, now)
      const wish = { model: null, tried: [], active: 0, degrade: false }
      const seen = [0, 59_999, 60_000].map((ms) => select(selectionIndex, wish, now + ms).rung)
      expect(seen).toEqual(['exhausted', 'exhausted', 'probe'])
    }
  })

  it('takes a parked member back when its park is over', () => {
    const selectionIndex = new SelectionIndex('ordered', seatsOf({ a: { park }, b: {} }), now)
    const wish = { model: null, tried: [], active: -1, degrade: false }
    const seen = [299_999, 300_000].map((ms) => told(select(selectionIndex, wish, now + ms)))
    expect(seen).toEqual(['healthy b', 'healthy a'])
  })

  it('lifts the limit of a family when it is over', () => {
    const selectionIndex = new SelectionIndex('ordered', seatsOf({ a: { models: { opus: near } }, b: {} }), now)
    const wish = { model: 'opus', tried: [], active: -1, degrade: false }
    const seen = [59_999, 60_000].map((ms) => told(select(selectionIndex, wish, now + ms)))
    expect(seen).toEqual(['healthy b', 'probe a'])
  })
})

describe('a member that is passed over', () => {
  it.each<[string, Members, Asked, string]>([
    ['lets the next healthy one serve', { a: {}, b: {} }, { passedOver: ['a'] }, 'healthy b'],
    ['lets a probe go first', { a: {}, b: { health: over } }, { passedOver: ['a'] }, 'probe b'],
    ['lets a parked one go first', { a: {}, b: { park } }, { passedOver: ['a'] }, 'parked b'],
    [
      'lets a parked one be probed first',
      { a: {}, b: { park, health: over } },
      { passedOver: ['a'] },
      'parked-probe b',
    ],
    ['serves when all are passed over', { a: {}, b: {} }, { passedOver: ['a', 'b'] }, 'healthy a'],
    ['serves when the others cool', { a: {}, b: { health: near } }, { passedOver: ['a'] }, 'healthy a'],
    ['serves rather than one that is tested early', { a: {}, b: { health: far } }, { passedOver: ['a'] }, 'healthy a'],
    [
      'serves rather than one that cools, where that is allowed',
      { a: {}, b: { health: near } },
      { passedOver: ['a'], degrade: true },
      'healthy a',
    ],
    ['is not met twice', { a: {}, b: { health: near } }, { passedOver: ['a'], tried: ['a'] }, 'tried'],
  ])('%s', (_name, members, asked, expected) => {
    expect(told(ask(members, asked))).toBe(expected)
  })
})

describe('select by tiers', () => {
  const full = { maxInFlight: 1, inFlight: 1 }
  selects([
    { name: 'tier 1 first', members: { a: { tier: 2 }, b: {} }, expected: 'healthy b' },
    {
      name: 'tier 1 although 2 is active',
      members: { a: {}, b: { tier: 2 } },
      asked: { active: 'b' },
      expected: 'healthy a',
    },
    {
      name: 'the probe of tier 1 before tier 2',
      members: { a: { health: over }, b: { tier: 2 } },
      expected: 'probe a',
    },
    { name: 'tier 2 when 1 cools', members: { a: { health: near }, b: { tier: 2 } }, expected: 'healthy b' },
    { name: 'tier 2 when 1 is parked', members: { a: { park }, b: { tier: 2 } }, expected: 'healthy b' },
    { name: 'tier 2 when 1 is full', members: { a: full, b: { tier: 2 } }, expected: 'healthy b' },
    {
      name: 'tier 2 before 3',
      members: { a: { health: near }, b: { tier: 3 }, c: { tier: 2 } },
      expected: 'healthy c',
    },
    {
      name: 'the parked of tier 1 before those of 2',
      members: { a: { tier: 2, park }, b: { park: parkedUntil(null) } },
      expected: 'parked b',
    },
    {
      name: 'the parked probe of tier 1 first',
      members: { a: { tier: 2, park, health: over }, b: { park, health: over } },
      expected: 'parked-probe b',
    },
    {
      name: 'the early probe of tier 1 first',
      members: { a: { tier: 2, health: far }, b: { health: far } },
      expected: 'early-probe b',
    },
    {
      name: 'who recovers first, of whichever tier, when nobody can',
      members: { a: { health: near }, b: { tier: 2, health: nearer } },
      expected: 'exhausted b 30000',
    },
    {
      name: 'tier 1 when it degrades',
      members: { a: { health: near }, b: { tier: 2, health: nearer } },
      asked: { degrade: true },
      expected: 'degraded a',
    },
    {
      name: 'the host that is tried first, of whichever tier',
      members: {
        a: { host: openGate('host', 'x', near) },
        b: { tier: 2, host: openGate('host', 'y', nearer) },
        c: { tier: 3, host: openGate('host', 'z', near) },
      },
      expected: 'host b 30000',
    },
  ])
})

describe('select with bounds on what is under way', () => {
  const full = { maxInFlight: 2, inFlight: 2 }
  selects([
    { name: 'a member with room', members: { a: { maxInFlight: 2, inFlight: 1 } }, expected: 'healthy a' },
    { name: 'nobody who is full', members: { a: full, b: {} }, asked: { active: 'a' }, expected: 'healthy b' },
    { name: 'who is full, when nobody has room', members: { a: { health: near }, b: full }, expected: 'full b' },
    {
      name: 'who is full rather than away',
      members: { a: full, b: { host: openGate('host', 'x', near) } },
      expected: 'full a',
    },
    {
      name: 'nobody a second time',
      members: { a: full, b: { health: near } },
      asked: { tried: ['a'] },
      expected: 'tried',
    },
    {
      name: 'no early probe beyond the bound',
      members: { a: { health: far, ...full } },
      expected: 'exhausted a 86400000',
    },
    {
      name: 'nobody beyond the bound when it degrades',
      members: { a: { health: near, ...full } },
      asked: { degrade: true },
      expected: 'exhausted a 60000',
    },
  ])
})

describe('select for a conversation', () => {
  const asked = { active: 'a', preferred: 'b' }
  selects([
    { name: 'who served it', members: { a: {}, b: {} }, asked, expected: 'healthy b' },
    { name: 'another one when that one cools', members: { a: {}, b: { health: near } }, asked, expected: 'healthy a' },
    {
      name: 'another one when that one has been tried',
      members: { a: {}, b: {} },
      asked: { ...asked, tried: ['b'] },
      expected: 'healthy a',
    },
    { name: 'tier 1 although tier 2 served it', members: { a: {}, b: { tier: 2 } }, asked, expected: 'healthy a' },
    {
      name: 'who served it within its tier',
      members: { a: { tier: 2 }, b: { tier: 2 }, c: { health: near } },
      asked,
      expected: 'healthy b',
    },
    {
      name: 'another one while that one is to be tested',
      members: { a: {}, b: { health: over } },
      asked: { ...asked, strategy: 'round-robin' },
      expected: 'healthy a',
    },
  ])
})
