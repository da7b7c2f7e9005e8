import { describe, expect, it } from 'vitest'
import {
  coolingUntil,
  parkedUntil,
  probingUntil,
  type SeatTerms,
  seatOf,
  suspectUntil,
} from '../../test/property/seats.ts'
import { farProbeAt } from './far-probe.ts'
import { openGate } from './gate.ts'
import { cooled, disabled } from './transition.ts'

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour
const never = Number.POSITIVE_INFINITY
const terms = { earlyProbeMs: 15 * minute, farProbeMs: 6 * hour, spread: 0 }
/** Refused at 0, or tested last at `testedAt`. */
const far = (until = 5 * day, testedAt = 0) => coolingUntil(until, { probeAt: testedAt + 15 * minute })
const domain = (health = far()) => openGate('domain', 'org', health)
const away = openGate('host', 'down.example', cooled('connect', 500, 0, 0))

describe('a member may be tested beside those that serve', () => {
  it.each<[string, SeatTerms, number]>([
    ['six hours after its refusal', { health: far() }, 6 * hour],
    ['six hours after its latest test', { health: far(5 * day, 7 * hour) }, 13 * hour],
    ['not when its end comes before', { health: far(6 * hour) }, never],
    ['not when it cools without being told until when', { health: coolingUntil(30 * minute) }, never],
    ['not when it is well', {}, never],
    ['not while it is tested', { health: probingUntil(hour, far()) }, never],
    ['not when its key is in doubt', { health: suspectUntil(5 * day) }, never],
    ['not when it waits for a person', { health: disabled('auth-rejected', 'upstream', 0) }, never],
    ['with its quota domain', { domain: domain() }, 6 * hour],
    ['when the later of both is due', { health: far(), domain: domain(far(5 * day, 2 * hour)) }, 8 * hour],
    ['not when its domain is over sooner', { health: far(), domain: domain(far(hour)) }, never],
    ['not when it is parked', { health: far(), park: parkedUntil(null) }, never],
    ['not when it is full', { health: far(), maxInFlight: 1, inFlight: 1 }, never],
    ['not when its host is away', { health: far(), host: away }, never],
    [
      'not when it is used as far as it may be',
      {
        health: far(),
        caps: { '7d': 60 },
        windows: [{ window: '7d', usedPercent: 70, resetAt: 6 * day, seenAt: 0, source: 'headers' }],
      },
      never,
    ],
  ])('%s', (_name, given, at) => {
    expect(farProbeAt(seatOf('a', given), terms, hour)).toBe(at)
  })

  it('up to a quarter later, so that not all are tested at once', () => {
    expect(farProbeAt(seatOf('a', { health: far() }), { ...terms, spread: 1 }, hour)).toBe(7.5 * hour)
  })
})
