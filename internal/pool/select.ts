import type { Bits } from './bits.ts'
import { opensAt } from './gate.ts'
import type { At, ModelFamily } from './outcome.ts'
import type { Roster } from './roster.ts'
import { recoversAt, type Seat, servesModel } from './seat.ts'

/** The tiers of selection, in order; `degraded` is the opt-in that sends to somebody who is cooling. */
export type Tier = 'healthy' | 'probe' | 'parked' | 'parked-probe' | 'early-probe' | 'degraded'

export type Choice =
  | { readonly tier: Tier; readonly seat: Seat }
  /** Nobody can serve; `retryAt` null when only a person can change that. */
  | { readonly tier: 'exhausted'; readonly retryAt: At | null; readonly first: Seat | null }
  /** Somebody could serve, were it not for unreachable hosts. */
  | { readonly tier: 'host'; readonly retryAt: At; readonly seat: Seat }
  /** Those who can serve have all been tried by this request. */
  | { readonly tier: 'tried' }

/** What a request brings to its selection. */
export interface Wish {
  readonly model: ModelFamily | null
  /** Members that this request has met already; none of them is chosen again. */
  readonly tried: readonly Seat[]
  /** The rank of the sticky pointer, or -1. */
  readonly active: number
  /** `onExhausted: degrade`: rather somebody who is cooling than nobody. */
  readonly degrade: boolean
}

/** Who serves next, tier by tier (DESIGN, "Selection"). Brings the roster up to `now`, changes nothing else. */
export function select(roster: Roster, wish: Wish, now: At): Choice {
  roster.advance(now)
  const { seats } = roster
  const fits = (index: number): boolean => {
    const seat = seats[index]!
    return !wish.tried.includes(seat) && servesModel(seat, wish.model, now)
  }
  const healthy = roster.strategy.pick(roster.ready, wish.active, fits)
  if (healthy >= 0) {
    const seat = seats[healthy]!
    return { tier: roster.standing(seat) === 'elapsed' ? 'probe' : 'healthy', seat }
  }
  const elapsed = firstBit(roster.elapsed, fits)
  if (elapsed >= 0) return { tier: 'probe', seat: seats[elapsed]! }
  const parked = roster.parked.firstThat(fits)
  if (parked >= 0) return { tier: 'parked', seat: seats[parked]! }
  const parkedElapsed = firstBit(roster.parkedElapsed, fits)
  if (parkedElapsed >= 0) return { tier: 'parked-probe', seat: seats[parkedElapsed]! }
  return nobody(roster, wish, now, fits)
}

function nobody(roster: Roster, wish: Wish, now: At, fits: (index: number) => boolean): Choice {
  const { seats } = roster
  if (roster.behindHost.count > 0) {
    const index = roster.waiting.firstThat((at) => roster.behindHost.has(at) && fits(at))
    if (index >= 0) return { tier: 'host', retryAt: recoversAt(seats[index]!), seat: seats[index]! }
  }
  if (wish.tried.some((seat) => canServe(roster, seat) && servesModel(seat, wish.model, now))) return { tier: 'tried' }
  const early = roster.early.firstThat((index) => roster.early.key(index) <= now && fits(index))
  if (early >= 0 && roster.early.key(early) <= now) return { tier: 'early-probe', seat: seats[early]! }
  if (wish.degrade) {
    const soonest = roster.waiting.firstThat((index) => !wish.tried.includes(seats[index]!))
    if (soonest >= 0) return { tier: 'degraded', seat: seats[soonest]! }
  }
  return exhausted(roster, wish, now)
}

function firstBit(bits: Bits, fits: (index: number) => boolean): number {
  let at = bits.from(0)
  while (at >= 0 && !fits(at)) at = bits.from(at + 1)
  return at
}

function canServe(roster: Roster, seat: Seat): boolean {
  const stands = roster.standing(seat)
  return stands === 'ready' || stands === 'elapsed' || stands === 'parked' || stands === 'parked-elapsed'
}

function exhausted(roster: Roster, wish: Wish, now: At): Choice {
  const waiting = roster.waiting.first
  let first = waiting >= 0 ? roster.seats[waiting]! : null
  let retryAt = first ? recoversAt(first) : Number.POSITIVE_INFINITY
  if (wish.model !== null) {
    for (const seat of roster.seats) {
      const gate = seat.models.get(wish.model)
      if (!gate || !canServe(roster, seat) || servesModel(seat, wish.model, now)) continue
      const at = opensAt(gate.health)
      if (at < retryAt) {
        retryAt = at
        first = seat
      }
    }
  }
  return {
    tier: 'exhausted',
    retryAt: first && retryAt < Number.POSITIVE_INFINITY ? Math.max(retryAt, now) : null,
    first,
  }
}
