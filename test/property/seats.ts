import {
  type At,
  type Caps,
  type Cooling,
  cooled,
  type Gate,
  type Health,
  type ModelFamily,
  openGate,
  type Park,
  type Probing,
  pristine,
  type Seat,
  type Suspect,
  type Usage,
} from '../../internal/pool/pool.ts'

/** The settings that docs/interface.md, "Configuration" gives as defaults. */
export const settings = {
  rateLimitedMs: 60_000,
  authMs: 300_000,
  maxMs: 1_800_000,
  earlyProbeMs: 900_000,
  farProbeMs: 21_600_000,
}

/** What a test says of a seat; what it leaves out is well and shared with nobody. */
export interface SeatTerms {
  readonly health?: Health
  readonly domain?: Gate | null
  readonly host?: Gate
  readonly models?: Readonly<Record<ModelFamily, Health>>
  readonly weight?: number
  readonly tier?: number
  readonly maxInFlight?: number | null
  readonly caps?: Caps
  readonly park?: Park | null
  readonly inFlight?: number
  readonly lastUse?: number
  readonly windows?: readonly Usage[]
}

/** A seat named `member`, entered with all its gates. */
export function seatOf(member: string, terms: SeatTerms = {}): Seat {
  const models = new Map<ModelFamily, Gate>()
  for (const [model, health] of Object.entries(terms.models ?? {})) models.set(model, openGate('model', model, health))
  const seat: Seat = {
    member,
    credential: openGate('credential', member, terms.health ?? pristine),
    domain: terms.domain ?? null,
    host: terms.host ?? openGate('host', 'api.example'),
    models,
    meter: { windows: terms.windows ?? [] },
    epoch: 1,
    weight: terms.weight ?? 1,
    tier: terms.tier ?? 1,
    maxInFlight: terms.maxInFlight ?? null,
    caps: terms.caps ?? {},
    park: terms.park ?? null,
    index: 0,
    inFlight: terms.inFlight ?? 0,
    lastUse: terms.lastUse ?? 0,
  }
  for (const gate of [seat.credential, seat.domain, seat.host, ...models.values()]) gate?.seats.add(seat)
  return seat
}

/** Cooling from 0 until `until`; an exhausted pool may test it at `probeAt` (when it ends, unless given). */
export function coolingUntil(until: At, terms: Partial<Cooling> = {}): Cooling {
  return { ...cooled('rate-limited', until, 0, 0), ...terms }
}

/** Suspect from 0 until `until`. */
export function suspectUntil(until: At, terms: Partial<Suspect> = {}): Suspect {
  return { state: 'suspect', reason: 'auth-rejected', since: 0, until, strikes: 0, ...terms }
}

/** Tested by lease 7 until `leaseUntil`. */
export function probingUntil(leaseUntil: At, was: Cooling | Suspect = coolingUntil(0)): Probing {
  return { state: 'probing', lease: 7, leaseUntil, was }
}

/** Parked by an operator until `until`; null is until further notice. */
export function parkedUntil(until: At | null): Park {
  return { until, by: 'operator:test', since: 0 }
}
