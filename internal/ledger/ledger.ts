/**
 * The ledger: adds up what goes through by key, member, model and pool in rows of an hour, writes them behind the requests,
 * and keeps them within a budget. It knows numbers and names, never a body.
 */
import type { Cancel, Clock } from '../clock/clock.ts'
import type { Tokens } from '../dialect/dialect.ts'
import type { Store, UsageQuery, UsageRetention, UsageSum } from '../store/store.ts'
import { Accounts, type Entry, hourMs, hourOf } from './accounts.ts'
import { costOf, type Price, type PriceList, priceOf } from './prices.ts'
import { CachedShares } from './shares.ts'

export { hourOf } from './accounts.ts'
export { parsePrices } from './price-file.ts'
export { dollars, type PriceList } from './prices.ts'

/** What a Ledger works with. */
export interface LedgerDeps {
  readonly store: Pick<Store, 'commit' | 'usage' | 'pruneUsage'>
  readonly clock: Clock
  /** Names this run of the program among all that write to the store. */
  readonly writer: string
  /** The budget in force; of 0 bytes: nothing is added up. */
  readonly retention: () => UsageRetention
  readonly prices: PriceList
  /** Whether the disk has room for what is not needed. */
  readonly maySpend: () => boolean
  /** Told of each answer whose tokens are known, for metrics. */
  readonly counted: (pool: string, tokens: Tokens) => void
  readonly onError: (error: unknown, what: string) => void
}

/** After the first answer that is not written, the rest of this time goes by before it is, in ms: what a crash loses at most. */
const behindMs = 30_000
const rowsAtOnce = 500

/** The prices of a provider's models are looked up once; so many of each are remembered. */
const mostRemembered = 1_000

export class Ledger {
  readonly #deps: LedgerDeps
  readonly #accounts: Accounts
  readonly #shares = new CachedShares()
  /** By model, by provider. */
  readonly #prices = new Map<string, Map<string, Price | null>>()
  #cancelWrite: Cancel | null = null
  #cancelPrune: Cancel = () => {}
  #writing: Promise<void> = Promise.resolve()
  #isOver = false

  constructor(deps: LedgerDeps) {
    this.#deps = deps
    this.#accounts = new Accounts(deps.writer)
  }

  /** Whether anything is added up. */
  get isOpen(): boolean {
    return this.#deps.retention().maxBytes > 0
  }

  /** The day of the list prices. */
  get pricesAt(): string {
    return this.#deps.prices.date
  }

  /** Adds one answer; null: it did not tell its tokens. Nothing of it waits. */
  note(served: Entry & { readonly provider: string }, tokens: Tokens | null): void {
    const { clock, counted } = this.#deps
    const now = clock.now()
    const price = tokens && this.#priceOf(served.provider, served.model ?? '')
    this.#accounts.add(served, { tokens, cost: tokens && price && costOf(price, tokens) }, now)
    if (tokens !== null) {
      this.#shares.add(served.pool, tokens, now)
      counted(served.pool, tokens)
    }
    if (!this.#isOver) this.#cancelWrite ??= clock.after(behindMs, () => void this.#written())
  }

  /** How much of a pool's input came from a cache, from 0 to 1, in this hour and the last; null where nothing is known. */
  cachedShare(pool: string): number | null {
    return this.#shares.of(pool, this.#deps.clock.now())
  }

  /** The sums of the store, with what has been noted until now if the store takes it. */
  async sums(query: UsageQuery): Promise<readonly UsageSum[]> {
    await this.#written()
    return this.#deps.store.usage(query)
  }

  /** Keeps the rows within their budget, at once and every hour, and knows again what earlier runs have noted just now. */
  start(): void {
    void this.#prune()
    void this.#recall()
  }

  async #recall(): Promise<void> {
    const { store, clock, onError } = this.#deps
    const now = clock.now()
    try {
      for (const from of [hourOf(now) - hourMs, hourOf(now)]) {
        const sums = await store.usage({ from, to: from + hourMs, by: ['pool'] })
        for (const sum of sums) this.#shares.recall(String(sum.pool), sum, from, now)
      }
    } catch (error) {
      if (!this.#isOver) onError(error, 'the usage of the latest hours could not be read')
    }
  }

  /** Writes what is left, and nothing any more. */
  async stop(): Promise<void> {
    this.#isOver = true
    this.#cancelPrune()
    await this.#written()
  }

  #priceOf(provider: string, model: string): Price | null {
    const prices = this.#prices.get(provider) ?? new Map<string, Price | null>()
    const known = prices.get(model)
    if (known !== undefined) return known
    const price = priceOf(this.#deps.prices, provider, model)
    if (prices.size < mostRemembered) this.#prices.set(provider, prices.set(model, price))
    return price
  }

  /** One write after the other. */
  #written(): Promise<void> {
    this.#cancelWrite?.()
    this.#cancelWrite = null
    this.#writing = this.#writing.then(() => this.#write())
    return this.#writing
  }

  async #write(): Promise<void> {
    const { store, maySpend, onError, clock } = this.#deps
    if (!maySpend()) return
    try {
      for (;;) {
        const rows = this.#accounts.unwritten(rowsAtOnce)
        if (rows.length === 0) return
        await store.commit({ writes: rows.map((row) => ({ put: 'usage', row })), audit: [] })
        this.#accounts.wrote(rows)
        if (rows.length < rowsAtOnce) return
      }
    } catch (error) {
      onError(error, 'usage was not written')
      if (!this.#isOver) this.#cancelWrite ??= clock.after(behindMs, () => void this.#written())
    }
  }

  async #prune(): Promise<void> {
    const { store, clock, retention, onError } = this.#deps
    try {
      await store.pruneUsage(clock.now(), retention())
    } catch (error) {
      if (!this.#isOver) onError(error, 'usage was not pruned')
    }
    if (!this.#isOver) this.#cancelPrune = clock.after(hourMs, () => void this.#prune())
  }
}
