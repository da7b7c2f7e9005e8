import {
  type At,
  type Capacity,
  hopped,
  isForgotten,
  isPassedOver,
  type ModelFamily,
  type Outcome,
  withoutCapacity,
} from '../../pool/pool.ts'
import type { LiveCredential, LiveSeat, Pool } from '../state/live.ts'

/** A request whose family is not known asks for this one: that of WebSockets, whose models are named later. */
type Family = ModelFamily | null

/**
 * Which members have lately refused which model for want of capacity. That is no state of a member: it blames no one, is not
 * kept over a restart, and only puts other members first.
 */
export class Capacities {
  readonly #records = new Map<LiveCredential, Map<Family, Capacity>>()

  /** Whether a family can matter to requests of the pool. */
  concerns(pool: Pool): boolean {
    for (const owner of this.#records.keys()) for (const seat of owner.seats) if (seat.pool === pool) return true
    return false
  }

  /** The pool's seats that a request for the family passes over, as long as others can serve. */
  passedOver(pool: Pool, model: Family, now: At): readonly LiveSeat[] {
    if (this.#records.size === 0) return []
    const seats: LiveSeat[] = []
    for (const [owner, families] of this.#records) {
      const record = families.get(model)
      if (record && isPassedOver(record, now)) for (const seat of owner.seats) if (seat.pool === pool) seats.push(seat)
    }
    return seats
  }

  /** The member refused the family for want of capacity. */
  refused(owner: LiveCredential, model: Family, now: At): void {
    this.#prune(now)
    this.#put(owner, model, withoutCapacity(this.#record(owner, model), now))
  }

  /** The client of such a refusal comes again at once, and is to meet another member. */
  hop(owner: LiveCredential, model: Family, now: At): void {
    this.#put(owner, model, hopped(this.#record(owner, model), now))
  }

  /** The member has answered a request for the family. */
  answered(owner: LiveCredential, model: Family): void {
    const families = this.#records.get(owner)
    if (families?.delete(model) && families.size === 0) this.#records.delete(owner)
  }

  #record(owner: LiveCredential, model: Family): Capacity | null {
    return this.#records.get(owner)?.get(model) ?? null
  }

  #put(owner: LiveCredential, model: Family, record: Capacity): void {
    const families = this.#records.get(owner) ?? new Map<Family, Capacity>()
    this.#records.set(owner, families.set(model, record))
  }

  #prune(now: At): void {
    for (const [owner, families] of this.#records) {
      for (const [model, record] of families) if (isForgotten(record, now)) this.answered(owner, model)
    }
  }
}

/** Whether an outcome is about room for one model alone: capacity, or overload in an answer that had begun. */
export function isWantOfCapacity({ kind, reason }: Outcome, late: boolean): boolean {
  return kind === 'overloaded' && (late || reason === 'capacity')
}
