import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type Effect,
  type Health,
  type ModelFamily,
  type Outcome,
  openGate,
  outcomeKinds,
  pristine,
  type Seat,
  SelectionIndex,
  select,
  settle,
  strategies,
} from '../../internal/pool/pool.ts'
import { checkSettled } from './checks.ts'
import { families, type MemberPlan, PoolModel, type Step, verdicts } from './pool-model.ts'
import { coolingUntil, probingUntil, seatOf, settings, suspectUntil } from './seats.ts'

const spans = [1_000, 30_000, 61_000, 300_000, 1_200_000, 7_200_000, 259_200_000]
const nat = fc.nat(1_000)
const family = fc.constantFrom<ModelFamily | null>(null, ...families)
const strategyName = fc.constantFrom(...strategies)
const reason = fc.constantFrom('rate-limited' as const, 'quota' as const, 'billing' as const)
const maybeSpan = fc.option(fc.constantFrom(...spans))

const plan: fc.Arbitrary<MemberPlan> = fc.record({
  domain: fc.constantFrom(-1, 0, 1),
  host: fc.constantFrom(0, 0, 1),
  weight: fc.integer({ min: 1, max: 3 }),
  tier: fc.constantFrom(1, 1, 1, 2, 5),
  maxInFlight: fc.constantFrom(null, null, null, 1, 2),
  cap: fc.constantFrom(null, null, 50),
})

const kind = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('success' as const, 'rate-limited' as const, 'auth-rejected' as const) },
  { weight: 2, arbitrary: fc.constantFrom(...outcomeKinds) },
)
const scope = fc.constantFrom('member' as const, 'member' as const, 'domain' as const, 'model' as const)

const outcome: fc.Arbitrary<Outcome> = fc
  .record({ kind, reason, scope, model: family, forMs: maybeSpan, cools: fc.constantFrom(true, true, true, false) })
  .map((of) => {
    const status = of.kind === 'infra' || of.kind === 'client-gone' ? null : 429
    return { ...of, status, evidence: 'strong', until: null }
  })

function is<const K extends Step['do']>(what: K): fc.Arbitrary<K> {
  return fc.constant(what)
}

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: is('start'),
      pool: nat,
      model: family,
      degrade: fc.constantFrom(false, false, true),
      preferred: fc.option(nat),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: is('again'), turn: nat }) },
  { weight: 8, arbitrary: fc.record({ do: is('report'), lease: nat, outcome, inMs: maybeSpan }) },
  { weight: 3, arbitrary: fc.record({ do: is('release'), lease: nat }) },
  { weight: 4, arbitrary: fc.record({ do: is('wait'), ms: fc.constantFrom(1, 999, ...spans) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: is('park'), pool: nat, member: nat, forMs: fc.constantFrom(null, 0, 60_000, 300_000) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: is('meter'),
      member: nat,
      usedPercent: fc.constantFrom(10, 50, 90, 100),
      inMs: fc.constantFrom(...spans),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: is('set'), member: nat, to: fc.constantFrom(...verdicts) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: is('reseat'),
      pool: nat,
      member: nat,
      how: fc.constantFrom('drop' as const, 'turn' as const, ...strategies),
    }),
  },
)

describe('the pool core', () => {
  it.each(strategies)('selects and settles as the naive reference under %s, whatever happens', (strategy) => {
    const plans = fc.array(plan, { minLength: 1, maxLength: 5 })
    const walks = fc.array(step, { maxLength: 60, size: 'max' })
    fc.assert(
      fc.property(plans, strategyName, walks, (of, other, walk) => {
        const model = new PoolModel(of, [strategy, other])
        for (const one of walk) model.take(one)
      }),
      { numRuns: 200 },
    )
  })
})

const now = 1_000_000

interface Report {
  readonly effect: Effect
  readonly id: number
  readonly issuedAt: number
}

const setback: fc.Arbitrary<Effect> = fc.oneof(
  fc
    .record({ reason, inMs: maybeSpan, forMs: maybeSpan })
    .map(({ reason: why, inMs, forMs }) => ({ do: 'cool', reason: why, until: inMs && now + inMs, forMs }) as const),
  fc
    .constantFrom('auth-rejected' as const, 'account-closed' as const)
    .map((why) => ({ do: 'suspect', reason: why }) as const),
)

const anyEffect: fc.Arbitrary<Effect> = fc.oneof(
  setback,
  fc.constantFrom({ do: 'clear' } as const, { do: 'restore' } as const),
)

function reportFrom(issuedAt: fc.Arbitrary<number>): fc.Arbitrary<Report> {
  return fc.record({ effect: anyEffect, id: fc.constant(1), issuedAt })
}

/** A state that began at 900,000; the quarter of an hour to its early probe is not used up. */
const ailing = fc
  .record({ forMs: fc.constantFrom(...spans), strikes: fc.nat(4), why: reason, isSuspect: fc.boolean() })
  .map(({ forMs, strikes, why, isSuspect }) =>
    isSuspect
      ? suspectUntil(900_000 + forMs, { since: 900_000, strikes })
      : coolingUntil(900_000 + forMs, {
          since: 900_000,
          strikes,
          reason: why,
          probeAt: 900_000 + Math.min(forMs, settings.earlyProbeMs),
        }),
  )

const anyHealth: fc.Arbitrary<Health> = fc.oneof(
  fc.constant(pristine),
  ailing,
  ailing.map((was) => probingUntil(now + 60_000, was)),
  fc.constant({ state: 'needs-login', reason: 'refresh-rejected', since: 0 } as const),
)

function settleAll(health: Health, reports: readonly Report[]): Health {
  return reports.reduce(
    (state, { effect, ...blame }) => settle(state, effect, blame, { now, jitter: 0, settings }),
    health,
  )
}

describe('reports', () => {
  it('of leases from before end in the same state in any order', () => {
    const before = fc.integer({ min: 0, max: 900_000 })
    const reports = fc.array(reportFrom(before), { minLength: 2, maxLength: 6 })
    const orders = reports.chain((list) =>
      fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
    )
    fc.assert(
      fc.property(anyHealth, orders, (health, [serial, interleaved]) => {
        expect(settleAll(health, interleaved)).toEqual(settleAll(health, serial))
      }),
      { numRuns: 3_000 },
    )
  })

  it('of anybody but the probe never shorten, and late ones never do more than lengthen', () => {
    const issued = fc.oneof(fc.integer({ min: 0, max: now }), fc.constantFrom(899_999, 900_000, 900_001))
    fc.assert(
      fc.property(anyHealth, reportFrom(issued), (before, { effect, ...lease }) => {
        const after = settle(before, effect, lease, { now, jitter: 0, settings })
        checkSettled({ before, after, effect, lease })
      }),
      { numRuns: 3_000 },
    )
  })
})

/** A pool in which `elapsed` may be tested and everybody else is well. */
function recovering(size: number, elapsed: number): readonly Seat[] {
  const host = openGate('host', 'api.example')
  const terms = (index: number) => ({
    host,
    weight: 1 + (index % 3),
    ...(index === elapsed ? { health: coolingUntil(now) } : {}),
  })
  return Array.from({ length: size }, (_, index) => seatOf(`m${index}`, terms(index)))
}

describe('a member whose cooldown is over', () => {
  const size = 6
  const wish = (over: object = {}) => ({ model: null, tried: [], active: -1, degrade: false, ...over })

  it.each(['round-robin', 'least-loaded', 'weighted'] as const)('is tested within one round under %s', (strategy) => {
    fc.assert(
      fc.property(fc.nat(size - 1), fc.array(fc.nat(size - 1), { maxLength: 20 }), (elapsed, earlier) => {
        const seats = recovering(size, elapsed)
        const selectionIndex = new SelectionIndex(strategy, seats, now)
        for (const index of earlier.filter((one) => one !== elapsed)) {
          selectionIndex.begin(seats[index]!, now)
          selectionIndex.end(seats[index]!, now)
        }
        const round = seats.reduce((sum, seat) => sum + seat.weight, earlier.length)
        const rungs = Array.from({ length: round }, () => {
          const choice = select(selectionIndex, wish(), now)
          if (!('seat' in choice)) return choice.rung
          selectionIndex.begin(choice.seat, now)
          selectionIndex.end(choice.seat, now)
          return choice.rung
        })
        expect(rungs).toContain('probe')
      }),
      { numRuns: 100 },
    )
  })

  it.each(strategies)('is tested when it is needed under %s', (strategy) => {
    fc.assert(
      fc.property(fc.nat(size - 1), fc.nat(size - 1), (elapsed, active) => {
        const seats = recovering(size, elapsed)
        const tried = seats.filter((_, index) => index !== elapsed)
        const choice = select(new SelectionIndex(strategy, seats, now), wish({ active, tried }), now)
        expect(choice).toEqual({ rung: 'probe', seat: seats[elapsed] })
      }),
      { numRuns: 30 },
    )
  })

  it('is tested at once under ordered when it comes before the healthy', () => {
    const selectionIndex = new SelectionIndex('ordered', recovering(3, 0), now)
    expect(select(selectionIndex, wish(), now).rung).toBe('probe')
  })
})

describe('weighted', () => {
  it('gives each member its share of every round, to within one request', () => {
    const weights = fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(weights, fc.integer({ min: 1, max: 5 }), (of, rounds) => {
        const seats = of.map((weight, index) => seatOf(`m${index}`, { weight }))
        const selectionIndex = new SelectionIndex('weighted', seats, now)
        const served = seats.map(() => 0)
        for (let i = rounds * of.reduce((a, b) => a + b); i > 0; i--) {
          const choice = select(selectionIndex, { model: null, tried: [], active: -1, degrade: false }, now)
          if (!('seat' in choice)) throw new Error(choice.rung)
          selectionIndex.begin(choice.seat, now)
          served[choice.seat.index]!++
        }
        for (const [index, count] of served.entries())
          expect(Math.abs(count - rounds * of[index]!)).toBeLessThanOrEqual(1)
      }),
      { numRuns: 100 },
    )
  })
})
