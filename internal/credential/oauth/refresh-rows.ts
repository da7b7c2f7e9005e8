import type { Clock } from '../../clock/clock.ts'
import type { RefreshRecord, SecretRecord, Store } from '../../store/store.ts'

/** A store that does not answer must not hold up a refresh for longer than its lock is meant to be held. */
const storeMs = 8_000

/** The refresh rows of the store, with a deadline on every question. */
export class Ledger {
  readonly #clock: Clock
  readonly #store: Pick<Store, 'commit' | 'refreshState' | 'space'>

  constructor(clock: Clock, store: Pick<Store, 'commit' | 'refreshState' | 'space'>) {
    this.#clock = clock
    this.#store = store
  }

  /** The row and the sealed secrets as they are now, whoever wrote them. */
  read(id: string): Promise<{ readonly row: RefreshRecord | null; readonly secrets: readonly SecretRecord[] }> {
    return this.#soon(this.#store.refreshState(id))
  }

  /** Writes the row, and sealed tokens with it, if its generation is still `expected`; resolves when that is durable. */
  async write(row: RefreshRecord, expected: number | null, secrets: readonly SecretRecord[]): Promise<void> {
    const writes = secrets.map((secret) => ({ put: 'secret' as const, row: secret }))
    await this.#soon(this.#store.commit({ writes: [{ put: 'refresh', row, expected }, ...writes], audit: [] }))
  }

  /** Writes sealed rows that belong to no refresh; resolves when they are durable. */
  async keep(secrets: readonly SecretRecord[]): Promise<void> {
    const writes = secrets.map((row) => ({ put: 'secret' as const, row }))
    await this.#soon(this.#store.commit({ writes, audit: [] }))
  }

  async freeBytes(): Promise<number> {
    return (await this.#soon(this.#store.space())).freeBytes
  }

  #soon<T>(answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.after(storeMs, () => reject(new Error('the store does not answer')))
      answer.then(resolve, reject).finally(cancel)
    })
  }
}
