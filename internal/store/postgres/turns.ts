import { StoreError } from '../fault.ts'
import type { Timers } from '../thread.ts'
import { endsConnection, faultOf, mayRunAgain } from './fault.ts'

/** How often a transaction is run when others are in its way. */
const attempts = 6

interface TurnOptions {
  readonly label: string
  readonly clock: Timers
  /** How long a call may take, its waiting for a turn included. */
  readonly deadlineMs: number
}

/**
 * The calls of one store. Those that write run one after the other, in the order in which they were made; one that reads sees
 * what was written by those before it.
 */
export class Turns {
  readonly #options: TurnOptions
  readonly #running = new Set<Promise<unknown>>()
  #last: Promise<unknown> = Promise.resolve()
  #closed = false

  constructor(options: TurnOptions) {
    this.#options = options
  }

  write<T>(run: () => Promise<T>): Promise<T> {
    const { answer, ended } = this.#call(this.#last, run)
    this.#last = ended
    return answer
  }

  read<T>(run: () => Promise<T>): Promise<T> {
    return this.#call(this.#last, run).answer
  }

  /** Waits for no other call. */
  apart<T>(run: () => Promise<T>): Promise<T> {
    return this.#call(Promise.resolve(), run).answer
  }

  /** Lets what was called before end, and refuses what is called later. */
  async close(): Promise<void> {
    this.#closed = true
    await Promise.all(this.#running)
  }

  #call<T>(turn: Promise<unknown>, run: () => Promise<T>): { answer: Promise<T>; ended: Promise<unknown> } {
    if (this.#closed) return { answer: Promise.reject(new StoreError('closed', 'the store is closed')), ended: turn }
    const { label, clock, deadlineMs } = this.#options
    let late = false
    const ended = turn.then(() => (late ? null : this.#attempt(run)))
    const answer = new Promise<T>((resolve, reject) => {
      const cancel = clock.after(deadlineMs, () => {
        late = true
        reject(new StoreError('deadline', `${label} does not answer within ${deadlineMs} ms`))
      })
      ended
        .then(
          (value) => resolve(value as T),
          (error: unknown) => reject(faultOf(error, label)),
        )
        .finally(cancel)
    })
    const settled = ended.then(
      () => {},
      () => {},
    )
    this.#running.add(settled)
    void settled.finally(() => this.#running.delete(settled))
    return { answer, ended: settled }
  }

  async #attempt<T>(run: () => Promise<T>): Promise<T> {
    for (let left = attempts - 1; ; left--) {
      try {
        return await run()
      } catch (error) {
        // A connection that was lost is noticed when it is used; nothing was written before the commit.
        const isStale = left === attempts - 1 && endsConnection(error)
        if (left === 0 || !(isStale || mayRunAgain(error))) throw error
        await new Promise<void>((resolve) => this.#options.clock.after(2 ** (attempts - left) * 5, resolve))
      }
    }
  }
}
