import { describe, expect, it } from 'vitest'
import { coolingUntil, probingUntil, suspectUntil } from '../../test/property/seats.ts'
import { openGate, opensAt, passage, recoveryAt, testableAt } from './gate.ts'
import { type Health, pristine } from './member.ts'
import { disabled, needsLogin, unreadable } from './transition.ts'

const now = 1_000
const never = Number.POSITIVE_INFINITY

interface Row {
  readonly name: string
  readonly health: Health
  readonly passage: ReturnType<typeof passage>
  readonly opens: number
  readonly recovers: number
  readonly testable: number
}

const rows: readonly Row[] = [
  { name: 'healthy', health: pristine, passage: 'open', opens: 0, recovers: 0, testable: 0 },
  {
    name: 'cooling with a far hint',
    health: coolingUntil(9_000, { probeAt: 2_000 }),
    passage: 'shut',
    opens: 9_000,
    recovers: 9_000,
    testable: 2_000,
  },
  {
    name: 'cooling until this very instant',
    health: coolingUntil(now),
    passage: 'elapsed',
    opens: now,
    recovers: now,
    testable: now,
  },
  { name: 'suspect', health: suspectUntil(1_001), passage: 'shut', opens: 1_001, recovers: 1_001, testable: 1_001 },
  { name: 'suspected before', health: suspectUntil(900), passage: 'elapsed', opens: 900, recovers: 900, testable: 900 },
  {
    name: 'being tested after its cooldown',
    health: probingUntil(5_000, coolingUntil(800)),
    passage: 'shut',
    opens: 5_000,
    recovers: 800,
    testable: 5_000,
  },
  {
    name: 'tested by a lease that has lost its right',
    health: probingUntil(now, coolingUntil(800)),
    passage: 'elapsed',
    opens: now,
    recovers: 800,
    testable: now,
  },
  {
    name: 'tested ahead of its hint by a lease that has lost its right',
    health: probingUntil(now, coolingUntil(9_000, { probeAt: 950 })),
    passage: 'shut',
    opens: 9_000,
    recovers: 9_000,
    testable: 9_000,
  },
  {
    name: 'waiting for a login',
    health: needsLogin('refresh-rejected', 0),
    passage: 'out',
    opens: never,
    recovers: never,
    testable: never,
  },
  {
    name: 'a secret that cannot be read',
    health: unreadable(0),
    passage: 'out',
    opens: never,
    recovers: never,
    testable: never,
  },
  {
    name: 'disabled',
    health: disabled('operator', 'operator', 0),
    passage: 'out',
    opens: never,
    recovers: never,
    testable: never,
  },
]

describe('a gate', () => {
  it.each(rows)('that is $name is $passage', ({ health, ...expected }) => {
    expect(passage(health, now)).toBe(expected.passage)
    expect(opensAt(health)).toBe(expected.opens)
    expect(recoveryAt(health)).toBe(expected.recovers)
    expect(testableAt(health)).toBe(expected.testable)
  })

  it('is open and without seats when nothing has happened to it', () => {
    expect(openGate('domain', 'acme')).toEqual({ kind: 'domain', name: 'acme', health: pristine, seats: new Set() })
  })

  it('opens with the health that it is given', () => {
    expect(openGate('host', 'api.example', coolingUntil(9_000)).health).toEqual(coolingUntil(9_000))
  })
})
