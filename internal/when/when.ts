/**
 * How lengths of time and instants are said to people, one way for notices, answers to agents and the command line.
 * Instants are rounded up, so that whoever comes back at the time that is told does not come too early.
 */

const secondMs = 1_000
const minuteMs = 60_000
const dayMs = 86_400_000

/** Says an instant (ms since 1970) as seen at `now`: `20:13:15 UTC`, and with the date when that is not today's. */
export type SayInstant = (at: number, now: number) => string

/** Says instants in a time zone (an IANA name); in the machine's own when there is none. */
export function instantsIn(timeZone?: string): SayInstant {
  // Swedish dates are ISO 8601: 2026-01-05 14:05:00.
  const format = new Intl.DateTimeFormat('sv-SE', {
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
    timeZoneName: 'shortOffset',
    ...(timeZone === undefined ? {} : { timeZone }),
  })
  const partsOf = (at: number) =>
    Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value])) as Record<string, string>
  const dateOf = ({ year, month, day }: Record<string, string>) => `${year}-${month}-${day}`
  return (at, now) => {
    const isFar = Math.abs(at - now) >= dayMs
    const told = partsOf(roundedUp(at, isFar ? minuteMs : secondMs))
    const time = [told.hour, told.minute, ...(isFar ? [] : [told.second])].join(':')
    const zoned = `${time} ${zoneOf(told.timeZoneName ?? 'UTC')}`
    const date = dateOf(told)
    return date === dateOf(partsOf(now)) ? zoned : `${date} ${zoned}`
  }
}

/** UTC, for those whose zone nobody knows. */
export const inUtc = instantsIn('UTC')

/** `in 45 s (20:13:15 UTC)`; `now (20:13:15 UTC)` for what is due. */
export function inTime(at: number, now: number, say: SayInstant): string {
  const left = roundedUp(at, secondMs) - now
  return left <= 0 ? `now (${say(at, now)})` : `in ${span(roundedUp(left, secondMs))} (${say(at, now)})`
}

/** `at 20:13:15 UTC (in 45 s)`. */
export function atTime(at: number, now: number, say: SayInstant): string {
  return `at ${say(at, now)} (in ${span(roundedUp(at, secondMs) - now)})`
}

/** The minute by which that instant has come, in UTC: `20:14 UTC`, and with the date when that is not today's. */
export function minuteInUtc(at: number, now: number): string {
  return inUtc(roundedUp(at, minuteMs), now).replace(/(\d\d:\d\d):00 /, '$1 ')
}

/** `from 14:00:00 to 14:12:00 UTC`. */
export function fromTo(from: number, to: number, now: number, say: SayInstant): string {
  const end = say(to, now)
  const zone = end.slice(end.lastIndexOf(' '))
  const begin = say(from, now)
  return `from ${begin.endsWith(zone) ? begin.slice(0, -zone.length) : begin} to ${end}`
}

/** How long it is from one instant to another, as both are said: `26 s`. */
export function between(from: number, to: number): string {
  return span(roundedUp(to, secondMs) - roundedUp(from, secondMs))
}

/** How long something takes, in the two largest units that people say: `45 s`, `12 min`, `3 h 5 min`, `2 d 4 h`. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / secondMs))
  if (seconds < 120) return `${seconds} s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 60) return `${minutes} min`
  if (minutes < 24 * 60) return pair([Math.floor(minutes / 60), 'h'], [minutes % 60, 'min'])
  const hours = Math.round(minutes / 60)
  return pair([Math.floor(hours / 24), 'd'], [hours % 24, 'h'])
}

function pair([large, largeUnit]: [number, string], [small, smallUnit]: [number, string]): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`
}

/** `GMT+1` and `GMT−5` as the standards have it: `UTC+1`, `UTC-5`. */
function zoneOf(name: string): string {
  return name
    .replace('GMT', 'UTC')
    .replace('\u2212', '-')
    .replace(/[+-]0$/, '')
}

function roundedUp(at: number, stepMs: number): number {
  return Math.ceil(at / stepMs) * stepMs
}
