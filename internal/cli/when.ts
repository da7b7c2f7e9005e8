import { instantsIn, relative as seenFrom, stampsIn, timeOfDay } from '../when/when.ts'

/** An RFC 3339 instant as seen from `now`: `in 4 min`, `2 h ago`, `now`. */
export function relative(instant: string, now: number): string {
  return seenFrom(Date.parse(instant), now)
}

/** An RFC 3339 instant as local time of day, with the date before it unless it is today's: `14:05:00`. */
export function localTime(instant: string, now: number): string {
  return timeOfDay(Date.parse(instant), now)
}

/** An instant for a table: relative, or a dash for none. */
export function relativeOr(instant: string | null, now: number, none = '-'): string {
  return instant === null ? none : relative(instant, now)
}

/** How a list says its RFC 3339 instants, seen from `now`. */
export interface Times {
  /** `20:13:15 UTC+1`: when something will be. */
  at(instant: string): string
  /** `2026-01-05 20:13:15 UTC+1`: when something was. */
  stamp(instant: string): string
}

/** Says instants in this machine's zone. */
export function timesAt(now: number): Times {
  const [say, stamp] = [instantsIn(), stampsIn()]
  return { at: (instant) => say(Date.parse(instant), now), stamp: (instant) => stamp(Date.parse(instant), now) }
}
