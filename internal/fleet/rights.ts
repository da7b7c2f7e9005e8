import { type Clock, within } from '../clock/clock.ts'
import type { Held, Holdings } from './holdings.ts'

/** A request does not wait longer for the right to test a member: a store that is slow keeps nobody from it. */
const patienceMs = 250

/** The rights to test members that recover: one replica at a time has the right to test one. */
export class TestRights {
  readonly #holdings: Holdings
  readonly #clock: Clock
  readonly #held = new Map<string, Promise<Held | null>>()

  constructor(holdings: Holdings, clock: Clock) {
    this.#holdings = holdings
    this.#clock = clock
  }

  async take(credentialId: string): Promise<boolean> {
    const taking = this.#holdings.take(`test:${credentialId}`)
    this.#held.set(credentialId, taking)
    // `undefined`: nobody can say.
    const held = await within(
      this.#clock,
      patienceMs,
      taking.catch(() => undefined),
      undefined,
    )
    if (held === null) this.#held.delete(credentialId)
    return held !== null
  }

  give(credentialId: string): void {
    const held = this.#held.get(credentialId)
    this.#held.delete(credentialId)
    void held?.then((one) => one?.release()).catch(() => {})
  }
}
