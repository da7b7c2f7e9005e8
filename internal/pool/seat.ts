export type { Seat } from './gate.ts'

import { cappedUntil } from './cap.ts'
import { expiresAt } from './expiry.ts'
import { type Gate, opensAt, type Passage, passage, recoveryAt, type Seat, testableAt } from './gate.ts'
import type { Health, Park } from './member.ts'
import type { At, ModelFamily } from './outcome.ts'

/**
 * Where a seat stands:
 * `ready` serves; `elapsed` may be tested; `parked` and `parked-elapsed` are the same behind an operator's park;
 * `full` is one of these with as many requests under way as it may have; `shut` waits for a time; `host` is well but its
 * host is not; `out` waits for a person.
 */
export type Availability = 'ready' | 'elapsed' | 'parked' | 'parked-elapsed' | 'full' | 'shut' | 'host' | 'out'

/** Whether the seat has as many requests under way as it may have. */
export function isFull({ inFlight, maxInFlight }: Seat): boolean {
  return maxInFlight !== null && inFlight >= maxInFlight
}

/** Whether an operator has put the seat aside at `now`. */
export function isParked(park: Park | null, now: At): boolean {
  return park !== null && (park.until === null || park.until > now)
}

/** The one predicate of availability for a seat, with the limits of `model`; an unknown family (null) has none. */
export function availability(seat: Seat, now: At, model: ModelFamily | null = null): Availability {
  const host = passage(seat.host.health, now)
  let own = passage(seat.credential.health, now)
  if (seat.domain) own = worse(own, passage(seat.domain.health, now))
  const limit = limitOf(seat, model)
  if (limit) own = worse(own, passage(limit.health, now))
  if (own === 'out' || host === 'out') return 'out'
  if (own === 'shut' || cappedUntil(seat) > now) return 'shut'
  if (host === 'shut') return 'host'
  if (isFull(seat)) return 'full'
  const tested = own === 'elapsed' || host === 'elapsed'
  if (isParked(seat.park, now)) return tested ? 'parked-elapsed' : 'parked'
  return tested ? 'elapsed' : 'ready'
}

/** Whether no limit of this model family keeps the seat from serving it now; an unknown family matches no limit. */
export function servesModel(seat: Seat, model: ModelFamily | null, now: At): boolean {
  const limit = limitOf(seat, model)
  return limit === undefined || passage(limit.health, now) !== 'shut'
}

/** When a seat that is shut or behind its host may next be tried; Infinity when only a person can help. */
export function recoversAt(seat: Seat, model: ModelFamily | null = null): At {
  return latest(seat, model, recoveryAt)
}

/** When an exhausted pool may test the seat ahead of its hint. */
export function earlyTestAt(seat: Seat, model: ModelFamily | null = null): At {
  return latest(seat, model, testableAt)
}

/** When a seat's availability, for whichever model, may change by itself, given that it stands so now; Infinity when it cannot. */
export function nextChangeAt(seat: Seat, now: At): At {
  let earliest = Number.POSITIVE_INFINITY
  const consider = (at: At): void => {
    if (at > now && at < earliest) earliest = at
  }
  consider(opensAt(seat.credential.health))
  consider(opensAt(seat.host.health))
  if (seat.domain) consider(opensAt(seat.domain.health))
  for (const gate of seat.models.values()) consider(opensAt(gate.health))
  if (seat.park?.until) consider(seat.park.until)
  consider(cappedUntil(seat))
  consider(expiresAt(seat.meter.windows, now))
  return earliest
}

/** The gates that a lease on this seat would test: those that are not open. */
export function closedGates(seat: Seat, model: ModelFamily | null): readonly Gate[] {
  const gates: Gate[] = []
  for (const gate of [seat.credential, seat.domain, seat.host, limitOf(seat, model)]) {
    if (gate && gate.health.state !== 'healthy') gates.push(gate)
  }
  return gates
}

function limitOf(seat: Seat, model: ModelFamily | null): Gate | undefined {
  return model === null ? undefined : seat.models.get(model)
}

function latest(seat: Seat, model: ModelFamily | null, instant: (health: Health) => At): At {
  const at = Math.max(instant(seat.credential.health), instant(seat.host.health))
  const ofDomain = seat.domain ? instant(seat.domain.health) : 0
  const limit = limitOf(seat, model)
  return Math.max(at, ofDomain, limit ? instant(limit.health) : 0, cappedUntil(seat))
}

const order: Record<Passage, number> = { open: 0, elapsed: 1, shut: 2, out: 3 }

function worse(a: Passage, b: Passage): Passage {
  return order[a] >= order[b] ? a : b
}
