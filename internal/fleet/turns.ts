import { type Clock, sleep } from '../clock/clock.ts'
import type { Held, Holdings } from './holdings.ts'

/** How often whoever waits for a turn looks. */
const lookMs = 50
/** A holder that was killed has it for 9 s more. */
const patienceMs = 12_000

/** A turn that did not come, because another replica has it and goes on with it. */
export class NoTurn extends Error {
  override readonly name = 'NoTurn'
}

/** What replicas do one after the other, each on top of what the one before it has changed. */
export class Turns {
  readonly #holdings: Holdings
  readonly #clock: Clock
  readonly #catchUp: () => Promise<void>
  readonly #last = new Map<string, Promise<unknown>>()

  /** `catchUp` takes in what others have changed up to now, and rejects when it cannot be read. */
  constructor(parts: { holdings: Holdings; clock: Clock; catchUp: () => Promise<void> }) {
    this.#holdings = parts.holdings
    this.#clock = parts.clock
    this.#catchUp = parts.catchUp
  }

  /** Runs it while nobody else in the fleet runs anything of that name; rejects with NoTurn, or when the store is away. */
  run<T>(name: string, run: () => Promise<T>): Promise<T> {
    // A lease is the replica's, so its own calls wait for each other here.
    const turn = (this.#last.get(name) ?? Promise.resolve()).then(() => this.#runNow(name, run))
    const ended = turn.then(
      () => {},
      () => {},
    )
    this.#last.set(name, ended)
    return turn
  }

  async #runNow<T>(name: string, run: () => Promise<T>): Promise<T> {
    const held = await this.#take(`turn:${name}`)
    try {
      await this.#catchUp()
      if (!held.isOurs()) throw new NoTurn('another replica has gone on meanwhile')
      return await run()
    } finally {
      await held.release().catch(() => {})
    }
  }

  async #take(name: string): Promise<Held> {
    const until = this.#clock.mono() + patienceMs
    for (;;) {
      const held = await this.#holdings.take(name)
      if (held) return held
      if (this.#clock.mono() >= until) throw new NoTurn('another replica is at it')
      await sleep(this.#clock, lookMs)
    }
  }
}
