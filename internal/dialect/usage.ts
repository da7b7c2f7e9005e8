import type { At, Usage } from '../pool/pool.ts'
import { atDate, atEpoch, type HeaderLookup, inSeconds, resetValue } from './hints.ts'

/** Whether a header can be part of what `usageOf` reads, so that answers without any cost one look per header. */
export function isUsageHeader(name: string): boolean {
  return /^(?:x-codex-|x-ratelimit-remaining-|anthropic-ratelimit-)/i.test(name)
}

/** What successful answers tell of limits: Codex windows, Claude plan windows, request and token limits of the APIs. */
export function usageOf(header: HeaderLookup, names: readonly string[], now: At): readonly Usage[] {
  return names.flatMap((name) => {
    for (const [pattern, read] of readers) {
      const window = pattern.exec(name)?.[1]
      const usage = window === undefined ? null : read(window, header, now)
      if (usage && Number.isFinite(usage.usedPercent) && usage.usedPercent >= 0) return [usage]
    }
    return []
  })
}

type Reader = (window: string, header: HeaderLookup, now: At) => Usage | null

const readers: readonly (readonly [RegExp, Reader])[] = [
  [/^x-codex-(primary|secondary)-used-percent$/, codex],
  [/^anthropic-ratelimit-unified-(.+)-utilization$/, unified],
  [/^x-ratelimit-remaining-(.+)$/, openai],
  [/^anthropic-ratelimit-(?!unified)(.+)-remaining$/, anthropic],
]

/** A window without any length is none. On a turn that has an additional limit, its windows stand in place of the plan's. */
function codex(window: string, header: HeaderLookup, now: At): Usage | null {
  const length = header(`x-codex-${window}-window-minutes`)
  const minutes = Number(length)
  if (length !== undefined && minutes === 0) return null
  const isPartial = /^codex[-_]./i.test(header('x-codex-active-limit') ?? '')
  return {
    window: minutes > 0 ? lengthOf(minutes) : window,
    ...(isPartial ? { isPartial } : {}),
    usedPercent: numberOf(header(`x-codex-${window}-used-percent`)),
    resetAt:
      atEpoch(header(`x-codex-${window}-reset-at`), now) ??
      inSeconds(header(`x-codex-${window}-reset-after-seconds`), now),
  }
}

/** `utilization` is a part of 1. */
function unified(window: string, header: HeaderLookup, now: At): Usage {
  const used = numberOf(header(`anthropic-ratelimit-unified-${window}-utilization`))
  // `5h` and `7d` are the plan's; `7d_opus`, `overage` and `slow-budget` limit something less.
  const isPartial = !/^\d+[a-z]+$/.test(window)
  return {
    window,
    ...(isPartial ? { isPartial } : {}),
    usedPercent: used * 100,
    resetAt: atEpoch(header(`anthropic-ratelimit-unified-${window}-reset`), now),
  }
}

function openai(window: string, header: HeaderLookup, now: At): Usage | null {
  const resetAt = resetValue(header(`x-ratelimit-reset-${window}`), now)
  return remaining(window, header(`x-ratelimit-remaining-${window}`), header(`x-ratelimit-limit-${window}`), resetAt)
}

function anthropic(window: string, header: HeaderLookup, now: At): Usage | null {
  const name = `anthropic-ratelimit-${window}`
  return remaining(window, header(`${name}-remaining`), header(`${name}-limit`), atDate(header(`${name}-reset`), now))
}

function remaining(window: string, left: string | undefined, of: string | undefined, resetAt: At | null): Usage | null {
  const limit = numberOf(of)
  return limit > 0 ? { window, usedPercent: 100 * (1 - numberOf(left) / limit), resetAt } : null
}

function numberOf(text: string | undefined): number {
  return text === undefined || text.trim() === '' ? Number.NaN : Number(text)
}

function lengthOf(minutes: number): string {
  if (minutes % 1_440 === 0) return `${minutes / 1_440}d`
  return minutes % 60 === 0 ? `${minutes / 60}h` : `${minutes}min`
}
