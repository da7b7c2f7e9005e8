import type { At, Usage } from '../pool/pool.ts'
import { atDate, atEpoch, inSeconds } from './hints.ts'
import { type Fields, fields, isFields, list, text } from './signal.ts'
import { families } from './unified.ts'
import { claudeWindow, isLength, isPlausible, type Limit, lengthOf, windowOf } from './usage.ts'

/** What a provider's own usage endpoint says of a login. */
export interface Look {
  readonly usage: readonly Usage[]
  /** Whether the provider says that the login may be used; null: it does not say. */
  readonly isAllowed: boolean | null
}

/** Where a login can be asked how much of its limits is used, without using any of it. */
export interface UsageEndpoint {
  /** Its address, beside that to which requests of the login go. */
  urlOf(baseUrl: string): string
  /** What a parsed answer says; no limits when it cannot be understood. */
  read(body: unknown, now: At): Look
}

/** The usage endpoint for logins of that provider; null where there is none. */
export function usageEndpoint(provider: string): UsageEndpoint | null {
  return endpoints[provider] ?? null
}

const endpoints: Readonly<Record<string, UsageEndpoint | undefined>> = {
  codex: { urlOf: (base) => `${trimmed(base).replace(/\/codex$/, '')}/wham/usage`, read: codexLook },
  anthropic: { urlOf: (base) => `${trimmed(base).replace(/\/v1$/, '')}/api/oauth/usage`, read: claudeLook },
}

function trimmed(base: string): string {
  return base.replace(/\/+$/, '')
}

function looked(limits: readonly (Limit | null)[], now: At): readonly Usage[] {
  const latest = new Map(
    limits.flatMap((limit) => (limit && isPlausible(limit) ? [[limit.window, limit] as const] : [])),
  )
  return [...latest.values()].map((limit) => ({ ...limit, seenAt: now, source: 'look' }))
}

/** `rate_limit` is the plan's, with a window or two; `additional_rate_limits` are those of some models. */
function codexLook(body: unknown, now: At): Look {
  const root = fields(body)
  const plan = fields(root.rate_limit)
  const more = list(root.additional_rate_limits).map(fields)
  const named = more.flatMap((one) => {
    const limit = text(one.metered_feature).replace(/^codex[-_]/i, '') || text(one.limit_name)
    return limit === '' ? [] : codexWindows(fields(one.rate_limit), now, { limit, model: text(one.limit_name) })
  })
  const { allowed, limit_reached: isReached } = plan
  const isAllowed = allowed === false || isReached === true ? false : allowed === true ? true : null
  return { usage: looked([...codexWindows(plan, now), ...named], now), isAllowed }
}

function codexWindows(rateLimit: Fields, now: At, of?: { limit: string; model: string }): (Limit | null)[] {
  return [rateLimit.primary_window, rateLimit.secondary_window].map((window) => {
    if (!isFields(window)) return null
    const minutes = Math.round(numberOf(window.limit_window_seconds) / 60)
    if (!isLength(minutes)) return null
    return {
      ...windowOf(lengthOf(minutes), of?.limit, of?.model),
      usedPercent: numberOf(window.used_percent),
      resetAt: atEpoch(window.reset_at, now) ?? inSeconds(window.reset_after_seconds, now),
    }
  })
}

const lengths: Readonly<Record<string, string>> = { five_hour: '5h', seven_day: '7d' }
const kinds: Readonly<Record<string, string>> = { session: '5h', weekly_all: '7d', weekly_scoped: '7d' }

/** `five_hour`, `seven_day` and `seven_day_opus` with their `utilization` in percent; newer answers have `limits` as well. */
function claudeLook(body: unknown, now: At): Look {
  const root = fields(body)
  const plain = Object.entries(root).map(([name, window]) => {
    const [, length = '', suffix] = /^(five_hour|seven_day)(?:_(.+))?$/.exec(name) ?? []
    const known = lengths[length]
    if (known === undefined || !isFields(window)) return null
    return claudeLimit(suffix ? `${known}_${suffix}` : known, window.utilization, window.resets_at, now)
  })
  const listed = list(root.limits).map((each) => {
    const limit = fields(each)
    const length = kinds[text(limit.kind)]
    if (length === undefined) return null
    const model = text(fields(fields(limit.scope).model).display_name).toLowerCase()
    const scoped = text(limit.kind) === 'weekly_scoped'
    if (scoped && !families.includes(model)) return null
    return claudeLimit(scoped ? `${length}_${model}` : length, limit.percent, limit.resets_at, now)
  })
  return { usage: looked([...plain, ...listed], now), isAllowed: null }
}

function claudeLimit(window: string, percent: unknown, reset: unknown, now: At): Limit {
  return { ...claudeWindow(window), usedPercent: numberOf(percent), resetAt: atDate(reset, now) ?? atEpoch(reset, now) }
}

function numberOf(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : Number.NaN
}
