import { Bits } from './bits.ts'
import type { At, ModelFamily } from './outcome.ts'
import { type Availability, availability, type Seat } from './seat.ts'
import type { StrategyName } from './strategy.ts'
import { TierIndex } from './tier-index.ts'

/** The seats of a pool as the requests for one model family find them, tier by tier. */
export class FamilyIndex {
  /** The family whose limits count here; null for requests whose family has no limits, or is unknown. */
  readonly model: ModelFamily | null
  /** In the order in which they serve. */
  readonly tiers: readonly TierIndex[]
  readonly #byTier: ReadonlyMap<number, TierIndex>
  readonly #limited: Bits
  readonly #availability: Availability[]

  constructor(model: ModelFamily | null, strategyName: StrategyName, seats: readonly Seat[]) {
    const size = seats.length
    this.model = model
    const numbers = [...new Set(seats.map(({ tier }) => tier))].sort((one, other) => one - other)
    this.tiers = numbers.map((tier) => new TierIndex(tier, { model, strategyName, size }))
    this.#byTier = new Map(this.tiers.map((index) => [index.tier, index]))
    this.#limited = new Bits(size)
    this.#availability = new Array<Availability>(size).fill('out')
  }

  /** The files of the seat's tier. */
  tierOf({ tier }: Seat): TierIndex {
    return this.#byTier.get(tier)!
  }

  /** Files a seat anew. */
  file(seat: Seat, now: At): void {
    const stands = availability(seat, now, this.model)
    this.#availability[seat.index] = stands
    this.tierOf(seat).file(seat, stands, now)
    this.#limited.set(seat.index, isLimited(seat, this.model))
  }

  /** Counts a use of the seat. */
  used(seat: Seat): void {
    this.tierOf(seat).strategy.used(seat)
  }

  /** The load of the seat has changed. */
  loaded(seat: Seat, now: At): void {
    const { strategy, ready } = this.tierOf(seat)
    strategy.update(seat, ready.has(seat.index), now)
  }

  availability(seat: Seat): Availability {
    return this.#availability[seat.index]!
  }

  /** Whether some seat has a limit of this index's family; without one the index is like that of no family. */
  get matters(): boolean {
    return this.#limited.count > 0
  }
}

function isLimited(seat: Seat, model: ModelFamily | null): boolean {
  const gate = model === null ? undefined : seat.models.get(model)
  return gate !== undefined && gate.health.state !== 'healthy'
}
