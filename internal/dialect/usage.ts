import type { At, Usage } from '../pool/pool.ts'
import { atDate, atEpoch, type HeaderLookup, inSeconds, resetValue } from './hints.ts'
import { fields, readJson, text } from './signal.ts'
import { families } from './unified.ts'

/** Whether a header can be part of what `usageOf` reads, so that answers without any cost one look per header. */
export function isUsageHeader(name: string): boolean {
  return /^(?:x-codex-|x-ratelimit-remaining-|anthropic-ratelimit-)/i.test(name)
}

/** What answers tell of limits: Codex windows, Claude plan windows, request and token limits of the APIs. */
export function usageOf(header: HeaderLookup, names: readonly string[], now: At): readonly Usage[] {
  return names.flatMap((name) => {
    for (const [pattern, read] of readers) {
      const [found, ...parts] = pattern.exec(name) ?? []
      const limit = found === undefined ? null : read(parts, header, now)
      if (limit && isPlausible(limit)) return [{ ...limit, seenAt: now, source: 'headers' as const }]
    }
    return []
  })
}

/** One limit, without when and how it was heard of. */
export type Limit = Omit<Usage, 'seenAt' | 'source'>

/** Where an upstream allows more than its limit it is a part more: what is far above is garbage. */
const mostPercent = 1_000
const longestMinutes = 366 * 1_440
const longestName = 64

/** Whether what was read can be a limit: names and numbers come from upstreams, and are shown and stored. */
export function isPlausible({ window, usedPercent }: Limit): boolean {
  return usedPercent >= 0 && usedPercent <= mostPercent && window.length <= longestName && /^[\x20-\x7e]+$/.test(window)
}

/** Whether that many minutes can be the length of a window. */
export function isLength(minutes: unknown): minutes is number {
  return typeof minutes === 'number' && minutes > 0 && minutes <= longestMinutes
}

type Reader = (parts: readonly (string | undefined)[], header: HeaderLookup, now: At) => Limit | null

const readers: readonly (readonly [RegExp, Reader])[] = [
  [/^x-codex-(?:(.+)-)?(primary|secondary)-used-percent$/, codex],
  [/^anthropic-ratelimit-unified-(.+)-utilization$/, unified],
  [/^x-ratelimit-remaining-(.+)$/, openai],
  [/^anthropic-ratelimit-(?!unified)(.+)-remaining$/, anthropic],
]

/**
 * A window without any length is none. Additional limits have headers with their name; on a turn that has such a limit, its
 * windows may also stand in place of the plan's.
 */
function codex([named, window]: readonly (string | undefined)[], header: HeaderLookup, now: At): Limit | null {
  const prefix = named === undefined ? 'x-codex' : `x-codex-${named}`
  const length = header(`${prefix}-${window}-window-minutes`)
  const minutes = Number(length)
  if (length !== undefined && minutes === 0) return null
  const limit = named ?? /^codex[-_](.+)/i.exec(header('x-codex-active-limit') ?? '')?.[1]
  const reset = `${prefix}-${window}-reset`
  return {
    ...windowOf(isLength(minutes) ? lengthOf(minutes) : String(window), limit, header(`x-codex-${limit}-limit-name`)),
    usedPercent: numberOf(header(`${prefix}-${window}-used-percent`)),
    resetAt: atEpoch(header(`${reset}-at`), now) ?? inSeconds(header(`${reset}-after-seconds`), now),
  }
}

/** The window's name, and what it limits where that is not the whole plan. */
export function windowOf(
  length: string,
  limit: string | undefined,
  model?: string,
): Pick<Limit, 'window' | 'isPartial' | 'family'> {
  if (limit === undefined) return { window: length }
  const family = model?.trim().toLowerCase()
  return { window: `${length}_${limit.toLowerCase()}`, isPartial: true, ...(family ? { family } : {}) }
}

/** Whether a message can be one that `limitsIn` reads, without a look at all of it. */
export function tellsOfLimits(message: string): boolean {
  return message.length < longestMessage && message.slice(0, typeWithin).includes('"codex.rate_limits"')
}

const longestMessage = 16_384
const typeWithin = 64

/** The limits that a message on a Codex WebSocket tells; empty for every other message. */
export function limitsIn(message: string, now: At): readonly Usage[] {
  const root = fields(readJson(message))
  if (root.type !== 'codex.rate_limits') return []
  const name = text(root.metered_limit_name)
  const limit = /^codex[-_](.+)/i.exec(name)?.[1] ?? (/^(?:codex)?$/i.test(name) ? undefined : name)
  const windows = fields(root.rate_limits)
  return [windows.primary, windows.secondary].flatMap((each) => {
    const { used_percent: used, window_minutes: minutes, reset_at: reset, reset_after_seconds: after } = fields(each)
    if (typeof used !== 'number' || !isLength(minutes)) return []
    const resetAt = atEpoch(reset, now) ?? inSeconds(after, now)
    const told = { ...windowOf(lengthOf(minutes), limit), usedPercent: used, resetAt }
    return isPlausible(told) ? [{ ...told, seenAt: now, source: 'headers' }] : []
  })
}

/** `utilization` is a part of 1. */
function unified([window]: readonly (string | undefined)[], header: HeaderLookup, now: At): Limit {
  const name = String(window)
  const used = numberOf(header(`anthropic-ratelimit-unified-${name}-utilization`))
  return {
    ...claudeWindow(name),
    usedPercent: used * 100,
    resetAt: atEpoch(header(`anthropic-ratelimit-unified-${name}-reset`), now),
  }
}

/** `5h` and `7d` are the plan's; `7d_opus`, `overage` and `slow-budget` limit something less. */
export function claudeWindow(window: string): Pick<Limit, 'window' | 'isPartial' | 'family'> {
  if (/^\d+[a-z]+$/.test(window)) return { window }
  const family = /^\d+[a-z]+_(.+)$/.exec(window)?.[1] ?? ''
  return { window, isPartial: true, ...(families.includes(family) ? { family } : {}) }
}

function openai([name]: readonly (string | undefined)[], header: HeaderLookup, now: At): Limit | null {
  const window = String(name)
  const resetAt = resetValue(header(`x-ratelimit-reset-${window}`), now)
  return remaining(window, header(`x-ratelimit-remaining-${window}`), header(`x-ratelimit-limit-${window}`), resetAt)
}

function anthropic([window]: readonly (string | undefined)[], header: HeaderLookup, now: At): Limit | null {
  const name = `anthropic-ratelimit-${window}`
  return remaining(
    String(window),
    header(`${name}-remaining`),
    header(`${name}-limit`),
    atDate(header(`${name}-reset`), now),
  )
}

function remaining(window: string, left: string | undefined, of: string | undefined, resetAt: At | null): Limit | null {
  const limit = numberOf(of)
  return limit > 0 ? { window, usedPercent: 100 * (1 - numberOf(left) / limit), resetAt } : null
}

function numberOf(text: string | undefined): number {
  return text === undefined || text.trim() === '' ? Number.NaN : Number(text)
}

/** A length as a window's name has it: `5h`, `7d`, `90min`. */
export function lengthOf(minutes: number): string {
  if (minutes % 1_440 === 0) return `${minutes / 1_440}d`
  return minutes % 60 === 0 ? `${minutes / 60}h` : `${minutes}min`
}
