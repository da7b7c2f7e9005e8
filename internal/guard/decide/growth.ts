import type { Totals } from '../isolated/tally.ts'

type Seen = Pick<Totals, 'after' | 'before' | 'lately' | 'hourBefore'>

/** Fewer files than this are no storm, whatever they are compared with. */
const fewest = 10
/** How many times the normal growth counts as a storm, and below how many times it is over. */
const storm = 3
const calm = 1.5
const latelyMs = 600_000
const hourMs = 3_600_000

/** Files made since the first error per file made in the same time before it, to one decimal; null when there was none before. */
export function multiplier({ after, before }: Pick<Totals, 'after' | 'before'>): number | null {
  return before.files === 0 ? null : Math.round((after.files / before.files) * 10) / 10
}

/** Whether the directory grows far faster since the pool's first error than before it. */
export function isFilling(seen: Seen): boolean {
  if (seen.after.files < fewest) return false
  const times = multiplier(seen)
  return (times === null || times >= storm) && !isCalm(seen, seen.hourBefore.files)
}

/** Whether what was written in the last ten minutes is what an hour like the one before the first error would bring. */
export function isCalm({ lately }: Pick<Totals, 'lately'>, filesPerHour: number): boolean {
  const normal = (filesPerHour * latelyMs) / hourMs
  return lately.files <= Math.max(1, normal * calm)
}

/** Bytes an hour since the first error; a minute is the least that is believed. */
export function growthSince({ after }: Pick<Totals, 'after'>, errorAt: number, now: number): number {
  return Math.round((after.bytes * hourMs) / Math.max(60_000, now - errorAt))
}

/** When the free space is used up at this growth; null when nothing grows, or later than a year. */
export function fullAt(freeBytes: number, bytesPerHour: number, now: number): number | null {
  if (bytesPerHour <= 0) return null
  const leftMs = (freeBytes / bytesPerHour) * hourMs
  return leftMs > 365 * 24 * hourMs ? null : Math.round(now + leftMs)
}
