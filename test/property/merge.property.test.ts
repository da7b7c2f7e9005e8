import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type Findings,
  type Health,
  healthOf,
  joined,
  noFindings,
  observed,
  type Reason,
  sameFindings,
} from '../../internal/pool/pool.ts'

const at = fc.nat(12)
const reason = fc.constantFrom<Reason>('rate-limited', 'quota', 'auth-rejected')
const health: fc.Arbitrary<Health> = fc.oneof(
  at.map((since) => ({ state: 'healthy', since }) as const),
  fc.tuple(reason, at, fc.nat(20), fc.nat(20), fc.nat(2)).map(([why, since, lasts, early, strikes]) => {
    const until = since + lasts
    return { state: 'cooling', reason: why, since, until, probeAt: Math.min(until, since + early), strikes } as const
  }),
  fc
    .tuple(reason, at, fc.nat(20), fc.nat(2))
    .map(
      ([why, since, lasts, strikes]) =>
        ({ state: 'suspect', reason: why, since, until: since + lasts, strikes }) as const,
    ),
  fc
    .tuple(fc.constantFrom('needs-login', 'unreadable'), reason, at)
    .map(([state, why, since]) => ({ state, reason: why, since }) as Health),
  fc
    .tuple(reason, at, fc.constantFrom('upstream', 'operator'))
    .map(([why, since, by]) => ({ state: 'disabled', reason: why, since, by }) as Health),
)
const findings = fc.array(health, { maxLength: 5 }).map((seen) => seen.reduce(observed, noFindings))

function expectSame(one: Findings, other: Findings): void {
  if (!sameFindings(one, other)) expect(one).toEqual(other)
}

describe('findings of several observers', () => {
  it('join in any order, in any grouping and any number of times to the same', () => {
    fc.assert(
      fc.property(findings, findings, findings, (one, two, three) => {
        expectSame(joined(one, two), joined(two, one))
        expectSame(joined(joined(one, two), three), joined(one, joined(two, three)))
        expectSame(joined(joined(one, two), two), joined(one, two))
        expectSame(joined(one, one), one)
      }),
      { numRuns: 2_000 },
    )
  })

  it('what an observer sees is what its findings amount to, and adds to what it knew', () => {
    fc.assert(
      fc.property(findings, health, (known, now) => {
        const next = observed(known, now)
        expectSame(joined(known, next), next)
        const shown = healthOf(next)
        expect(shown).toEqual('since' in shown && 'since' in now ? { ...now, since: shown.since } : now)
      }),
      { numRuns: 2_000 },
    )
  })

  it('replicas that have heard each other know the same, however late, often and disordered they heard', () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('see' as const), who: fc.nat(3), health }),
      fc.record({ do: fc.constant('hear' as const), who: fc.nat(3), which: fc.nat(99) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), fc.infiniteStream(fc.nat(99)), (steps, order) => {
        const replicas = [noFindings, noFindings, noFindings, noFindings]
        const told: Findings[] = []
        for (const each of steps) {
          const known = replicas[each.who]!
          if (each.do === 'see') {
            replicas[each.who] = observed(known, each.health)
            told.push(replicas[each.who]!)
          } else if (told.length > 0) replicas[each.who] = joined(known, told[each.which % told.length]!)
        }
        for (const who of replicas.keys()) {
          const late = told.map((each) => [order.next().value ?? 0, each] as const).sort(([a], [b]) => a - b)
          for (const [, each] of late) replicas[who] = joined(replicas[who]!, each)
        }
        for (const other of replicas) expectSame(other, replicas[0]!)
      }),
      { numRuns: 500 },
    )
  })
})
