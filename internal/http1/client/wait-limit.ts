import type { Cancel, Clock } from '../../clock/clock.ts'

/** Sees to it that nobody waits for long: looks at intervals, as long as anybody waits. */
export class WaitLimit {
  readonly #clock: Clock
  readonly #everyMs: number
  readonly #look: () => boolean
  #forget: Cancel | null = null

  /** `look` says whether anybody waits still. */
  constructor(clock: Clock, everyMs: number, look: () => boolean) {
    this.#clock = clock
    this.#everyMs = everyMs
    this.#look = look
  }

  /** Somebody waits. */
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
