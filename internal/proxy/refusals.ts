import type { Dialect, Exhaustion } from '../dialect/dialect.ts'
import type { At } from '../pool/pool.ts'
import { type Prepared, prepared } from './local.ts'

interface Remembered {
  readonly dialect: Dialect
  readonly exhaustion: Exhaustion
  readonly seconds: number
  readonly answer: Prepared
}

/**
 * The answers of exhausted pools. Agents that are turned away come again, all of them at once: what they hear is made
 * anew only when it would say something else, which the wait in it does once a second.
 */
export class Refusals {
  readonly #latest = new Map<string, Remembered>()

  /** What a client of an exhausted pool is told. */
  answer(dialect: Dialect, exhaustion: Exhaustion, now: At): Prepared {
    const seconds = Math.ceil(((exhaustion.retryAt ?? 0) - now) / 1_000)
    const latest = this.#latest.get(exhaustion.pool)
    if (latest?.dialect === dialect && latest.seconds === seconds && isSame(latest.exhaustion, exhaustion))
      return latest.answer
    const answer = prepared(dialect.exhausted(exhaustion, now))
    this.#latest.set(exhaustion.pool, { dialect, exhaustion, seconds, answer })
    return answer
  }
}

function isSame(one: Exhaustion, other: Exhaustion): boolean {
  return (
    one.retryAt === other.retryAt &&
    one.members === other.members &&
    one.first === other.first &&
    one.remedy === other.remedy
  )
}
