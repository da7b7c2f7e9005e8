import type { FamilyIndex } from './family-index.ts'
import type { At, ModelFamily } from './outcome.ts'
import { recoversAt, type Seat } from './seat.ts'
import type { SelectionIndex } from './selection-index.ts'
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

/** Who serves next, tier by tier (docs/failover.md, "Selection"). Brings the selection index up to `now`, changes nothing else. */
export function select(selectionIndex: SelectionIndex, wish: Wish, now: At): Choice {
  const { passedOver = [] } = wish
  if (passedOver.length === 0) return selectAmong(selectionIndex, wish, now)
  const choice = selectAmong(selectionIndex, { ...wish, tried: [...wish.tried, ...passedOver] }, now)
  return isServing(choice.tier) ? choice : selectAmong(selectionIndex, wish, now)
}

/** Whether a member of that tier can serve, rather than being the last resort. */
export function isServing(tier: Choice['tier']): boolean {
  return tier === 'healthy' || tier === 'probe' || tier === 'parked' || tier === 'parked-probe'
}

function selectAmong(selectionIndex: SelectionIndex, wish: Wish, now: At): Choice {
  selectionIndex.advance(now)
  const { seats } = selectionIndex
  const familyIndex = selectionIndex.familyIndex(wish.model)
  const fits = (index: number): boolean => !wish.tried.includes(seats[index]!)
  const inTurn = familyIndex.strategy.pick(familyIndex.ready, wish.active, fits)
  if (inTurn >= 0) return { tier: familyIndex.elapsed.has(inTurn) ? 'probe' : 'healthy', seat: seats[inTurn]! }
  const elapsed = walk(familyIndex.elapsed, Math.max(wish.active, 0), fits)
  if (elapsed >= 0) return { tier: 'probe', seat: seats[elapsed]! }
  const parked = familyIndex.parked.firstThat(fits)
  if (parked >= 0) return { tier: 'parked', seat: seats[parked]! }
  const parkedElapsed = walk(familyIndex.parkedElapsed, 0, fits)
  if (parkedElapsed >= 0) return { tier: 'parked-probe', seat: seats[parkedElapsed]! }
  return nobody({ seats, familyIndex, wish, fits }, now)
}

/** What the last tiers need to know. */
interface Search {
  readonly seats: readonly Seat[]
  readonly familyIndex: FamilyIndex
  readonly wish: Wish
  readonly fits: (index: number) => boolean
}

function nobody(search: Search, now: At): Choice {
  const { seats, familyIndex, wish, fits } = search
  const behindHost = familyIndex.behindHost.firstThat(fits)
  if (behindHost >= 0) return hostAway(seats[behindHost]!, wish, now)
  if (wish.tried.some((seat) => canServe(familyIndex, seat))) return { tier: 'tried' }
  // The request itself may be the one that found the host away.
  if (familyIndex.behindHost.size > 0) return hostAway(seats[familyIndex.behindHost.first]!, wish, now)
  const early = familyIndex.early.firstThat(fits, now)
  if (early >= 0) return { tier: 'early-probe', seat: seats[early]! }
  const soonest = wish.degrade ? familyIndex.waiting.firstThat(fits) : -1
  if (soonest >= 0) return { tier: 'degraded', seat: seats[soonest]! }
  const first = familyIndex.waiting.size > 0 ? seats[familyIndex.waiting.first]! : null
  return { tier: 'exhausted', retryAt: first && Math.max(recoversAt(first, wish.model), now), first }
}

function hostAway(seat: Seat, wish: Wish, now: At): Choice {
  return { tier: 'host', retryAt: Math.max(recoversAt(seat, wish.model), now), seat }
}

function canServe(familyIndex: FamilyIndex, seat: Seat): boolean {
  const stands = familyIndex.availability(seat)
  return stands === 'ready' || stands === 'elapsed' || stands === 'parked' || stands === 'parked-elapsed'
}
