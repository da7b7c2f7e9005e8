import { Bits } from './bits.ts'
import { IndexedHeap } from './heap.ts'
import type { At, ModelFamily } from './outcome.ts'
import { type Availability, earlyTestAt, isFull, recoversAt, type Seat } from './seat.ts'
import { type Strategy, type StrategyName, strategy } from './strategy.ts'

/** The seats of one tier as the requests for one model family find them, filed by where they stand. */
export class TierIndex {
  readonly tier: number
  readonly strategy: Strategy
  /** Seats that the strategy chooses from: the healthy, and the elapsed where they take their turn. */
  readonly ready: Bits
  readonly elapsed: Bits
  readonly parkedElapsed: Bits
  /** Well, with as many requests under way as they may have. */
  readonly full: Bits
  /** Parked and healthy, by the end of the park. */
  readonly parked: IndexedHeap
  /** Shut, by the instant at which an exhausted pool may test them. */
  readonly early: IndexedHeap
  /** Shut or behind their host, by recovery. */
  readonly waiting: IndexedHeap
  /** Those that wait for their host alone, by recovery. */
  readonly behindHost: IndexedHeap
  readonly #model: ModelFamily | null

  constructor(tier: number, of: { model: ModelFamily | null; strategyName: StrategyName; size: number }) {
    const { model, strategyName, size } = of
    this.tier = tier
    this.#model = model
    this.strategy = strategy(strategyName, size)
    this.ready = new Bits(size)
    this.elapsed = new Bits(size)
    this.parkedElapsed = new Bits(size)
    this.full = new Bits(size)
    this.parked = new IndexedHeap(size)
    this.early = new IndexedHeap(size)
    this.waiting = new IndexedHeap(size)
    this.behindHost = new IndexedHeap(size)
  }

  /** Files a seat of this tier anew. */
  file(seat: Seat, stands: Availability, now: At): void {
    const { index } = seat
    const inTurn = stands === 'ready' || (stands === 'elapsed' && this.strategy.testsInTurn)
    this.ready.set(index, inTurn)
    this.strategy.update(seat, inTurn, now)
    this.elapsed.set(index, stands === 'elapsed')
    this.parkedElapsed.set(index, stands === 'parked-elapsed')
    this.full.set(index, stands === 'full')
    place(this.parked, index, stands === 'parked', seat.park?.until ?? Number.POSITIVE_INFINITY)
    place(this.early, index, stands === 'shut' && !isFull(seat), earlyTestAt(seat, this.#model))
    const recovery = recoversAt(seat, this.#model)
    place(this.waiting, index, stands === 'shut' || stands === 'host', recovery)
    place(this.behindHost, index, stands === 'host', recovery)
  }
}

function place(heap: IndexedHeap, index: number, present: boolean, key: number): void {
  if (present) heap.put(index, key)
  else heap.remove(index)
}
