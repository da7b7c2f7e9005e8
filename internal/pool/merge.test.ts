import { describe, expect, test } from 'vitest'
import type { Cooling, Disabled, Health, NeedsLogin, Suspect } from './member.ts'
import {
  type CredentialFindings,
  type Findings,
  healthOf,
  joined,
  joinedCredential,
  noFindings,
  observed,
  sameFindings,
} from './merge.ts'

function cooling(since: number, until: number, more: Partial<Cooling> = {}): Cooling {
  return { state: 'cooling', reason: 'rate-limited', since, until, probeAt: until, strikes: 0, ...more }
}
function suspect(since: number, until: number): Suspect {
  return { state: 'suspect', reason: 'auth-rejected', since, until, strikes: 0 }
}
const needsLogin = (since: number): NeedsLogin => ({ state: 'needs-login', reason: 'refresh-rejected', since })
const disabled = (since: number, by: Disabled['by']): Disabled => ({ state: 'disabled', reason: 'operator', since, by })
const healthy = (since: number): Health => ({ state: 'healthy', since })

/** What an observer knows that has seen these healths, one after the other. */
const seen = (...healths: readonly Health[]): Findings => healths.reduce(observed, noFindings)

describe('two findings about one gate', () => {
  const probed: Health = { state: 'probing', lease: 7, leaseUntil: 99, was: cooling(10, 50) }
  const table: readonly (readonly [what: string, one: Findings, other: Findings, amount: Health])[] = [
    ['nothing and nothing', noFindings, noFindings, healthy(0)],
    ['the longer cooldown counts', seen(cooling(10, 50)), seen(cooling(20, 30)), cooling(10, 50)],
    [
      'of two that end together the one that is a cooldown',
      seen(suspect(10, 50)),
      seen(cooling(10, 50)),
      cooling(10, 50),
    ],
    [
      'an early test that is used up stays so',
      seen(cooling(10, 50)),
      seen(cooling(10, 50, { probeAt: 20 })),
      cooling(10, 50),
    ],
    ['a clearance ends what began before it', seen(cooling(10, 50)), seen(cooling(10, 50), healthy(15)), healthy(15)],
    ['and not what began after it', seen(cooling(20, 30)), seen(cooling(10, 50), healthy(15)), cooling(20, 30)],
    ['a probe under way says nothing yet', seen(probed), seen(suspect(11, 20)), cooling(10, 50)],
    ['who waits for a person is out', seen(cooling(20, 90)), seen(needsLogin(10)), needsLogin(10)],
    [
      "an operator's word is above a login's",
      seen(needsLogin(20)),
      seen(disabled(10, 'operator')),
      disabled(10, 'operator'),
    ],
    [
      "and above the upstream's",
      seen(disabled(20, 'upstream')),
      seen(disabled(10, 'operator')),
      disabled(10, 'operator'),
    ],
    [
      'a probe ends no word of a person',
      seen(cooling(5, 90), healthy(15)),
      seen(disabled(10, 'operator')),
      disabled(10, 'operator'),
    ],
    [
      'an operator who enables ends all before',
      seen(disabled(10, 'operator'), healthy(15)),
      seen(cooling(12, 90)),
      healthy(15),
    ],
  ]
  test.each(table)('%s', (_what, one, other, amount) => {
    expect(healthOf(joined(one, other))).toEqual(amount)
    expect(healthOf(joined(other, one))).toEqual(amount)
  })
})

describe('one observer', () => {
  test('its own probe may shorten a cooldown, which others then do not bring back', () => {
    const long = seen(cooling(10, 90))
    const short = observed(long, cooling(20, 30))
    expect(healthOf(joined(long, short))).toEqual(cooling(20, 30))
  })

  test('a probe that shortens within the same instant, or on a slow clock, is later all the same', () => {
    const long = seen(cooling(10, 90))
    expect(healthOf(joined(long, observed(long, cooling(10, 30))))).toEqual(cooling(11, 30))
    expect(healthOf(joined(long, observed(long, healthy(3))))).toEqual(healthy(10))
    const reopened = seen(disabled(10, 'operator'), healthy(15))
    expect(healthOf(observed(reopened, cooling(4, 90)))).toEqual(cooling(16, 90))
    expect(healthOf(observed(reopened, needsLogin(4)))).toEqual(needsLogin(16))
  })

  test('seeing the same again adds nothing', () => {
    const known = joined(seen(cooling(10, 90)), seen(cooling(20, 30)))
    expect(known.troubles).toHaveLength(2)
    expect(sameFindings(observed(known, cooling(10, 90)), known)).toBe(true)
  })

  test('worse is added to what is known', () => {
    expect(seen(cooling(10, 30), cooling(20, 90)).troubles).toEqual([cooling(20, 90)])
  })
})

test('findings are the same when they say the same', () => {
  const known = joined(seen(cooling(10, 90)), seen(cooling(20, 30)))
  const others: readonly [Findings, boolean][] = [
    [{ ...known, troubles: [...known.troubles].reverse() }, true],
    [{ ...known, clearedAt: 1 }, false],
    [{ ...known, openedAt: 1 }, false],
    [{ ...known, troubles: known.troubles.slice(1) }, false],
    [{ ...known, troubles: [cooling(10, 90), cooling(20, 31)] }, false],
  ]
  for (const [other, same] of others) expect(sameFindings(known, other)).toBe(same)
})

describe('findings about a credential', () => {
  const of = (generation: number, own: Findings, models: CredentialFindings['models'] = new Map()) => ({
    generation,
    own,
    models,
  })

  test('of a newer secret count, and those of the old one do not', () => {
    const old = of(1, seen(disabled(10, 'upstream')))
    const renewed = of(2, seen(healthy(5)))
    expect(joinedCredential(old, renewed)).toBe(renewed)
    expect(joinedCredential(renewed, old)).toBe(renewed)
  })

  test('of one secret are joined, each model for itself', () => {
    const one = of(1, seen(cooling(10, 90)), new Map([['opus', seen(cooling(10, 20))]]))
    const other = of(
      1,
      seen(cooling(20, 30)),
      new Map([
        ['opus', seen(healthy(15))],
        ['haiku', seen(cooling(1, 2))],
      ]),
    )
    const { own, models } = joinedCredential(one, other)
    expect(healthOf(own)).toEqual(cooling(10, 90))
    expect(healthOf(models.get('opus')!)).toEqual(healthy(15))
    expect(healthOf(models.get('haiku')!)).toEqual(cooling(1, 2))
  })
})
