import type { Cancel, Clock } from '../clock/clock.ts'

/** How long a connection has been quiet, measured at intervals: activity sets a flag and arms no timer. */
export class IdleTime {
  #isActive = true
  #since = 0

  /** Notes activity: the quiet time begins anew with the next `lastsMs`. */
  end(): void {
    this.#isActive = true
  }

  /** For how many ms nothing has happened, as far as earlier looks can tell; `now` is monotonic. */
  lastsMs(now: number): number {
    if (this.#isActive) {
      this.#isActive = false
      this.#since = now
    }
    return now - this.#since
  }
}

/** A connection whose deadlines a DeadlineWatch checks. */
interface Watched {
  /** Ends what has been quiet for too long; `now` in monotonic ms. */
  check(now: number): void
}

/** Calls `check` of each connection in a set every `everyMs`, as long as the set is not empty. */
export class DeadlineWatch {
  readonly #clock: Clock
  readonly #everyMs: number
  readonly #watched: ReadonlySet<Watched>
  #forget: Cancel | null = null

  constructor(clock: Clock, everyMs: number, watched: ReadonlySet<Watched>) {
    this.#clock = clock
    this.#everyMs = everyMs
    this.#watched = watched
  }

  /** Begins to look, unless it does so already. */
  begin(): void {
    this.#forget ??= this.#clock.after(this.#everyMs, () => this.#look())
  }

  end(): void {
    this.#forget?.()
    this.#forget = null
  }

  #look(): void {
    this.#forget = null
    const now = this.#clock.mono()
    for (const connection of this.#watched) connection.check(now)
    if (this.#watched.size > 0) this.begin()
  }
}
