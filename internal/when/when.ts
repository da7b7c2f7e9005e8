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
  const wordsOf = wordsIn(timeZone)
  return (at, now) => {
    const isFar = Math.abs(at - now) >= dayMs
    const told = wordsOf(roundedUp(at, isFar ? minuteMs : secondMs))
    const zoned = `${isFar ? told.minute : told.second} ${told.zone}`
    return told.date === wordsOf(now).date ? zoned : `${told.date} ${zoned}`
  }
}

/** Says what has been written down, always to its very second: `2026-01-05 20:13:15 UTC`, without the date when that is today's. */
export function stampsIn(timeZone?: string): SayInstant {
  const wordsOf = wordsIn(timeZone)
  return (at, now) => {
    const { date, second, zone } = wordsOf(at)
    return date === wordsOf(now).date ? `${second} ${zone}` : `${date} ${second} ${zone}`
  }
}

/** An instant in words: `2026-01-05`, `20:13`, `20:13:15` and `UTC+1`. */
interface InstantWords {
  readonly date: string
  readonly minute: string
  readonly second: string
  readonly zone: string
}

/** The machine's own zone as it is at the call: nothing of it is kept. */
function localWords(at: number): InstantWords {
  const told = new Date(at)
  const minute = `${two(told.getHours())}:${two(told.getMinutes())}`
  return {
    date: dayOf(told),
    minute,
    second: `${minute}:${two(told.getSeconds())}`,
    zone: offset(-told.getTimezoneOffset()),
  }
}

function dayOf(day: Date): string {
  return [day.getFullYear(), two(day.getMonth() + 1), two(day.getDate())].join('-')
}

/** `UTC`, `UTC+1`, `UTC-9:30`. */
function offset(minutes: number): string {
  if (minutes === 0) return 'UTC'
  const size = Math.abs(minutes)
  const rest = size % 60 === 0 ? '' : `:${two(size % 60)}`
  return `UTC${minutes < 0 ? '-' : '+'}${Math.floor(size / 60)}${rest}`
}

function wordsIn(timeZone: string | undefined): (at: number) => InstantWords {
  if (timeZone === undefined) return localWords
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
    timeZone,
  })
  return (at) => {
    const parts = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]))
    const minute = `${parts.hour}:${parts.minute}`
    return {
      date: `${parts.year}-${parts.month}-${parts.day}`,
      minute,
      second: `${minute}:${parts.second}`,
      zone: zoneOf(parts.timeZoneName ?? 'UTC'),
    }
  }
}

/** An instant as seen from `now`: `in 4 min`, `2 h ago`, `now`. */
export function relative(at: number, now: number): string {
  const ms = at - now
  if (Math.abs(ms) < secondMs) return 'now'
  return ms > 0 ? `in ${span(ms)}` : `${span(-ms)} ago`
}

/** An instant as this machine's time of day, with the date before it unless it is today's: `14:05:00`. */
export function timeOfDay(at: number, now: number): string {
  const told = localWords(at)
  return told.date === dayOf(new Date(now)) ? told.second : `${told.date} ${told.second}`
}

function two(number: number): string {
  return String(number).padStart(2, '0')
}

/** UTC, for those whose zone nobody knows. */
export const inUtc = instantsIn('UTC')

/** Says an instant within days as `Thu 14:00`, in a time zone (an IANA name) or the machine's own. */
export function weekdayIn(timeZone?: string): (at: number) => string {
  const format = new Intl.DateTimeFormat('en-GB', {
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    ...(timeZone === undefined ? {} : { timeZone }),
  })
  return (at) => {
    const parts = format.formatToParts(roundedUp(at, minuteMs))
    const of = (wanted: string) => parts.find(({ type }) => type === wanted)?.value ?? ''
    return `${of('weekday')} ${of('hour')}:${of('minute')}`
  }
}

/** How far a time zone (an IANA name), or the machine's own, is ahead of UTC at an instant, in ms. */
export function zoneOffset(timeZone: string | null): (at: number) => number {
  if (timeZone === null) return (at) => -new Date(at).getTimezoneOffset() * minuteMs
  const format = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' })
  return (at) => {
    const name = format.formatToParts(at).find(({ type }) => type === 'timeZoneName')?.value ?? ''
    const [, sign, hours, minutes] = /([+-])(\d\d):(\d\d)/.exec(name) ?? []
    return (sign === '-' ? -1 : 1) * (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * minuteMs
  }
}

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
