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

/** Who is told. */
export interface Hearer {
  readonly dialect: Dialect
  readonly client: ClientKind
}

/**
 * The answers of exhausted pools. Agents that are turned away come again, all of them at once: what they hear is made
 * anew only when it would say something else, which the wait in it does once a second.
 */
export class Refusals {
  readonly #latest: Readonly<Record<ClientKind, Map<string, Remembered>>> = {
    'heeds-429': new Map(),
    'heeds-402': new Map(),
  }

  /** What a client of that kind is told by an exhausted pool. */
  answer({ dialect, client }: Hearer, pool: string, decision: Exhausted, now: At): Prepared {
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
