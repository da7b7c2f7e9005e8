import type { At } from '../pool/pool.ts'
import { hintAt } from './hints.ts'

const minuteMs = 60_000

const unitMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  秒: 1_000,
  m: minuteMs,
  分: minuteMs,
  h: 60 * minuteMs,
  小: 60 * minuteMs,
  d: 24 * 60 * minuteMs,
  天: 24 * 60 * minuteMs,
}

const amount = String.raw`\d+(?:\.\d+)?\s*(?:milliseconds?|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d)(?![a-z])`
const afterWords = new RegExp(
  String.raw`\b(?:again|retry|retrying|resets?|wait|available|refresh(?:es)?|recovers?|resumes?)\b[^\d.]{0,40}(${amount}(?:(?:,|\s|and)*${amount})*)`,
  'i',
)
const beforeWords = /(\d+(?:\.\d+)?\s*(?:秒|分钟|小时|天))后/

const date = String.raw`(\d{4})[-/](\d\d)[-/](\d\d)(?:T| at |\s+)(\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?`
const offset = String.raw`\s*\(?(Z\b|(?:UTC|GMT)?[+-]\d\d?(?::?\d\d)?|UTC\b|GMT\b)?`
const instant = new RegExp(`\\b${date}${offset}`)

/**
 * When a sentence says that a limit ends: `2026-11-29 18:00:00` (in the zone that it names, else in `zone`, minutes east of
 * UTC; not at all when that is null), `try again in 1h43m56s`, `Please wait 30 seconds`; null when it says nothing of the
 * kind. Clamped like every hint.
 */
export function resetIn(sentence: string, zone: number | null, now: At): At | null {
  return instantIn(sentence, zone, now) ?? durationIn(sentence, now)
}

function instantIn(sentence: string, zone: number | null, now: At): At | null {
  const found = instant.exec(sentence)
  if (!found) return null
  const [year, month, day, hour, minute, second] = found.slice(1, 7).map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const east = found[7] === undefined ? zone : minutesEast(found[7])
  if (east === null) return null
  return hintAt(Date.UTC(year, month - 1, day, hour, minute, second) - east * minuteMs, now)
}

/** Minutes east of UTC of `Z`, `UTC`, `+0800`, `-07:00`, `UTC+8`. */
function minutesEast(zone: string): number {
  const [, sign, hours, minutes = '0'] = /([+-])(\d\d?):?(\d\d)?$/.exec(zone) ?? []
  if (hours === undefined) return 0
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes))
}

function durationIn(sentence: string, now: At): At | null {
  const found = (afterWords.exec(sentence) ?? beforeWords.exec(sentence))?.[1]
  if (found === undefined) return null
  let totalMs = 0
  for (const [, number, unit] of found.matchAll(/(\d+(?:\.\d+)?)\s*(ms|milli|[smhd秒分小天])/gi))
    totalMs += Number(number) * unitMs[unitOf(unit as string)]!
  return hintAt(now + Math.round(totalMs), now)
}

function unitOf(unit: string): string {
  const plain = unit.toLowerCase()
  return plain === 'milli' ? 'ms' : plain
}
