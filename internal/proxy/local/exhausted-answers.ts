import type { ClientKind, Dialect } from '../../dialect/dialect.ts'
import type { Exhausted } from '../../engine/engine.ts'
import type { At } from '../../pool/pool.ts'
import { type Prepared, prepared } from './answer.ts'

interface Remembered {
  readonly dialect: Dialect
  readonly decision: Exhausted
  readonly seconds: number
  readonly answer: Prepared
}

/** What the answer depends on beside the pool. */
export interface ClientFacts {
  readonly dialect: Dialect
  readonly client: ClientKind
}

/**
 * The answers of exhausted pools, cached by pool and kind of client: many agents ask at once, and an answer changes only
 * when the decision changes or another second of its wait has passed.
 */
export class ExhaustedAnswers {
  readonly #latest: Readonly<Record<ClientKind, Map<string, Remembered>>> = {
    'heeds-429': new Map(),
    'heeds-402': new Map(),
  }

  /** The answer of the exhausted pool for a client of that kind; the cached one if it would say the same. */
  answer({ dialect, client }: ClientFacts, pool: string, decision: Exhausted, now: At): Prepared {
    const seconds = Math.ceil(((decision.retryAt ?? 0) - now) / 1_000)
    const remembered = this.#latest[client]
    const latest = remembered.get(pool)
    if (latest?.dialect === dialect && latest.seconds === seconds && isSame(latest.decision, decision))
      return latest.answer
    const { members, retryAt, first, remedy } = decision
    const command = remedy && `spillway cred ${remedy.verb} ${remedy.name}`
    const answer = prepared(dialect.exhausted({ pool, members, retryAt, first, remedy: command }, now, client))
    remembered.set(pool, { dialect, decision, seconds, answer })
    return answer
  }
}

function isSame(one: Exhausted, other: Exhausted): boolean {
  return (
    one.retryAt === other.retryAt &&
    one.members === other.members &&
    one.first === other.first &&
    one.remedy?.verb === other.remedy?.verb &&
    one.remedy?.name === other.remedy?.name
  )
}
