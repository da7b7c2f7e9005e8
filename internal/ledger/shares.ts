import type { Tokens } from '../dialect/dialect.ts'
import type { At } from '../pool/pool.ts'
import { hourMs, hourOf } from './accounts.ts'

interface Seen {
  hour: At
  input: number
  cached: number
  /** The hour before. */
  lastInput: number
  lastCached: number
}

/** How much of each pool's input came from a cache, in the present hour and the one before it. */
export class CachedShares {
  readonly #pools = new Map<string, Seen>()

  add(pool: string, { input, cached }: Tokens, now: At): void {
    const seen = this.#at(pool, now)
    seen.input += input
    seen.cached += cached
  }

  /** Takes up what was noted before this run of the program in the present hour and the one before it. */
  recall(pool: string, before: { readonly input: number; readonly cached: number }, hour: At, now: At): void {
    const seen = this.#at(pool, now)
    if (hour === seen.hour) {
      seen.input += before.input
      seen.cached += before.cached
    } else {
      seen.lastInput += before.input
      seen.lastCached += before.cached
    }
  }

  /** From 0 to 1; null where nothing was read. */
  of(pool: string, now: At): number | null {
    if (!this.#pools.has(pool)) return null
    const { input, cached, lastInput, lastCached } = this.#at(pool, now)
    const all = input + lastInput
    return all === 0 ? null : (cached + lastCached) / all
  }

  #at(pool: string, now: At): Seen {
    const hour = hourOf(now)
    const seen = this.#pools.get(pool) ?? { hour, input: 0, cached: 0, lastInput: 0, lastCached: 0 }
    if (seen.hour !== hour) {
      const isNext = hour - seen.hour === hourMs
      seen.lastInput = isNext ? seen.input : 0
      seen.lastCached = isNext ? seen.cached : 0
      seen.input = 0
      seen.cached = 0
      seen.hour = hour
    }
    this.#pools.set(pool, seen)
    return seen
  }
}
