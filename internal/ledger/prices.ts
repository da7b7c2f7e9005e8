import type { Tokens } from '../dialect/dialect.ts'

/** What a million tokens cost, in dollars. What has no price of its own costs what input costs. */
export interface Rates {
  readonly input: number
  readonly output: number
  readonly cached?: number
  readonly cacheWrite?: number
  /** Into a cache that is kept for an hour. */
  readonly cacheWriteHour?: number
}

/** The list price of one model, by its name without a date. */
export interface Price extends Rates {
  readonly providers: readonly string[]
  readonly models: readonly string[]
  /** Other rates for the whole of a request with more input than so many tokens. */
  readonly long?: Rates & { readonly above: number }
}

/** Prices as they were published on a day. */
export interface PriceList {
  /** `2026-11-30`. */
  readonly date: string
  readonly prices: readonly Price[]
}

/** What follows the name of a model where it names one of its versions: `-2025-08-07`, `-20250929`, `-latest`, `@20250929`. */
const version = /(?:[-@](?:\d{4}-\d{2}-\d{2}|\d{8}|latest))?(?:\[\w+\])?$/

/** The price of a provider's model, in whatever version; null where it is not in the list. */
export function priceOf({ prices }: PriceList, provider: string, model: string): Price | null {
  const name = model.toLowerCase().replace(version, '')
  return prices.find((price) => price.providers.includes(provider) && price.models.includes(name)) ?? null
}

/** What an answer costs by list price, in billionths of a dollar. */
export function costOf(price: Price, tokens: Tokens): number {
  const { input, cached, cacheWrite, cacheWriteHour, output } = tokens
  const rates = price.long && input > price.long.above ? price.long : price
  const written = rates.cacheWrite ?? rates.input
  const dollarsPerMillion =
    Math.max(0, input - cached - cacheWrite) * rates.input +
    cached * (rates.cached ?? rates.input) +
    (cacheWrite - cacheWriteHour) * written +
    cacheWriteHour * (rates.cacheWriteHour ?? written) +
    output * rates.output
  return Math.round(dollarsPerMillion * 1_000)
}

/** The dollars that so many billionths are, to the millionth. */
export function dollars(billionths: number): number {
  return Math.round(billionths / 1_000) / 1_000_000
}
