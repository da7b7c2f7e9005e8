const units = [
  { name: 'd', ms: 86_400_000 },
  { name: 'h', ms: 3_600_000 },
  { name: 'min', ms: 60_000 },
  { name: 's', ms: 1_000 },
] as const

/** A length of time in its largest unit, rounded: `4 min`, `2 h`, `0 s`. */
export function span(ms: number): string {
  const seconds = Math.round(Math.abs(ms) / 1000) * 1000
  const unit = units.find((candidate) => seconds >= candidate.ms) ?? units[3]
  return `${Math.round(seconds / unit.ms)} ${unit.name}`
}

/** An RFC 3339 instant as seen from `now`: `in 4 min`, `2 h ago`, `now`. */
export function relative(instant: string, now: number): string {
  const ms = Date.parse(instant) - now
  if (Math.abs(ms) < 1000) return 'now'
  return ms > 0 ? `in ${span(ms)}` : `${span(ms)} ago`
}

/** An RFC 3339 instant as local time of day, with the date before it unless it is today's: `14:05:00`. */
export function localTime(instant: string, now: number): string {
  const at = new Date(instant)
  const today = new Date(now)
  const time = [at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(':')
  const date = (day: Date) => [day.getFullYear(), two(day.getMonth() + 1), two(day.getDate())].join('-')
  return date(at) === date(today) ? time : `${date(at)} ${time}`
}

function two(number: number): string {
  return String(number).padStart(2, '0')
}

/** An instant for a table: relative, or a dash for none. */
export function relativeOr(instant: string | null, now: number, none = '-'): string {
  return instant === null ? none : relative(instant, now)
}
