import { cappedUntil } from './cap.ts'
import type { Health } from './member.ts'
import type { At } from './outcome.ts'
import { closedGates, isFull, isParked, type Seat } from './seat.ts'

/** How often a member whose end is far away may be tested, in ms. */
export interface FarProbeTerms {
  /** By an exhausted pool. */
  readonly earlyProbeMs: number
  /** Although others can serve. */
  readonly farProbeMs: number
  /** From 0 to 1, the same for one member: so that members are not tested all at once. */
  readonly spread: number
}

/** By how much of its length the time between two tests is spread at most. */
const spreadShare = 0.25

/**
 * When a request may test the seat although others can serve: `farProbeMs` after it was last refused or tested. Infinity: not
 * before its end, because that is nearer, or because something else keeps the seat from serving.
 */
export function farProbeAt(seat: Seat, terms: FarProbeTerms, now: At): At {
  if (seat.host.health.state !== 'healthy' || isParked(seat.park, now) || isFull(seat) || cappedUntil(seat) > now)
    return Number.POSITIVE_INFINITY
  const gates = closedGates(seat, null)
  const due = gates.map(({ health }) => dueAt(health, terms))
  return due.length === 0 ? Number.POSITIVE_INFINITY : Math.max(...due)
}

function dueAt(health: Health, { earlyProbeMs, farProbeMs, spread }: FarProbeTerms): At {
  if (health.state !== 'cooling') return Number.POSITIVE_INFINITY
  // An exhausted pool may test it so long after the latest refusal or test.
  const testedAt = health.probeAt - earlyProbeMs
  const due = testedAt + farProbeMs * (1 + spreadShare * spread)
  return due < health.until ? due : Number.POSITIVE_INFINITY
}
