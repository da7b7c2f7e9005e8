import type { Caps } from './cap.ts'
import type { Meter } from './foresight/usage.ts'
import { type Health, type Park, pristine } from './member.ts'
import type { At, ModelFamily } from './outcome.ts'

/** Whatever an upstream can close by itself: a credential, a quota domain, a host, or one model family of a credential. */
export interface Gate {
  readonly kind: 'credential' | 'domain' | 'host' | 'model'
  readonly name: string
  health: Health
  /** The seats that stand behind this gate and must be filed again when its health changes. */
  readonly seats: Set<Seat>
}

/** A credential's place in a pool: live facts that selection reads. */
export interface Seat {
  readonly member: string
  readonly credential: Gate
  readonly domain: Gate | null
  readonly host: Gate
  /** Limits of single model families, shared by all seats of the credential. */
  readonly models: Map<ModelFamily, Gate>
  /** What its upstream said of its limits, shared by all seats of the credential. */
  readonly meter: Meter
  readonly epoch: number
  weight: number
  /** Tier 1 comes before tier 2 in every rung of selection. */
  tier: number
  /** How many requests it may have under way; null: as many as come. */
  maxInFlight: number | null
  /** How far each of its windows may be used. */
  caps: Caps
  park: Park | null
  /** Rank within its selection index, which owns it. */
  index: number
  inFlight: number
  /** Grows with each use in the pool, so that the least recently used is the smallest. */
  lastUse: number
}

/** A gate that nothing has happened to yet. */
export function openGate(kind: Gate['kind'], name: string, health: Health = pristine): Gate {
  return { kind, name, health, seats: new Set() }
}

/** `elapsed`: its cooldown is over and one request may test it; `shut`: not before a time; `out`: not without a person. */
export type Passage = 'open' | 'elapsed' | 'shut' | 'out'

/** The one predicate of availability for a gate. */
export function passage(health: Health, now: At): Passage {
  switch (health.state) {
    case 'healthy':
      return 'open'
    case 'cooling':
    case 'suspect':
      return health.until <= now ? 'elapsed' : 'shut'
    case 'probing':
      return health.leaseUntil <= now ? passage(health.was, now) : 'shut'
    case 'needs-login':
    case 'unreadable':
    case 'disabled':
      return 'out'
  }
}

/** When a shut gate may be tested in its turn; one that is being tested, when that test has lost its right, too. */
export function opensAt(health: Health): At {
  switch (health.state) {
    case 'cooling':
    case 'suspect':
      return health.until
    case 'probing':
      return Math.max(health.leaseUntil, health.was.until)
    case 'healthy':
      return 0
    case 'needs-login':
    case 'unreadable':
    case 'disabled':
      return Number.POSITIVE_INFINITY
  }
}

/** When the gate is expected to open; one that is being tested is expected at once. */
export function recoveryAt(health: Health): At {
  return opensAt(health.state === 'probing' ? health.was : health)
}

/** When an otherwise exhausted pool may test the gate, at the earliest. */
export function testableAt(health: Health): At {
  return health.state === 'cooling' ? health.probeAt : opensAt(health)
}
