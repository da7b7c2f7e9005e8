import type { Cancel, Clock } from '../../clock/clock.ts'

/** Calls `look` every `everyMs` from `begin` on, until it returns false: bounds how long requests wait for a connection. */
export class WaitLimit {
  readonly #clock: Clock
  readonly #everyMs: number
  readonly #look: () => boolean
  #forget: Cancel | null = null

  /** `look` refuses what has waited too long, and returns whether requests still wait. */
  constructor(clock: Clock, everyMs: number, look: () => boolean) {
    this.#clock = clock
    this.#everyMs = everyMs
    this.#look = look
  }

  /** A request waits. */
  begin(): void {
    this.#forget ??= this.#clock.after(this.#everyMs, () => {
      this.#forget = null
      if (this.#look()) this.begin()
    })
  }

  end(): void {
    this.#forget?.()
    this.#forget = null
  }
}
