import { cappedUntil } from './cap.ts'
import type { FamilyIndex } from './family-index.ts'
import type { IndexedHeap } from './heap.ts'
import type { At, ModelFamily } from './outcome.ts'
import { isFull, recoversAt, type Seat } from './seat.ts'
import type { SelectionIndex } from './selection-index.ts'
import { walk } from './strategy.ts'
import type { TierIndex } from './tier-index.ts'

/**
 * The rungs of selection, in order. Who is `full` has as many requests under way as it may, and is named, not chosen;
 * `degraded` is the opt-in that sends to somebody who is cooling.
 */
export type Rung = 'healthy' | 'probe' | 'parked' | 'parked-probe' | 'full' | 'early-probe' | 'degraded'

export type Choice =
  | { readonly rung: Rung; readonly seat: Seat }
  /** Nobody can serve; `retryAt` null when only a person can change that. */
  | { readonly rung: 'exhausted'; readonly retryAt: At | null; readonly first: Seat | null }
  /** Somebody could serve, were it not for unreachable hosts. */
  | { readonly rung: 'host'; readonly retryAt: At; readonly seat: Seat }
  /** Those who can serve have all been tried by this request. */
  | { readonly rung: 'tried' }

/** What a request brings to its selection. */
export interface Wish {
  readonly model: ModelFamily | null
  /** Members that this request has met already; none of them is chosen again. */
  readonly tried: readonly Seat[]
  /** Members that are chosen only where no other one can serve. */
  readonly passedOver?: readonly Seat[]
  /** Who serves this conversation as long as it is healthy and nobody of an earlier tier can serve. */
  readonly preferred?: Seat | null
  /** The rank of the sticky pointer, or -1. */
  readonly active: number
  /** `onExhausted: degrade`: rather somebody who is cooling than nobody. */
  readonly degrade: boolean
}

/** Who serves next, rung by rung (docs/failover.md, "Selection"). Brings the selection index up to `now`, changes nothing else. */
export function select(selectionIndex: SelectionIndex, wish: Wish, now: At): Choice {
  const { passedOver = [] } = wish
  if (passedOver.length === 0) return selectAmong(selectionIndex, wish, now)
  const choice = selectAmong(selectionIndex, { ...wish, tried: [...wish.tried, ...passedOver] }, now)
  return isServing(choice.rung) ? choice : selectAmong(selectionIndex, wish, now)
}

/** Whether a member of that rung can serve, rather than being the last resort. */
export function isServing(rung: Choice['rung']): boolean {
  return rung === 'healthy' || rung === 'probe' || rung === 'parked' || rung === 'parked-probe'
}

function selectAmong(selectionIndex: SelectionIndex, wish: Wish, now: At): Choice {
  selectionIndex.advance(now)
  const { seats } = selectionIndex
  const familyIndex = selectionIndex.familyIndex(wish.model)
  const search = { seats, familyIndex, wish, fits: (index: number) => !wish.tried.includes(seats[index]!) }
  for (const tier of familyIndex.tiers) {
    const choice = inTurn(search, tier)
    if (choice) return choice
  }
  for (const { parked } of familyIndex.tiers) {
    const index = parked.firstThat(search.fits)
    if (index >= 0) return { rung: 'parked', seat: seats[index]! }
  }
  for (const { parkedElapsed } of familyIndex.tiers) {
    const index = walk(parkedElapsed, 0, search.fits)
    if (index >= 0) return { rung: 'parked-probe', seat: seats[index]! }
  }
  return nobody(search, now)
}

/** What a selection looks through, and for what. */
interface Search {
  readonly seats: readonly Seat[]
  readonly familyIndex: FamilyIndex
  readonly wish: Wish
  readonly fits: (index: number) => boolean
}

/** Who of the tier serves in its turn, or is tested; null when nobody can. */
function inTurn({ seats, familyIndex, wish, fits }: Search, tier: TierIndex): Choice | null {
  const { preferred, active } = wish
  if (preferred && familyIndex.availability(preferred) === 'ready' && tier.ready.has(preferred.index)) {
    if (fits(preferred.index)) return { rung: 'healthy', seat: preferred }
  }
  const index = tier.strategy.pick(tier.ready, active, fits)
  if (index >= 0) return { rung: tier.elapsed.has(index) ? 'probe' : 'healthy', seat: seats[index]! }
  const elapsed = walk(tier.elapsed, Math.max(active, 0), fits)
  return elapsed >= 0 ? { rung: 'probe', seat: seats[elapsed]! } : null
}

function nobody(search: Search, now: At): Choice {
  const { seats, familyIndex, wish, fits } = search
  const { tiers } = familyIndex
  for (const tier of tiers) {
    const full = walk(tier.full, 0, fits)
    if (full >= 0) return { rung: 'full', seat: seats[full]! }
  }
  const behindHost = soonest(tiers, (tier) => tier.behindHost, fits)
  if (behindHost >= 0) return hostAway(seats[behindHost]!, wish, now)
  if (wish.tried.some((seat) => canServe(familyIndex, seat))) return { rung: 'tried' }
  // The request itself may be the one that found the host away.
  const away = soonest(tiers, (tier) => tier.behindHost, anybody)
  if (away >= 0) return hostAway(seats[away]!, wish, now)
  for (const tier of tiers) {
    const early = tier.early.firstThat(fits, now)
    if (early >= 0) return { rung: 'early-probe', seat: seats[early]! }
  }
  for (const tier of wish.degrade ? tiers : []) {
    const degraded = tier.waiting.firstThat((index) => fits(index) && mayDegrade(seats[index]!, now))
    if (degraded >= 0) return { rung: 'degraded', seat: seats[degraded]! }
  }
  const waiting = soonest(tiers, (tier) => tier.waiting, anybody)
  const first = waiting >= 0 ? seats[waiting]! : null
  return { rung: 'exhausted', retryAt: first && Math.max(recoversAt(first, wish.model), now), first }
}

/** Bounds of the operator's own hold also where a cooldown does not. */
function mayDegrade(seat: Seat, now: At): boolean {
  return !isFull(seat) && cappedUntil(seat) <= now
}

const anybody = () => true

/** The seat with the smallest key of all tiers that fits, or -1. */
function soonest(
  tiers: readonly TierIndex[],
  heapOf: (tier: TierIndex) => IndexedHeap,
  fits: (index: number) => boolean,
): number {
  let best = -1
  let key = Number.POSITIVE_INFINITY
  for (const tier of tiers) {
    const heap = heapOf(tier)
    const index = heap.firstThat(fits)
    if (index < 0 || (best >= 0 && heap.key(index) >= key)) continue
    best = index
    key = heap.key(index)
  }
  return best
}

function hostAway(seat: Seat, wish: Wish, now: At): Choice {
  return { rung: 'host', retryAt: Math.max(recoversAt(seat, wish.model), now), seat }
}

function canServe(familyIndex: FamilyIndex, seat: Seat): boolean {
  const stands = familyIndex.availability(seat)
  return stands !== 'shut' && stands !== 'host' && stands !== 'out'
}
