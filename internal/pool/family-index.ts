import { Bits } from './bits.ts'
import { IndexedHeap } from './heap.ts'
import type { At, ModelFamily } from './outcome.ts'
import { type Availability, availability, earlyTestAt, recoversAt, type Seat } from './seat.ts'
import { type Strategy, type StrategyName, strategy } from './strategy.ts'

/** The seats of a pool as the requests for one model family find them, filed by where they stand. */
export class FamilyIndex {
  /** The family whose limits count here; null for requests whose family has no limits, or is unknown. */
  readonly model: ModelFamily | null
  readonly strategy: Strategy
  /** Seats that the strategy chooses from: the healthy, and the elapsed where they take their turn. */
  readonly ready: Bits
  readonly elapsed: Bits
  readonly parkedElapsed: Bits
  /** Parked and healthy, by the end of the park. */
  readonly parked: IndexedHeap
  /** Shut, by the instant at which an exhausted pool may test them. */
  readonly early: IndexedHeap
  /** Shut or behind their host, by recovery. */
  readonly waiting: IndexedHeap
  /** Those that wait for their host alone, by recovery. */
  readonly behindHost: IndexedHeap
  readonly #limited: Bits
  readonly #availability: Availability[]

  constructor(model: ModelFamily | null, name: StrategyName, size: number) {
    this.model = model
    this.strategy = strategy(name, size)
    this.ready = new Bits(size)
    this.elapsed = new Bits(size)
    this.parkedElapsed = new Bits(size)
    this.parked = new IndexedHeap(size)
    this.early = new IndexedHeap(size)
    this.waiting = new IndexedHeap(size)
    this.behindHost = new IndexedHeap(size)
    this.#limited = new Bits(size)
    this.#availability = new Array<Availability>(size).fill('out')
  }

  /** Files a seat anew. */
  file(seat: Seat, now: At): void {
    const { index } = seat
    const stands = availability(seat, now, this.model)
    this.#availability[index] = stands
    const inTurn = stands === 'ready' || (stands === 'elapsed' && this.strategy.testsInTurn)
    this.ready.set(index, inTurn)
    this.strategy.update(seat, inTurn)
    this.elapsed.set(index, stands === 'elapsed')
    this.parkedElapsed.set(index, stands === 'parked-elapsed')
    place(this.parked, index, stands === 'parked', seat.park?.until ?? Number.POSITIVE_INFINITY)
    place(this.early, index, stands === 'shut', earlyTestAt(seat, this.model))
    const recovery = recoversAt(seat, this.model)
    place(this.waiting, index, stands === 'shut' || stands === 'host', recovery)
    place(this.behindHost, index, stands === 'host', recovery)
    this.#limited.set(index, isLimited(seat, this.model))
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

function place(heap: IndexedHeap, index: number, present: boolean, key: number): void {
  if (present) heap.put(index, key)
  else heap.remove(index)
}
