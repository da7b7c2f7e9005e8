import type { Cancel, Clock } from '../../clock/clock.ts'

/** All connections to an origin stayed in use for as long as a request may wait for one. */
export class Crowded extends Error {
  override readonly name = 'Crowded'
  readonly host: string
  readonly connections: number

  constructor(host: string, connections: number) {
    super(`all ${connections} connections to ${host} are in use`)
    this.host = host
    this.connections = connections
  }
}

/** Sees to it that nobody waits for long: looks at intervals, as long as anybody waits. */
export class Patience {
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
