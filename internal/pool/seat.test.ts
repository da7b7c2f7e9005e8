import { describe, expect, it } from 'vitest'
import {
  coolingUntil,
  parkedUntil,
  probingUntil,
  type SeatTerms,
  seatOf,
  suspectUntil,
} from '../../test/property/seats.ts'
import { openGate } from './gate.ts'
import {
  type Availability,
  availability,
  closedGates,
  earlyTestAt,
  isParked,
  nextChangeAt,
  recoversAt,
  servesModel,
} from './seat.ts'
import { disabled, needsLogin } from './transition.ts'

const now = 1_000
const never = Number.POSITIVE_INFINITY
const shut = coolingUntil(9_000, { probeAt: 2_000 })
const over = coolingUntil(now)
const out = needsLogin('refresh-rejected', 0)
const parked = parkedUntil(5_000)

function host(health = coolingUntil(3_000)) {
  return openGate('host', 'api.example', health)
}

function domain(health = coolingUntil(4_000)) {
  return openGate('domain', 'acme', health)
}

describe('isParked', () => {
  it.each([
    { name: 'no park', park: null, expected: false },
    { name: 'a park without an end', park: parkedUntil(null), expected: true },
    { name: 'a park that lasts', park: parkedUntil(now + 1), expected: true },
    { name: 'a park that ends now', park: parkedUntil(now), expected: false },
  ])('$name: $expected', ({ park, expected }) => {
    expect(isParked(park, now)).toBe(expected)
  })
})

describe('availability', () => {
  const rows: readonly { readonly name: string; readonly terms: SeatTerms; readonly stands: Availability }[] = [
    { name: 'nothing happened', terms: {}, stands: 'ready' },
    { name: 'the domain is open', terms: { domain: openGate('domain', 'acme') }, stands: 'ready' },
    { name: 'the cooldown is over', terms: { health: over }, stands: 'elapsed' },
    { name: 'the cooldown of the domain is over', terms: { domain: domain(over) }, stands: 'elapsed' },
    { name: 'the host may be tried again', terms: { host: host(over) }, stands: 'elapsed' },
    { name: 'it is parked', terms: { park: parked }, stands: 'parked' },
    { name: 'it is parked and its cooldown is over', terms: { park: parked, health: over }, stands: 'parked-elapsed' },
    { name: 'it cools', terms: { health: shut }, stands: 'shut' },
    { name: 'it cools and is parked', terms: { health: shut, park: parked }, stands: 'shut' },
    { name: 'it is suspect', terms: { health: suspectUntil(2_000) }, stands: 'shut' },
    { name: 'it is being tested', terms: { health: probingUntil(2_000) }, stands: 'shut' },
    { name: 'its domain cools', terms: { domain: domain() }, stands: 'shut' },
    { name: 'its host is away', terms: { host: host() }, stands: 'host' },
    { name: 'it is parked and its host is away', terms: { host: host(), park: parked }, stands: 'host' },
    { name: 'it cools and its host is away', terms: { health: shut, host: host() }, stands: 'shut' },
    { name: 'it needs a login', terms: { health: out, domain: domain() }, stands: 'out' },
    { name: 'its host is closed for good', terms: { host: openGate('host', 'api.example', out) }, stands: 'out' },
  ]
  it.each(rows)('$name: $stands', ({ terms, stands }) => {
    expect(availability(seatOf('a', terms), now)).toBe(stands)
  })

  it.each([
    { name: 'no limit of the family', model: 'haiku', stands: 'ready' },
    { name: 'a limit of the family', model: 'opus', stands: 'shut' },
    { name: 'a limit of the family that is over', model: 'sonnet', stands: 'elapsed' },
    { name: 'an unknown family', model: null, stands: 'ready' },
  ])('$name: $stands for that family', ({ model, stands }) => {
    const seat = seatOf('a', { models: { opus: shut, sonnet: over } })
    expect(availability(seat, now, model)).toBe(stands)
    expect(servesModel(seat, model, now)).toBe(stands !== 'shut')
  })
})

describe('recoversAt', () => {
  it.each([
    { name: 'a healthy seat has recovered', terms: {}, expected: 0 },
    { name: 'its own cooldown', terms: { health: shut }, expected: 9_000 },
    { name: 'the later one of its domain', terms: { health: over, domain: domain() }, expected: 4_000 },
    { name: 'the later one of its host', terms: { health: over, host: host() }, expected: 3_000 },
    { name: 'a person must act', terms: { health: out, host: host() }, expected: never },
  ])('$name: $expected', ({ terms, expected }) => {
    expect(recoversAt(seatOf('a', terms))).toBe(expected)
  })

  it('counts the limit of the family that is asked for', () => {
    const seat = seatOf('a', { health: coolingUntil(2_000), models: { opus: coolingUntil(7_000) } })
    expect([recoversAt(seat), recoversAt(seat, 'opus'), recoversAt(seat, 'haiku')]).toEqual([2_000, 7_000, 2_000])
  })
})

describe('earlyTestAt', () => {
  it.each([
    { name: 'its own early probe', terms: { health: shut }, expected: 2_000 },
    { name: 'not before its domain', terms: { health: shut, domain: domain() }, expected: 4_000 },
    { name: 'not before its host', terms: { health: shut, host: host() }, expected: 3_000 },
    { name: 'not while it is being tested', terms: { health: probingUntil(6_000, shut) }, expected: 9_000 },
  ])('$name: $expected', ({ terms, expected }) => {
    expect(earlyTestAt(seatOf('a', terms))).toBe(expected)
  })

  it('waits for the early probe of the family that is asked for', () => {
    const seat = seatOf('a', { models: { opus: shut } })
    expect([earlyTestAt(seat), earlyTestAt(seat, 'opus'), earlyTestAt(seat, 'haiku')]).toEqual([0, 2_000, 0])
  })
})

describe('nextChangeAt', () => {
  it.each([
    { name: 'nothing happened', terms: {}, expected: never },
    { name: 'everything is over', terms: { health: over, park: parkedUntil(now) }, expected: never },
    { name: 'only a person can help', terms: { health: disabled('operator', 'operator', 0) }, expected: never },
    { name: 'a park without an end', terms: { park: parkedUntil(null) }, expected: never },
    { name: 'its cooldown ends', terms: { health: shut }, expected: 9_000 },
    { name: 'the park ends first', terms: { health: shut, park: parked }, expected: 5_000 },
    { name: 'the cooldown of its domain ends first', terms: { health: shut, domain: domain() }, expected: 4_000 },
    { name: 'its host may be tried first', terms: { park: parked, host: host() }, expected: 3_000 },
    {
      name: 'the limit of a family ends first',
      terms: { park: parked, models: { opus: over, haiku: coolingUntil(1_500) } },
      expected: 1_500,
    },
  ])('$name: $expected', ({ terms, expected }) => {
    expect(nextChangeAt(seatOf('a', terms), now)).toBe(expected)
  })
})

describe('closedGates', () => {
  const terms = { health: over, domain: domain(), host: host(), models: { opus: shut } }
  it.each([
    {
      name: 'nobody of a seat that is well',
      seat: seatOf('a', { domain: openGate('domain', 'acme') }),
      model: 'opus',
      expected: [],
    },
    {
      name: 'all but the limits of models without a family',
      seat: seatOf('a', terms),
      model: null,
      expected: ['a', 'acme', 'api.example'],
    },
    {
      name: 'also the limit of the family',
      seat: seatOf('a', terms),
      model: 'opus',
      expected: ['a', 'acme', 'api.example', 'opus'],
    },
    {
      name: 'not the limit of another family',
      seat: seatOf('a', { models: { opus: shut } }),
      model: 'haiku',
      expected: [],
    },
  ])('$name', ({ seat, model, expected }) => {
    expect(closedGates(seat, model).map((gate) => gate.name)).toEqual(expected)
  })
})
