import { describe, expect, it } from 'vitest'
import { coolingUntil, probingUntil, settings, suspectUntil } from '../../test/property/seats.ts'
import type { Cooling, Health } from './member.ts'
import { type Outcome, type OutcomeKind, outcomeKinds } from './outcome.ts'
import {
  type Blame,
  cooled,
  disabled,
  type Effect,
  effectOf,
  needsLogin,
  recovered,
  settle,
  startProbe,
  unreadable,
} from './transition.ts'

const now = 1_000_000
const at = { now, jitter: 0, settings }
const clear: Effect = { do: 'clear' }
const restore: Effect = { do: 'restore' }
const suspect: Effect = { do: 'suspect', reason: 'auth-rejected' }
/** Issued just before now, by nobody who tests. */
const fresh: Blame = { id: 1, issuedAt: now - 1 }
const ofProbe: Blame = { id: 7, issuedAt: now - 500 }

function cool(terms: Partial<Extract<Effect, { do: 'cool' }>> = {}): Effect {
  return { do: 'cool', reason: 'rate-limited', until: null, forMs: null, ...terms }
}

function issued(issuedAt: number): Blame {
  return { id: 1, issuedAt }
}

function outcome(kind: OutcomeKind, terms: Partial<Outcome> = {}): Outcome {
  const plain = { status: 429, evidence: 'strong', scope: 'member', model: null } as const
  return { kind, reason: 'rate-limited', until: null, forMs: null, cools: true, ...plain, ...terms }
}

/** Cooling since `since` for `forMs`, as a first refusal without a hint leaves it. */
function coolingSince(since: number, forMs: number, terms: Partial<Cooling> = {}): Cooling {
  return { ...cooled('rate-limited', forMs, 0, since), ...terms }
}

describe('effectOf', () => {
  it.each([
    { kind: 'success', effect: clear },
    { kind: 'request-fault', effect: clear },
    { kind: 'rate-limited', effect: cool() },
    { kind: 'quota-exhausted', effect: cool() },
    { kind: 'auth-rejected', effect: { do: 'suspect', reason: 'rate-limited' } },
    { kind: 'auth-expired', effect: restore },
    { kind: 'overloaded', effect: restore },
    { kind: 'upstream-error', effect: restore },
    { kind: 'infra', effect: restore },
    { kind: 'egress-blocked', effect: restore },
    { kind: 'client-gone', effect: restore },
  ] as const)('$kind → $effect.do', ({ kind, effect }) => {
    expect(effectOf(outcome(kind))).toEqual(effect)
  })

  it('keeps reason, hint and length of a refusal', () => {
    const refused = outcome('quota-exhausted', { reason: 'plan', until: 5, forMs: 6 })
    expect(effectOf(refused)).toEqual(cool({ reason: 'plan', until: 5, forMs: 6 }))
  })

  it.each(outcomeKinds)('%s that is to leave the member alone cools nobody', (kind) => {
    expect(['clear', 'restore']).toContain(effectOf(outcome(kind, { cools: false })).do)
  })
})

interface Row {
  readonly name: string
  readonly health: Health
  readonly effect: Effect
  readonly blame?: Blame
  readonly after: Health
}

function settles(rows: readonly Row[]): void {
  it.each(rows)('$name', ({ health, effect, blame, after }) => {
    expect(settle(health, effect, blame ?? fresh, at)).toEqual(after)
  })
}

function keeps(rows: readonly Omit<Row, 'after'>[]): void {
  it.each(rows)('$name: nothing changes', ({ health, effect, blame }) => {
    expect(settle(health, effect, blame ?? fresh, at)).toBe(health)
  })
}

describe('settle on a healthy gate', () => {
  const health = recovered(now - 10_000)
  settles([
    {
      name: 'a refusal with a hint cools until the hint',
      health,
      effect: cool({ until: now + 5_000 }),
      after: coolingSince(now, 5_000),
    },
    {
      name: 'a far hint may be tested early after a quarter of an hour',
      health,
      effect: cool({ reason: 'quota', until: now + 86_400_000 }),
      after: coolingSince(now, 86_400_000, { reason: 'quota', probeAt: now + 900_000 }),
    },
    { name: 'a refusal without a hint cools for 60 s', health, effect: cool(), after: coolingSince(now, 60_000) },
    {
      name: 'a hint that is over counts as none',
      health,
      effect: cool({ until: now }),
      after: coolingSince(now, 60_000),
    },
    {
      name: 'a refusal with a length of its own cools for that long',
      health,
      effect: cool({ forMs: 5_000 }),
      after: coolingSince(now, 5_000),
    },
    {
      name: 'an auth rejection makes a suspect for 300 s',
      health,
      effect: suspect,
      after: suspectUntil(now + 300_000, { since: now }),
    },
    {
      name: 'a lease issued at the very instant of the recovery counts',
      health,
      effect: cool(),
      blame: issued(now - 10_000),
      after: coolingSince(now, 60_000),
    },
  ])
  keeps([
    { name: 'a success', health, effect: clear },
    { name: 'an answer that says nothing', health, effect: restore },
    { name: 'a refusal of a lease from before the recovery', health, effect: cool(), blame: issued(now - 10_001) },
  ])

  it('moves a hint by the jitter', () => {
    const after = settle(health, cool({ until: now + 10_000 }), fresh, { ...at, jitter: 0.5 })
    expect(after).toEqual(coolingSince(now, 10_250))
  })
})

describe('settle on a cooling gate', () => {
  const since = now - 30_000
  const health = coolingSince(since, 60_000)
  const late = issued(since)
  settles([
    {
      name: 'a late refusal with a longer hint lengthens, without a strike',
      health,
      effect: cool({ reason: 'quota', until: now + 120_000 }),
      blame: late,
      after: coolingSince(since, 150_000, { reason: 'quota' }),
    },
    {
      name: 'a late refusal counts its own length from the beginning of the cooldown',
      health,
      effect: cool({ reason: 'plan', forMs: 3_600_000 }),
      blame: late,
      after: coolingSince(since, 3_600_000, { reason: 'plan', probeAt: since + 900_000 }),
    },
    {
      name: 'of two that end together the reason does not depend on the order',
      health,
      effect: cool({ reason: 'burst', forMs: 60_000 }),
      blame: late,
      after: coolingSince(since, 60_000, { reason: 'burst' }),
    },
    {
      name: 'a late auth rejection suspects for as long as the suspicion outlasts the cooldown',
      health,
      effect: suspect,
      blame: late,
      after: suspectUntil(since + 300_000, { since }),
    },
    {
      name: 'a refusal of a lease that was issued during the cooldown is a strike',
      health,
      effect: cool(),
      after: coolingSince(now, 120_000, { strikes: 1 }),
    },
    {
      name: 'a strike with a shorter hint shortens nothing',
      health: coolingSince(since, 3_600_000, { reason: 'quota', probeAt: since + 900_000 }),
      effect: cool({ until: now + 5_000 }),
      after: {
        ...coolingSince(since, 3_600_000, { reason: 'quota', probeAt: since + 900_000 }),
        since: now,
        strikes: 1,
      },
    },
    {
      name: 'a strike that lengthens defers the early probe',
      health: coolingSince(since, 3_600_000, { reason: 'quota', probeAt: since + 900_000 }),
      effect: cool({ reason: 'quota', until: now + 7_200_000 }),
      after: coolingSince(now, 7_200_000, { reason: 'quota', probeAt: now + 900_000, strikes: 1 }),
    },
  ])
  keeps([
    { name: 'a success that is no probe', health, effect: clear },
    { name: 'an answer that says nothing', health, effect: restore },
    { name: 'a late refusal with a shorter hint', health, effect: cool({ until: now + 1_000 }), blame: late },
    { name: 'a late refusal that ends together, for the same reason', health, effect: cool(), blame: late },
    {
      name: 'a late refusal that ends together, for a reason later in the alphabet',
      health,
      effect: cool({ reason: 'slow-down' }),
      blame: late,
    },
    {
      name: 'a late auth rejection whose suspicion would be over before the cooldown',
      health: coolingSince(since, 3_600_000),
      effect: suspect,
      blame: late,
    },
    {
      name: 'a late auth rejection whose suspicion ends together with the cooldown',
      health: coolingSince(since, 300_000),
      effect: suspect,
      blame: late,
    },
  ])

  it('counts one strike for all leases that were in flight together', () => {
    const leases = [issued(now - 3), issued(now - 2), issued(now - 1)]
    const after = leases.reduce<Health>((state, blame) => settle(state, cool(), blame, at), health)
    expect(after).toEqual(coolingSince(now, 120_000, { strikes: 1 }))
  })

  it('leaves an early probe that has been used up used up', () => {
    const tested = coolingSince(since, 86_400_000, { probeAt: now + 890_000 })
    const after = settle(tested, cool({ until: now + 90_000_000 }), late, at)
    expect(after).toMatchObject({ until: now + 90_000_000, probeAt: now + 890_000 })
  })
})

describe('settle on a suspect', () => {
  const since = now - 30_000
  const health = suspectUntil(since + 300_000, { since })
  settles([
    {
      name: 'a refusal that lasts longer cools instead',
      health,
      effect: cool({ reason: 'quota', until: now + 3_600_000 }),
      blame: issued(since),
      after: coolingSince(since, 3_630_000, { reason: 'quota', probeAt: since + 900_000 }),
    },
    {
      name: 'a refusal that ends together cools instead',
      health,
      effect: cool({ forMs: 300_000 }),
      blame: issued(since),
      after: coolingSince(since, 300_000),
    },
    {
      name: 'a rejection for another reason is named in the order of the alphabet',
      health,
      effect: { do: 'suspect', reason: 'account-closed' },
      blame: issued(since),
      after: { ...health, reason: 'account-closed' },
    },
    {
      name: 'a rejection of a lease that was issued during the suspicion is a strike',
      health,
      effect: suspect,
      after: suspectUntil(now + 600_000, { since: now, strikes: 1 }),
    },
    {
      name: 'a short refusal of a lease that was issued during the suspicion is a strike and shortens nothing',
      health,
      effect: cool({ forMs: 1_000 }),
      after: { ...health, since: now, strikes: 1 },
    },
  ])
  keeps([
    { name: 'a success that is no probe', health, effect: clear },
    { name: 'a late refusal that is over before', health, effect: cool(), blame: issued(since) },
    { name: 'a late rejection', health, effect: suspect, blame: issued(since) },
  ])
})

describe('settle on a gate that is being tested', () => {
  const was = coolingUntil(now - 1_000, { strikes: 2 })
  const health = probingUntil(now + 60_000, was)
  const suspected = suspectUntil(now - 1_000, { strikes: 1 })
  settles([
    { name: 'the success of the probe heals', health, effect: clear, blame: ofProbe, after: recovered(now) },
    {
      name: 'the same refusal cools again, longer',
      health,
      effect: cool(),
      blame: ofProbe,
      after: coolingSince(now, 480_000, { strikes: 3 }),
    },
    {
      name: 'a rejection of a suspect doubles the suspicion',
      health: probingUntil(now + 60_000, suspected),
      effect: suspect,
      blame: ofProbe,
      after: suspectUntil(now + 1_200_000, { since: now, strikes: 2 }),
    },
    {
      name: 'a rejection after a cooldown is a first suspicion',
      health,
      effect: suspect,
      blame: ofProbe,
      after: suspectUntil(now + 300_000, { since: now }),
    },
    {
      name: 'a refusal after a suspicion is a first cooldown',
      health: probingUntil(now + 60_000, suspected),
      effect: cool(),
      blame: ofProbe,
      after: coolingSince(now, 60_000),
    },
    {
      name: 'the same refusal of an early probe without a hint lets the end stand that was promised',
      health: probingUntil(now + 60_000, coolingUntil(now + 86_400_000)),
      effect: cool(),
      blame: ofProbe,
      after: { ...coolingSince(now, 86_400_000, { strikes: 1 }), probeAt: now + 900_000 },
    },
    {
      name: 'another refusal of an early probe replaces the end that was promised',
      health: probingUntil(now + 60_000, coolingUntil(now + 86_400_000)),
      effect: cool({ reason: 'plan' }),
      blame: ofProbe,
      after: coolingSince(now, 120_000, { reason: 'plan', strikes: 1 }),
    },
    {
      name: 'the refusal of an early probe replaces the hint, also with a shorter one',
      health: probingUntil(now + 60_000, coolingUntil(now + 86_400_000)),
      effect: cool({ until: now + 10_000 }),
      blame: ofProbe,
      after: coolingSince(now, 10_000, { strikes: 1 }),
    },
    {
      name: 'a late refusal of another lease lengthens what the probe may give back',
      health,
      effect: cool({ until: now + 90_000 }),
      blame: issued(0),
      after: { ...health, was: { ...was, until: now + 90_000, probeAt: was.probeAt } },
    },
  ])
  keeps([
    { name: 'the success of another lease', health, effect: clear },
    { name: 'an answer of another lease that says nothing', health, effect: restore },
    { name: 'a late refusal of another lease that is over', health, effect: cool(), blame: issued(0) },
  ])

  it.each([{ was }, { was: suspected }])('an answer of the probe that says nothing gives back $was.state', (before) => {
    const health = probingUntil(now + 60_000, before.was)
    expect(settle(health, restore, ofProbe, at)).toBe(before.was)
  })

  it('the probe still counts when its lease has run out and nobody has taken its right', () => {
    expect(settle(probingUntil(now - 1, was), clear, ofProbe, at)).toEqual(recovered(now))
  })
})

describe('settle on a gate that waits for a person', () => {
  const closed = [needsLogin('refresh-rejected', 0), unreadable(0), disabled('auth-rejected', 'upstream', 0)]
  const effects = [clear, restore, suspect, cool({ until: now + 1 })]
  keeps(
    closed.flatMap((health) => effects.map((effect) => ({ name: `${health.state}, ${effect.do}`, health, effect }))),
  )
})

describe('startProbe', () => {
  it.each([
    { name: 'a cooldown that is over', was: coolingUntil(now), after: coolingUntil(now) },
    { name: 'a suspicion', was: suspectUntil(now), after: suspectUntil(now) },
    {
      name: 'a far hint, whose next early probe is a quarter of an hour away',
      was: coolingUntil(now + 86_400_000, { probeAt: now }),
      after: coolingUntil(now + 86_400_000, { probeAt: now + 900_000 }),
    },
    {
      name: 'a hint that ends before the next early probe would be due',
      was: coolingUntil(now + 1_000, { probeAt: now }),
      after: coolingUntil(now + 1_000),
    },
  ])('remembers $name', ({ was, after }) => {
    const expected = { state: 'probing', lease: 7, leaseUntil: now + 60_000, was: after }
    expect(startProbe(was, 7, now + 60_000, at)).toEqual(expected)
  })
})

describe('states that somebody sets', () => {
  it.each([
    { name: 'recovered', health: recovered(now), expected: { state: 'healthy', since: now } },
    {
      name: 'needsLogin',
      health: needsLogin('refresh-rejected', now),
      expected: { state: 'needs-login', reason: 'refresh-rejected', since: now },
    },
    {
      name: 'unreadable',
      health: unreadable(now),
      expected: { state: 'unreadable', reason: 'unreadable', since: now },
    },
    {
      name: 'disabled',
      health: disabled('operator', 'operator', now),
      expected: { state: 'disabled', reason: 'operator', since: now, by: 'operator' },
    },
    {
      name: 'cooled',
      health: cooled('outlier', 60_000, 2, now),
      expected: {
        state: 'cooling',
        reason: 'outlier',
        since: now,
        until: now + 60_000,
        probeAt: now + 60_000,
        strikes: 2,
      },
    },
  ])('$name', ({ health, expected }) => {
    expect(health).toEqual(expected)
  })
})
