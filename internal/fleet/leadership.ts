import type { Cancel, Clock } from '../clock/clock.ts'
import type { Logger } from '../log/log.ts'
import { type Held, type Holdings, ttlMs } from './holdings.ts'
import type { Duty } from './port.ts'

const leaseName = 'lead'

/** One replica of the fleet leads; another takes over when it is gone. */
export class Leadership {
  readonly #holdings: Holdings
  readonly #clock: Clock
  readonly #log: Logger
  readonly #duty: Duty
  #held: Held | null = null
  #cancel: Cancel = () => {}
  #looking: Promise<void> = Promise.resolve()
  #stopped = false

  constructor(parts: { holdings: Holdings; clock: Clock; log: Logger; duty: Duty }) {
    this.#holdings = parts.holdings
    this.#clock = parts.clock
    this.#log = parts.log
    this.#duty = parts.duty
  }

  get held(): Held | null {
    return this.#held?.isOurs() ? this.#held : null
  }

  /** What it led with when it last could ask; null once it has heard that somebody else may lead. */
  get lastHeld(): Held | null {
    return this.#held?.isLost ? null : this.#held
  }

  /** Others have changed something. */
  heard(): void {
    if (this.held) this.#duty.heard()
  }

  /** Resolves when it is known who leads, or the store could not say. */
  start(): Promise<void> {
    this.#looking = this.#look()
    return this.#looking
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancel()
    await this.#looking
    if (!this.#held) return
    await this.#end()
    // Whoever takes over finds everything written.
    await this.#held.release().catch(() => {})
    this.#held = null
  }

  async #look(): Promise<void> {
    try {
      if (this.#held?.isLost) {
        await this.#end()
        this.#held = null
      }
      if (!this.#held) await this.#apply()
    } catch (error) {
      this.#log.debug({ error }, 'who leads the fleet cannot be asked')
    }
    if (!this.#stopped) {
      this.#cancel = this.#clock.after(ttlMs / 3, () => {
        this.#looking = this.#look()
      })
    }
  }

  async #apply(): Promise<void> {
    const held = await this.#holdings.take(leaseName)
    if (!held) return
    this.#held = held
    this.#log.info({}, 'this replica leads the fleet: it tells, and acts for the guard')
    try {
      await this.#duty.begin()
    } catch (error) {
      this.#log.warn({ error }, 'the duties of a leader could not begin: another replica may try')
      await this.#end()
      this.#held = null
      await held.release()
    }
  }

  async #end(): Promise<void> {
    try {
      await this.#duty.end()
    } catch (error) {
      this.#log.warn({ error }, 'the duties of a leader did not end well')
    }
  }
}
