import type { OutgoingRequest, ResponseListener, Sending } from './transport.ts'

/** A request that waits for a connection. */
export interface Waiter {
  readonly request: OutgoingRequest
  readonly text: string
  readonly listener: ResponseListener
  /** Monotonic ms. */
  readonly since: number
}

/** A place in the line; empty once its request has been taken or given up. */
class Place implements Sending {
  waiter: Waiter | null
  readonly #onGone: () => void

  constructor(waiter: Waiter, onGone: () => void) {
    this.waiter = waiter
    this.#onGone = onGone
  }

  abort(): void {
    if (this.waiter === null) return
    this.waiter = null
    this.#onGone()
  }

  resume(): void {}
}

/**
 * Requests that wait for a connection, in their order. No Set: one that is filled and emptied all the time keeps its
 * elements alive through V8's replaced tables, until the whole heap is collected.
 */
export class RequestQueue {
  readonly #places: (Place | undefined)[] = []
  #first = 0
  #size = 0
  readonly #onGone = () => {
    this.#size--
  }

  get size(): number {
    return this.#size
  }

  /** Adds a request at the end; what is returned takes it out again. */
  add(waiter: Waiter): Sending {
    const place = new Place(waiter, this.#onGone)
    this.#places.push(place)
    this.#size++
    return place
  }

  /** The request that waits longest, if it has done so since then; it waits no more. */
  next(since = Number.POSITIVE_INFINITY): Waiter | null {
    while (this.#first < this.#places.length) {
      const place = this.#places[this.#first]
      const waiter = place?.waiter ?? null
      if (waiter && waiter.since > since) break
      this.#places[this.#first++] = undefined
      if (!place || !waiter) continue
      place.waiter = null
      this.#size--
      this.#tidy()
      return waiter
    }
    this.#tidy()
    return null
  }

  /** Forgets the places that are empty. */
  #tidy(): void {
    if (this.#first === this.#places.length) this.#places.length = 0
    else if (this.#first > 1_024 && this.#first * 2 > this.#places.length) this.#places.splice(0, this.#first)
    else return
    this.#first = 0
  }
}
