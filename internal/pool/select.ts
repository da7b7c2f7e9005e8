import type { Lane } from './lane.ts'
import type { At, ModelFamily } from './outcome.ts'
import type { Roster } from './roster.ts'
import { recoversAt, type Seat } from './seat.ts'
import { walk } from './strategy.ts'

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
  /** Members that are chosen only where no other one can serve. */
  readonly passedOver?: readonly Seat[]
  /** The rank of the sticky pointer, or -1. */
  readonly active: number
  /** `onExhausted: degrade`: rather somebody who is cooling than nobody. */
  readonly degrade: boolean
}

/** Who serves next, tier by tier (DESIGN, "Selection"). Brings the roster up to `now`, changes nothing else. */
export function select(roster: Roster, wish: Wish, now: At): Choice {
  const { passedOver = [] } = wish
  if (passedOver.length === 0) return selectAmong(roster, wish, now)
  const choice = selectAmong(roster, { ...wish, tried: [...wish.tried, ...passedOver] }, now)
  return isServing(choice.tier) ? choice : selectAmong(roster, wish, now)
}

/** Whether a member of that tier can serve, rather than being the last resort. */
export function isServing(tier: Choice['tier']): boolean {
  return tier === 'healthy' || tier === 'probe' || tier === 'parked' || tier === 'parked-probe'
}

function selectAmong(roster: Roster, wish: Wish, now: At): Choice {
  roster.advance(now)
  const { seats } = roster
  const lane = roster.lane(wish.model)
  const fits = (index: number): boolean => !wish.tried.includes(seats[index]!)
  const inTurn = lane.strategy.pick(lane.ready, wish.active, fits)
  if (inTurn >= 0) return { tier: lane.elapsed.has(inTurn) ? 'probe' : 'healthy', seat: seats[inTurn]! }
  const elapsed = walk(lane.elapsed, Math.max(wish.active, 0), fits)
  if (elapsed >= 0) return { tier: 'probe', seat: seats[elapsed]! }
  const parked = lane.parked.firstThat(fits)
  if (parked >= 0) return { tier: 'parked', seat: seats[parked]! }
  const parkedElapsed = walk(lane.parkedElapsed, 0, fits)
  if (parkedElapsed >= 0) return { tier: 'parked-probe', seat: seats[parkedElapsed]! }
  return nobody({ seats, lane, wish, fits }, now)
}

/** What the last tiers need to know. */
interface Search {
  readonly seats: readonly Seat[]
  readonly lane: Lane
  readonly wish: Wish
  readonly fits: (index: number) => boolean
}

function nobody(search: Search, now: At): Choice {
  const { seats, lane, wish, fits } = search
  const behindHost = lane.behindHost.firstThat(fits)
  if (behindHost >= 0) return hostAway(seats[behindHost]!, wish, now)
  if (wish.tried.some((seat) => canServe(lane, seat))) return { tier: 'tried' }
  // The request itself may be the one that found the host away.
  if (lane.behindHost.size > 0) return hostAway(seats[lane.behindHost.first]!, wish, now)
  const early = lane.early.firstThat(fits, now)
  if (early >= 0) return { tier: 'early-probe', seat: seats[early]! }
  const soonest = wish.degrade ? lane.waiting.firstThat(fits) : -1
  if (soonest >= 0) return { tier: 'degraded', seat: seats[soonest]! }
  const first = lane.waiting.size > 0 ? seats[lane.waiting.first]! : null
  return { tier: 'exhausted', retryAt: first && Math.max(recoversAt(first, wish.model), now), first }
}

function hostAway(seat: Seat, wish: Wish, now: At): Choice {
  return { tier: 'host', retryAt: Math.max(recoversAt(seat, wish.model), now), seat }
}

function canServe(lane: Lane, seat: Seat): boolean {
  const stands = lane.standing(seat)
  return stands === 'ready' || stands === 'elapsed' || stands === 'parked' || stands === 'parked-elapsed'
}
