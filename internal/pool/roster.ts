import { Bits } from './bits.ts'
import { IndexedHeap } from './heap.ts'
import type { At } from './outcome.ts'
import { earlyTestAt, nextChangeAt, recoversAt, type Seat, type Standing, standing } from './seat.ts'
import { type Strategy, type StrategyName, strategy } from './strategy.ts'

/**
 * The seats of one pool, filed by where they stand, so that selection looks at the first of a file instead of at all
 * members. Only an index: every fact in it follows from the seats and the time.
 */
export class Roster {
  readonly seats: readonly Seat[]
  readonly strategyName: StrategyName
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
  /** How many healthy, unparked members wait for their host alone. */
  readonly behindHost: Bits
  readonly #standing: Standing[]
  readonly #changes: IndexedHeap
  #uses = 0

  constructor(name: StrategyName, seats: readonly Seat[], now: At) {
    this.seats = seats
    this.strategyName = name
    this.strategy = strategy(name, seats.length)
    this.ready = new Bits(seats.length)
    this.elapsed = new Bits(seats.length)
    this.parkedElapsed = new Bits(seats.length)
    this.behindHost = new Bits(seats.length)
    this.parked = new IndexedHeap(seats.length)
    this.early = new IndexedHeap(seats.length)
    this.waiting = new IndexedHeap(seats.length)
    this.#changes = new IndexedHeap(seats.length)
    this.#standing = seats.map(() => 'out')
    seats.forEach((seat, index) => {
      seat.index = index
      this.#uses = Math.max(this.#uses, seat.lastUse)
    })
    for (const seat of seats) this.file(seat, now)
  }

  /** Brings the files up to `now`: parks that ended, cooldowns that elapsed. */
  advance(now: At): void {
    for (let index = this.#changes.first; index >= 0; index = this.#changes.first) {
      if (this.#changes.key(index) > now) return
      this.file(this.seats[index]!, now)
    }
  }

  /** Files a seat anew after its health, its park or its load changed. */
  file(seat: Seat, now: At): void {
    const index = seat.index
    const stands = standing(seat, now)
    this.#standing[index] = stands
    const inTurn = stands === 'ready' || (stands === 'elapsed' && this.strategy.testsInTurn)
    this.ready.set(index, inTurn)
    this.strategy.update(seat, inTurn)
    this.elapsed.set(index, stands === 'elapsed')
    this.parkedElapsed.set(index, stands === 'parked-elapsed')
    this.behindHost.set(index, stands === 'host')
    place(this.parked, index, stands === 'parked', seat.park?.until ?? Number.POSITIVE_INFINITY)
    place(this.early, index, stands === 'shut', earlyTestAt(seat))
    place(this.waiting, index, stands === 'shut' || stands === 'host', recoversAt(seat))
    const change = nextChangeAt(seat, now)
    place(this.#changes, index, change < Number.POSITIVE_INFINITY, change)
  }

  standing(seat: Seat): Standing {
    return this.#standing[seat.index]!
  }

  /** Counts a request that starts on the seat. */
  begin(seat: Seat): void {
    seat.inFlight++
    seat.lastUse = ++this.#uses
    this.strategy.used(seat)
  }

  /** Counts a request that ended on the seat. */
  end(seat: Seat): void {
    seat.inFlight--
    this.strategy.update(seat, this.ready.has(seat.index))
  }
}

function place(heap: IndexedHeap, index: number, present: boolean, key: number): void {
  if (present) heap.put(index, key)
  else heap.remove(index)
}
