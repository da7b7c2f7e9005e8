import type { OutgoingRequest, ResponseListener, Sending } from './transport.ts'

/** A request that waits for a connection. */
export interface Waiter {
  readonly request: OutgoingRequest
  readonly text: string
  readonly listener: ResponseListener
  /** Monotonic ms. */
  readonly since: number
}

/** One waiting request; empty once its request has been taken or given up. */
class QueueEntry implements Sending {
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
  readonly #entries: (QueueEntry | undefined)[] = []
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
    const entry = new QueueEntry(waiter, this.#onGone)
    this.#entries.push(entry)
    this.#size++
    return entry
  }

  /** The request that waits longest, if it has done so since then; it waits no more. */
  next(since = Number.POSITIVE_INFINITY): Waiter | null {
    while (this.#first < this.#entries.length) {
      const entry = this.#entries[this.#first]
      const waiter = entry?.waiter ?? null
      if (waiter && waiter.since > since) break
      this.#entries[this.#first++] = undefined
      if (!entry || !waiter) continue
      entry.waiter = null
      this.#size--
      this.#tidy()
      return waiter
    }
    this.#tidy()
    return null
  }

  /** Forgets the entries that are empty. */
  #tidy(): void {
    if (this.#first === this.#entries.length) this.#entries.length = 0
    else if (this.#first > 1_024 && this.#first * 2 > this.#entries.length) this.#entries.splice(0, this.#first)
    else return
    this.#first = 0
  }
}
