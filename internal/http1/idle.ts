import type { Cancel, Clock } from '../clock/clock.ts'

/** How long a connection has been quiet, for those who look now and then: what happens in between sets a flag, no timer. */
export class IdleTime {
  #isActive = true
  #since = 0

  /** Something has happened. */
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

/** What has deadlines that are looked at from outside. */
interface Watched {
  /** Ends what has been quiet for too long; `now` in monotonic ms. */
  check(now: number): void
}

/** Looks at all connections of a kind at intervals, as long as there are any. */
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
