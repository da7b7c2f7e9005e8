import type { At } from '../outcome.ts'
import type { Usage } from './usage.ts'

/** How fast requests use a limit up: what was seen of it, newest last. */
export interface Burn {
  readonly usedPercent: number
  readonly resetAt: At | null
  readonly seenAt: At
  /** Requests since the percentage last grew. */
  readonly pending: number
  readonly stretches: readonly Stretch[]
}

/** So many requests used so many percent. */
interface Stretch {
  readonly work: number
  readonly percent: number
}

/** How many percent of one limit a request uses; `isSure` is false while it can only be bounded from above. */
export interface Rate {
  readonly percentPerWork: number
  readonly isSure: boolean
}

/** So much of the newest is looked at, in percent: enough to even out whole numbers, little enough to see that a plan has changed. */
const memory = 20
const leastKnown = 2
/** Less than a percent: the next whole one would have been said. */
const largestPart = 0.95
/** Two words on the same reset differ by less than this, in ms. */
const sameResetMs = 600_000

/** What is known after the limit was heard of again, with the requests in between. */
export function burnAfter(burn: Burn | undefined, { usedPercent, resetAt, seenAt }: Usage, work: number): Burn {
  if (!burn) return { usedPercent, resetAt, seenAt, pending: 0, stretches: [] }
  const grown = usedPercent - burn.usedPercent
  // Where a limit begins anew, the plan may be another one.
  if (grown < 0 || !isSameReset(burn.resetAt, resetAt)) {
    return { usedPercent, resetAt, seenAt, pending: 0, stretches: newest(burn.stretches, memory / 2) }
  }
  const pending = burn.pending + work
  if (grown === 0) return { ...burn, resetAt, seenAt, pending }
  const stretches = newest([...burn.stretches, { work: pending, percent: grown }], memory)
  return { usedPercent, resetAt, seenAt, pending: 0, stretches }
}

/** How fast the limit is used; null where no request has been seen. */
export function rateOf({ stretches, pending }: Burn): Rate | null {
  const percent = sumOf(stretches, 'percent')
  const work = sumOf(stretches, 'work')
  if (percent < leastKnown || work === 0) {
    const seen = work + pending
    return seen === 0 ? null : { percentPerWork: (percent + 1) / seen, isSure: false }
  }
  // A percent that takes longer than before counts, although its end is not seen yet.
  const overdue = Math.max(0, pending - work / percent)
  return { percentPerWork: percent / (work + overdue), isSure: true }
}

/**
 * How much of the limit is used, in percent. Where an upstream says whole percents, the requests since the last of them
 * have used a part of the next.
 */
export function usedNow(burn: Burn | undefined, { usedPercent }: Usage, rate: Rate): number {
  if (burn?.usedPercent !== usedPercent || !Number.isInteger(usedPercent)) return usedPercent
  return usedPercent + Math.min(burn.pending * rate.percentPerWork, largestPart)
}

function isSameReset(one: At | null, other: At | null): boolean {
  return one === null || other === null || Math.abs(one - other) < sameResetMs
}

/** The newest stretches in which at least so many percent were used. */
function newest(stretches: readonly Stretch[], least: number): readonly Stretch[] {
  let percent = 0
  let first = stretches.length
  while (first > 0 && percent < least) percent += stretches[--first]!.percent
  return stretches.slice(first)
}

function sumOf(stretches: readonly Stretch[], field: keyof Stretch): number {
  return stretches.reduce((sum, stretch) => sum + stretch[field], 0)
}
