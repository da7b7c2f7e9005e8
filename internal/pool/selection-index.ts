import { FamilyIndex } from './family-index.ts'
import { IndexedHeap } from './heap.ts'
import type { At, ModelFamily } from './outcome.ts'
import { type Availability, isFull, nextChangeAt, type Seat } from './seat.ts'
import type { StrategyName } from './strategy.ts'

/**
 * The seats of one pool, filed by where they stand, so that selection looks at the first of a file instead of at all
 * members. Only an index: every fact in it follows from the seats and the time. A model family has files of its own
 * while some seat has a limit for it, so that the limited are not met again with each request.
 */
export class SelectionIndex {
  readonly seats: readonly Seat[]
  readonly strategyName: StrategyName
  readonly #plain: FamilyIndex
  readonly #familyIndexes = new Map<ModelFamily, FamilyIndex>()
  readonly #changes: IndexedHeap
  #uses = 0
  /** The seat of each tier that was used last. */
  readonly #last = new Map<number, Seat>()

  constructor(name: StrategyName, seats: readonly Seat[], now: At) {
    this.seats = seats
    this.strategyName = name
    this.#plain = new FamilyIndex(null, name, seats)
    this.#changes = new IndexedHeap(seats.length)
    seats.forEach((seat, index) => {
      seat.index = index
      this.#uses = Math.max(this.#uses, seat.lastUse)
      if (seat.lastUse > (this.#last.get(seat.tier)?.lastUse ?? 0)) this.#last.set(seat.tier, seat)
    })
    for (const seat of seats) this.file(seat, now)
    for (const seat of this.#last.values()) this.#plain.used(seat)
  }

  /** The files for requests of that family. */
  familyIndex(model: ModelFamily | null): FamilyIndex {
    return (model === null ? undefined : this.#familyIndexes.get(model)) ?? this.#plain
  }

  /** Brings the files up to `now`: parks that ended, cooldowns that elapsed. */
  advance(now: At): void {
    for (let index = this.#changes.first; index >= 0; index = this.#changes.first) {
      if (this.#changes.key(index) > now) return
      this.file(this.seats[index]!, now)
    }
  }

  /** Files a seat anew after its health or its park changed; one that has been dropped from the pool is none of ours. */
  file(seat: Seat, now: At): void {
    if (!this.#holds(seat)) return
    for (const [model, gate] of seat.models) if (gate.health.state !== 'healthy') this.#open(model, now)
    this.#plain.file(seat, now)
    for (const [model, familyIndex] of this.#familyIndexes) {
      familyIndex.file(seat, now)
      if (!familyIndex.matters) this.#familyIndexes.delete(model)
    }
    const change = nextChangeAt(seat, now)
    if (change < Number.POSITIVE_INFINITY) this.#changes.put(seat.index, change)
    else this.#changes.remove(seat.index)
  }

  /** Where the seat stands for requests whose family has no limits. */
  availability(seat: Seat): Availability {
    return this.#plain.availability(seat)
  }

  /** Counts a request that starts on the seat. */
  begin(seat: Seat, now: At): void {
    seat.inFlight++
    if (!this.#holds(seat)) return
    seat.lastUse = ++this.#uses
    this.#last.set(seat.tier, seat)
    this.#plain.used(seat)
    for (const familyIndex of this.#familyIndexes.values()) familyIndex.used(seat)
    if (isFull(seat)) this.file(seat, now)
  }

  /** Counts a request that ended on the seat; true when the seat was full until then. */
  end(seat: Seat, now: At): boolean {
    const wasFull = isFull(seat)
    seat.inFlight--
    if (!this.#holds(seat)) return false
    if (wasFull) this.file(seat, now)
    this.#plain.loaded(seat, now)
    for (const familyIndex of this.#familyIndexes.values()) familyIndex.loaded(seat, now)
    return wasFull && !isFull(seat)
  }

  #holds(seat: Seat): boolean {
    return this.seats[seat.index] === seat
  }

  #open(model: ModelFamily, now: At): void {
    if (this.#familyIndexes.has(model)) return
    const familyIndex = new FamilyIndex(model, this.strategyName, this.seats)
    this.#familyIndexes.set(model, familyIndex)
    for (const seat of this.seats) familyIndex.file(seat, now)
    for (const seat of this.#last.values()) familyIndex.used(seat)
  }
}
