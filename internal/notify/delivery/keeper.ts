import { type Clock, within } from '../../clock/clock.ts'
import type { Logger } from '../../log/log.ts'
import type { Store } from '../../store/store.ts'
import type { Ledger } from './ledger.ts'

/** Writes the ledger's changes, one transaction at a time; what changes meanwhile goes into the next. */
export class Keeper {
  readonly #store: Pick<Store, 'commit'>
  readonly #ledger: Ledger
  readonly #clock: Clock
  readonly #log: Logger
  #saving: Promise<boolean> | null = null
  #ill = false

  constructor(parts: { store: Pick<Store, 'commit'>; ledger: Ledger; clock: Clock; log: Logger }) {
    this.#store = parts.store
    this.#ledger = parts.ledger
    this.#clock = parts.clock
    this.#log = parts.log
  }

  /** Resolves when the ledger as it is now is durable (true), or the store did not take it (false; it stays unsaved). */
  async save(): Promise<boolean> {
    while (this.#saving) if (!(await this.#saving)) return false
    if (!this.#ledger.unsaved && !this.#ledger.cursorMoved) return true
    this.#saving = this.#commit().finally(() => {
      this.#saving = null
    })
    return this.#saving
  }

  /** As `save`, but waits no longer than `patienceMs`: a store that hangs delays a notice and does not stop it. */
  saveWithin(patienceMs: number): Promise<boolean> {
    return within(this.#clock, patienceMs, this.save(), false)
  }

  async #commit(): Promise<boolean> {
    const writes = this.#ledger.take()
    try {
      await this.#store.commit({ writes, audit: [] })
      this.#ill = false
      return true
    } catch (error) {
      this.#ledger.giveBack(writes)
      if (!this.#ill) this.#log.warn({ error }, 'notices are kept in memory: the store did not take them')
      this.#ill = true
      return false
    }
  }
}
