import { type Gate, opensAt, type Passage, passage, recoveryAt, testableAt } from './gate.ts'
import type { Park } from './member.ts'
import type { At, ModelFamily } from './outcome.ts'

/** A credential's place in a pool: live facts that selection reads. */
export interface Seat {
  readonly member: string
  readonly credential: Gate
  readonly domain: Gate | null
  readonly host: Gate
  /** Limits of single model families, shared by all seats of the credential. */
  readonly models: Map<ModelFamily, Gate>
  readonly epoch: number
  weight: number
  park: Park | null
  /** Rank within its roster; owned by the roster. */
  index: number
  inFlight: number
  /** Grows with each use in the pool, so that the least recently used is the smallest. */
  lastUse: number
}

/**
 * Where a seat stands, for any model:
 * `ready` serves; `elapsed` may be tested; `parked` and `parked-elapsed` are the same behind an operator's park;
 * `shut` waits for a time; `host` is well but its host is not; `out` waits for a person.
 */
export type Standing = 'ready' | 'elapsed' | 'parked' | 'parked-elapsed' | 'shut' | 'host' | 'out'

/** Whether an operator has put the seat aside at `now`. */
export function isParked(park: Park | null, now: At): boolean {
  return park !== null && (park.until === null || park.until > now)
}

/** The one predicate of availability for a seat, leaving model limits aside. */
export function standing(seat: Seat, now: At): Standing {
  const own = worse(passage(seat.credential.health, now), seat.domain ? passage(seat.domain.health, now) : 'open')
  if (own === 'out' || own === 'shut') return own
  const host = passage(seat.host.health, now)
  if (host === 'shut' || host === 'out') return 'host'
  const tested = own === 'elapsed' || host === 'elapsed'
  if (isParked(seat.park, now)) return tested ? 'parked-elapsed' : 'parked'
  return tested ? 'elapsed' : 'ready'
}

/** Whether the seat can serve this model family now; an unknown family matches no limit. */
export function servesModel(seat: Seat, model: ModelFamily | null, now: At): boolean {
  if (model === null) return true
  const gate = seat.models.get(model)
  return gate === undefined || passage(gate.health, now) !== 'shut'
}

/** When a seat that is shut or behind its host may next be tried; Infinity when only a person can help. */
export function recoversAt(seat: Seat): At {
  const domain = seat.domain ? recoveryAt(seat.domain.health) : 0
  return Math.max(recoveryAt(seat.credential.health), domain, recoveryAt(seat.host.health))
}

/** When a seat's standing may change by itself, given that it stands so now; Infinity when it cannot. */
export function nextChangeAt(seat: Seat, now: At): At {
  let earliest = Number.POSITIVE_INFINITY
  for (const at of [
    opensAt(seat.credential.health),
    seat.domain ? opensAt(seat.domain.health) : 0,
    opensAt(seat.host.health),
    seat.park?.until ?? 0,
  ]) {
    if (at > now && at < earliest) earliest = at
  }
  return earliest
}

/** When an exhausted pool may test the seat ahead of its hint. */
export function earlyTestAt(seat: Seat): At {
  const domain = seat.domain ? testableAt(seat.domain.health) : 0
  return Math.max(testableAt(seat.credential.health), domain, opensAt(seat.host.health))
}

/** The gates that a lease on this seat would test: those that are not open. */
export function closedGates(seat: Seat, model: ModelFamily | null): readonly Gate[] {
  const gates: Gate[] = []
  for (const gate of [seat.credential, seat.domain, seat.host, model === null ? null : seat.models.get(model)]) {
    if (gate && gate.health.state !== 'healthy') gates.push(gate)
  }
  return gates
}

const order: Record<Passage, number> = { open: 0, elapsed: 1, shut: 2, out: 3 }

function worse(a: Passage, b: Passage): Passage {
  return order[a] >= order[b] ? a : b
}
