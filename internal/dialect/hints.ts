import type { At } from '../pool/pool.ts'

const secondMs = 1_000
const minuteMs = 60 * secondMs
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

/** No hint reaches farther than 7 days (docs/signals.md, "When it ends"), in ms. */
const longestHintMs = 7 * dayMs

/** Reads one header by its lower-case name. */
export type HeaderLookup = (name: string) => string | undefined

/** One limit of several: whether the upstream says that it is used up (null: it does not say), and when it resets. */
export interface Window {
  readonly exhausted: boolean | null
  readonly at: At | null
}

/** The instant as a hint: null when it is not in the future or not a number, at most 7 days ahead. */
export function hintAt(at: number, now: At): At | null {
  return at > now ? Math.min(at, now + longestHintMs) : null
}

/** A hint that many seconds ahead; takes a number or a plain decimal, null for anything else. */
export function inSeconds(value: unknown, now: At): At | null {
  return hintAt(now + Math.round(decimal(value) * secondMs), now)
}

/** A hint at an epoch time, in seconds or (from 1e11, which as seconds would be the year 5138) in milliseconds. */
export function atEpoch(value: unknown, now: At): At | null {
  const epoch = decimal(value)
  return hintAt(Math.round(epoch >= 1e11 ? epoch : epoch * secondMs), now)
}

/** A hint at an RFC 3339 instant or an HTTP date; looser forms are not read, because Date.parse accepts nearly anything. */
export function atDate(value: unknown, now: At): At | null {
  const text = typeof value === 'string' ? value.trim() : ''
  const isDate = /^\d{4}-\d\d-\d\dT/.test(text) || /^[A-Za-z]{3,9}, .* GMT$/.test(text)
  return isDate ? hintAt(Date.parse(text), now) : null
}

/** A hint after a duration such as `6m0s`, `20ms`, `46.2s`. */
export function afterDuration(value: unknown, now: At): At | null {
  if (typeof value !== 'string' || !/^\s*(?:\d+(?:\.\d+)?(?:ms|[dhms]))+\s*$/.test(value)) return null
  let totalMs = 0
  for (const [, amount, unit] of value.matchAll(/(\d+(?:\.\d+)?)(ms|[dhms])/g)) totalMs += Number(amount) * unitMs(unit)
  return hintAt(now + Math.round(totalMs), now)
}

/** The hint of `retry-after-ms`, which is the finer one, else of `Retry-After` (seconds or HTTP date). */
export function retryAfter(header: HeaderLookup, now: At): At | null {
  const ms = hintAt(now + Math.round(decimal(header('retry-after-ms'))), now)
  if (ms !== null) return ms
  return inSeconds(header('retry-after'), now) ?? atDate(header('retry-after'), now)
}

/** A number from here on is an instant (1973 as seconds), a smaller one is a number of seconds. */
const leastEpoch = 1e8

/** When a rate-limit window resets: a duration (`6m0s`), a date, an epoch (s or ms) or a number of seconds. */
export function resetValue(value: unknown, now: At): At | null {
  const number = decimal(value)
  if (Number.isNaN(number)) return afterDuration(value, now) ?? atDate(value, now)
  return number >= leastEpoch ? atEpoch(number, now) : inSeconds(number, now)
}

const resetName = /^(?:x-)?ratelimit(?:bysize)?-(?:.+-)?reset(?:-.+)?$/

/**
 * The windows that headers tell of: `x-ratelimit-reset`, `x-ratelimit-reset-tokens`, `ratelimit-reset`,
 * `ratelimitbysize-reset` with their `remaining`; GitHub's `x-ratelimit-timeremaining`; the IETF's `RateLimit`.
 */
export function rateLimitWindows(header: HeaderLookup, names: readonly string[], now: At): Window[] {
  const windows = ietfWindows(header('ratelimit'), now)
  for (const name of names) {
    if (name === 'x-ratelimit-timeremaining') windows.push({ exhausted: null, at: inSeconds(header(name), now) })
    if (!resetName.test(name)) continue
    const remaining = header(name.replace('reset', 'remaining'))
    windows.push({ exhausted: usedUp(remaining), at: resetValue(header(name), now) })
  }
  return windows
}

/**
 * The windows of `RateLimit`: `"default";r=0;t=50, "daily";r=120;t=3600` of the later IETF drafts (draft-ietf-httpapi-
 * ratelimit-headers), `limit=100, remaining=0, reset=50` of the earlier ones.
 */
function ietfWindows(value: string | undefined, now: At): Window[] {
  if (value === undefined) return []
  const items = value.includes(';') ? value.split(',') : [value]
  return items.map((item) => ({
    exhausted: usedUp(/\b(?:r|remaining)=(\d+)/.exec(item)?.[1]),
    at: inSeconds(/\b(?:t|reset)=(\d+)/.exec(item)?.[1], now),
  }))
}

/** Whether a `remaining` header says that nothing is left; null when it says nothing (absent, negative, unreadable). */
export function usedUp(remaining: string | undefined): boolean | null {
  const left = decimal(remaining)
  return Number.isNaN(left) ? null : left === 0
}

/** The latest reset among the exhausted windows; those that do not say count only when none says that it is exhausted. */
export function latestExhausted(windows: readonly Window[]): At | null {
  const declared = windows.filter((window) => window.exhausted === true)
  const silent = windows.filter((window) => window.exhausted === null)
  return latest((declared.length > 0 ? declared : silent).map((window) => window.at))
}

/** The latest of several hints; null when there is none. */
export function latest(hints: readonly (At | null)[]): At | null {
  return hints.reduce((late, at) => (late === null || (at !== null && at > late) ? at : late), null)
}

/**
 * What a body says in `resets_at` or `reset_at` (epoch or a date) or, failing that, as seconds in `resets_in_seconds`,
 * `reset_after_seconds`, `retry_after_seconds` or `retry_after`.
 */
export function bodyReset(error: Readonly<Record<string, unknown>>, now: At): At | null {
  for (const at of [error.resets_at, error.reset_at]) {
    const reset = atDate(at, now) ?? atEpoch(at, now)
    if (reset !== null) return reset
  }
  const seconds = [error.resets_in_seconds, error.reset_after_seconds, error.retry_after_seconds, error.retry_after]
  return seconds.reduce<At | null>((found, value) => found ?? inSeconds(value, now), null)
}

/** A plain non-negative decimal, as a number or as text; NaN for anything else (`1e9`, `-1`, `0x10`, null). */
function decimal(value: unknown): number {
  if (typeof value === 'number') return value >= 0 ? value : Number.NaN
  return typeof value === 'string' && /^\s*\d+(?:\.\d+)?\s*$/.test(value) ? Number(value) : Number.NaN
}

function unitMs(unit: string | undefined): number {
  switch (unit) {
    case 'd':
      return dayMs
    case 'h':
      return hourMs
    case 'm':
      return minuteMs
    case 's':
      return secondMs
    default:
      return 1
  }
}
