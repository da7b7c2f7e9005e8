import { z } from 'zod'
import { dollars, hourOf } from '../../ledger/ledger.ts'
import { type UsageDimension, type UsageSum, usageDimensions } from '../../store/store.ts'
import { oneOf } from '../names.ts'
import { instant } from '../present.ts'
import { sinceWhen } from '../since.ts'
import { type Call, verb } from '../verb.ts'

/** What went through in a stretch of time; a dimension that was not asked for is null. */
export interface UsageShape {
  from: string
  to: string
  /** The name of the client key. */
  key: string | null
  member: string | null
  /** Empty where neither request nor answer named one. */
  model: string | null
  pool: string | null
  /** Answers that were passed on. */
  requests: number
  /** Those of them that did not tell their tokens. */
  unmetered: number
  tokens: {
    /** All that was read, `cached` and `cacheWrite` included. */
    input: number
    cached: number
    cacheWrite: number
    /** All that was generated, `reasoning` included. */
    output: number
    reasoning: number
  }
  /** In dollars by list price; null where the price of a part is unknown. */
  cost: number | null
  /** The same of what has a price. */
  knownCost: number
  currency: 'USD'
  /** The day of the price list; null where none is at hand. */
  pricesAt: string | null
}

const asked: readonly UsageDimension[] = ['key', 'member', 'model']

export const usageVerbs = {
  usage: verb({
    method: 'GET',
    path: '/v1/usage',
    args: z.strictObject({
      /** RFC 3339, or how long ago, such as `7d`; rounded down to the hour. */
      since: z.string().default('7d'),
      /** `key`, `member`, `model` and `pool`, separated by commas; empty for one sum of all. */
      by: z.string().optional(),
    }),
    async run(call, { since, by }): Promise<UsageShape[]> {
      const now = call.clock.now()
      const from = hourOf(sinceWhen(since, now))
      const query = { from, to: now + 1, by: by === undefined ? asked : dimensions(by) }
      const sums = await (call.ledger?.sums(query) ?? call.store.usage(query))
      return [...sums].sort(byTokens).map((sum) => usageShape(call, sum, { from, to: now }))
    },
  }),
}

function dimensions(text: string): UsageDimension[] {
  const names = text.split(',').map((name) => name.trim())
  const found = names.filter((name) => name !== '').map((name) => oneOf('dimension of usage', name, usageDimensions))
  return [...new Set(found)]
}

/** Whoever uses most comes first. */
function byTokens(one: UsageSum, other: UsageSum): number {
  return other.input + other.output - one.input - one.output || other.requests - one.requests
}

function usageShape({ ledger }: Call, sum: UsageSum, { from, to }: { from: number; to: number }): UsageShape {
  const { key, member, model, pool, requests, unmetered, unpriced, cost } = sum
  const { input, cached, cacheWrite, output, reasoning } = sum
  const isKnown = unpriced === 0 && unmetered < requests
  return {
    from: instant(from),
    to: instant(to),
    key,
    member,
    model,
    pool,
    requests,
    unmetered,
    tokens: { input, cached, cacheWrite, output, reasoning },
    cost: isKnown ? dollars(cost) : null,
    knownCost: dollars(cost),
    currency: 'USD',
    pricesAt: ledger?.pricesAt ?? null,
  }
}
