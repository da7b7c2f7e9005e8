import type { At } from '../outcome.ts'

/** Samples are this long while they are new, in ms. */
export const slotMs = 300_000
const hourMs = 3_600_000
const dayMs = 86_400_000
/** How long slots are kept before only hours are, and how long hours are, in ms. */
export const slotsKeptMs = 2 * dayMs
export const hoursKeptMs = 30 * dayMs

/** What counts as now: the latest two hours. */
const recentMs = 2 * hourMs
/** By how much of its size a departure from the usual has faded after this time: to 1/e. */
const fadingMs = 3 * hourMs
/** Hours of the same kind count half for each week that they are older. */
const weekMs = 7 * dayMs
/** How far ahead an hour of a kind that was never seen is taken to be like now: once a day was seen, and at least before that. */
const shortSightMs = 3 * hourMs
const firstSightMs = 6 * hourMs

/** The beginning of the slot that `at` lies in. */
export function slotOf(at: At): At {
  return at - (at % slotMs)
}

/** How many requests a pool has had, in slots of 5 min for two days and in hours for thirty. */
export class Demand {
  readonly #slots = new Map<At, number>()
  readonly #hours = new Map<At, number>()
  /** Hours in which nobody could serve for a while. */
  readonly #blank = new Set<At>()
  /** The beginning of the first slot that was counted; null before. */
  fromAt: At | null = null

  /** Counts the requests of the slot that begins at `at`; slots come in any order. */
  add(at: At, work: number): void {
    if (work <= 0) return
    this.fromAt = Math.min(this.fromAt ?? at, at)
    this.#slots.set(at, (this.#slots.get(at) ?? 0) + work)
    const hour = at - (at % hourMs)
    this.#hours.set(hour, (this.#hours.get(hour) ?? 0) + work)
  }

  /** In the slot that begins at `at` nobody could serve: what was asked in its hour says nothing. */
  blank(at: At): void {
    this.#blank.add(at - (at % hourMs))
  }

  /** Forgets what is older than is kept. */
  forget(now: At): void {
    for (const at of this.#slots.keys()) if (at < now - slotsKeptMs) this.#slots.delete(at)
    for (const at of this.#hours.keys()) if (at < now - hoursKeptMs) this.#hours.delete(at)
    for (const at of this.#blank) if (at < now - hoursKeptMs) this.#blank.delete(at)
    if (this.fromAt !== null) this.fromAt = Math.max(this.fromAt, now - hoursKeptMs)
  }

  /** In how many slots there were requests, of those that are kept. */
  get samples(): number {
    return this.#slots.size
  }

  /** Requests in the span before `now`, `ms` long. */
  within(now: At, ms: number): number {
    let work = 0
    for (let at = slotOf(now - ms); at < now; at += slotMs) work += this.#slots.get(at) ?? 0
    return work
  }

  /** Requests in the hour that begins at `at`; null when nobody could serve for a part of it. */
  hour(at: At): number | null {
    return this.#blank.has(at) ? null : (this.#hours.get(at) ?? 0)
  }
}

/** Gives the requests per hour to be expected at an instant; null where nothing can be said. */
export type Expected = (at: At) => number | null

/**
 * What to expect after `now`, which is the end of a slot: an hour is like the same hour of earlier days, workdays and weekends
 * apart, in the zone that is `offsetMs` ahead of UTC; what departs from that now fades within hours. An hour of a kind that was
 * never seen is like now: for three hours, on the first day for six or as long as was seen.
 */
export function expectedAfter(demand: Demand, now: At, offsetMs: number): Expected {
  const { fromAt } = demand
  if (fromAt === null) return () => null
  const usual = usualHours(demand, { fromAt, now, offsetMs })
  const spanMs = Math.min(recentMs, now - fromAt)
  const recent = spanMs > 0 ? demand.within(now, spanMs) / (spanMs / hourMs) : 0
  const departure = recent - meanUsual(usual, { now, spanMs, recent, offsetMs })
  const seenMs = now - fromAt
  const sightMs = seenMs < dayMs ? Math.max(firstSightMs, seenMs) : shortSightMs
  return (at) => {
    const lead = at - now
    const mean = usual.get(kindOf(at, offsetMs))
    if (mean !== undefined) return Math.max(0, mean + departure * Math.exp(-lead / fadingMs))
    return lead < sightMs ? recent : null
  }
}

/** What kind of hour it is: of a workday or a weekend, and which. The epoch began on a Thursday. */
function kindOf(at: At, offsetMs: number): number {
  const hours = Math.floor((at + offsetMs) / hourMs)
  const day = (Math.floor(hours / 24) + 4) % 7
  return (hours % 24) + (day === 0 || day === 6 ? 24 : 0)
}

/** The requests of each kind of hour that was seen whole, on average. */
function usualHours(
  demand: Demand,
  { fromAt, now, offsetMs }: { fromAt: At; now: At; offsetMs: number },
): Map<number, number> {
  const sums = new Map<number, { work: number; weight: number }>()
  for (let at = Math.ceil(fromAt / hourMs) * hourMs; at + hourMs <= now; at += hourMs) {
    const work = demand.hour(at)
    if (work === null) continue
    const kind = kindOf(at, offsetMs)
    const sum = sums.get(kind) ?? { work: 0, weight: 0 }
    const weight = 2 ** ((at - now) / weekMs)
    sums.set(kind, { work: sum.work + weight * work, weight: sum.weight + weight })
  }
  return new Map([...sums].map(([kind, { work, weight }]) => [kind, work / weight]))
}

/** What was usual in the span before `now`; what was never seen before is usual. */
function meanUsual(
  usual: ReadonlyMap<number, number>,
  { now, spanMs, recent, offsetMs }: { now: At; spanMs: number; recent: number; offsetMs: number },
): number {
  let sum = 0
  let slots = 0
  for (let at = slotOf(now - spanMs); at < now; at += slotMs) {
    sum += usual.get(kindOf(at, offsetMs)) ?? recent
    slots++
  }
  return slots === 0 ? 0 : sum / slots
}
