import type { At } from '../outcome.ts'
import type { StrategyName } from '../strategy.ts'
import type { Expected } from './demand.ts'

/** One limit of a member as it is played forward. */
export interface PlayedWindow {
  usedPercent: number
  /** At how many percent the member stops. */
  readonly cap: number
  /** null: it begins with the next request. */
  resetAt: At | null
  readonly lengthMs: number
  readonly percentPerWork: number
  /** false: requests use at most so much. */
  readonly isSure: boolean
}

/** A member as it is played forward. */
export interface PlayedMember {
  readonly name: string
  /** From when it can serve; Infinity: not without a person. */
  readonly opensAt: At
  /** Serves only when no member of a lower tier can. */
  readonly tier: number
  readonly weight: number
  readonly windows: readonly PlayedWindow[]
  /** Nothing is known of its limits. */
  readonly isBlind: boolean
}

export interface Play {
  readonly members: readonly PlayedMember[]
  readonly strategy: StrategyName
  /** The member that serves now; null: none. */
  readonly active: string | null
  readonly expected: Expected
  readonly now: At
  readonly longestMs: number
}

/** How it went on. */
export interface Course {
  /** When nobody could serve any more; null: as far as could be seen, somebody can. */
  readonly dryAt: At | null
  readonly reliefAt: At | null
  readonly reliefMember: string | null
  /** Up to where could be seen. */
  readonly until: At
  /** false: it hangs on a limit of which too little is known. */
  readonly isSure: boolean
}

/** A drought that is over so soon, in ms, is none: requests are held or come again. */
const shortestDroughtMs = 900_000
/** A drought that is shorter than this part of the time until it begins may well be none. */
const leastPart = 0.1
/** The steps, in ms, up to so far ahead: what is near is played more exactly. */
const steps = [
  { untilMs: 21_600_000, stepMs: 600_000 },
  { untilMs: 172_800_000, stepMs: 1_800_000 },
  { untilMs: Number.POSITIVE_INFINITY, stepMs: 3_600_000 },
] as const

/** Plays the demand forward with the pool's own strategy until nobody can serve, or nothing can be said. Changes its members. */
export function play({ members, strategy, active, expected, now, longestMs }: Play): Course {
  const line = new Line(members, strategy, active)
  const end = now + longestMs
  let at = now
  const relief = line.isShut(now) ? line.relief(now) : undefined
  if (relief !== undefined && (relief === null || relief.at - now >= shortestDroughtMs)) return dry(now, relief, line)
  while (at < end) {
    const stepMs = stepAt(at - now)
    const perHour = expected(at + stepMs / 2)
    if (perHour === null) break
    const work = (perHour * stepMs) / 3_600_000
    const left = line.serve(work, at)
    if (left === null) return { ...unseen, until: at, isSure: false }
    if (left <= 0) {
      at += stepMs
      continue
    }
    const dryAt = Math.round(at + stepMs * (1 - left / work))
    const next = line.relief(at)
    if (next === null || next.at - dryAt >= Math.max(shortestDroughtMs, leastPart * (dryAt - now)))
      return dry(dryAt, next, line)
    at = Math.max(next.at, at + stepMs)
  }
  return { ...unseen, until: Math.min(at, end), isSure: true }
}

function dry(dryAt: At, relief: Relief | null, { isSure }: Line): Course {
  return { dryAt, reliefAt: relief?.at ?? null, reliefMember: relief?.member ?? null, until: dryAt, isSure }
}

/** Who can serve again first, and when. */
interface Relief {
  readonly at: At
  readonly member: string
}

function stepAt(aheadMs: number): number {
  return (steps.find(({ untilMs }) => aheadMs < untilMs) as (typeof steps)[number]).stepMs
}

const unseen = { dryAt: null, reliefAt: null, reliefMember: null } as const

/** The members in the order in which they serve. */
class Line {
  readonly #members: readonly PlayedMember[]
  readonly #strategy: StrategyName
  #active: number

  constructor(members: readonly PlayedMember[], strategy: StrategyName, active: string | null) {
    this.#members = members
    this.#strategy = strategy
    this.#active = Math.max(
      0,
      members.findIndex(({ name }) => name === active),
    )
  }

  /** Whether nobody can serve. */
  isShut(at: At): boolean {
    for (const { windows } of this.#members) for (const window of windows) rollOver(window, at)
    return this.#able(at).length === 0
  }

  /** Gives out the requests of one step; returns how many nobody could serve, or null when one would serve of whom nothing is known. */
  serve(work: number, at: At): number | null {
    for (const { windows } of this.#members) for (const window of windows) rollOver(window, at)
    let left = work
    while (left > 1e-9) {
      const able = this.#able(at)
      if (able.length === 0) return left
      const serving = this.#isSpreading ? able : [this.#first(able)]
      if (serving.some(({ isBlind }) => isBlind)) return null
      left = spread(serving, left, at)
    }
    return 0
  }

  /** Who can serve first again after `at`, and when; null: nobody without a person. */
  relief(at: At): Relief | null {
    let first: Relief | null = null
    for (const member of this.#members) {
      const opens = usableAt(member, at)
      if (opens < (first?.at ?? Number.POSITIVE_INFINITY)) first = { at: opens, member: member.name }
    }
    return first
  }

  /** Whether all that keeps members from serving is known. */
  get isSure(): boolean {
    return this.#members.every(({ windows }) => windows.every((window) => window.isSure || !isFull(window)))
  }

  get #isSpreading(): boolean {
    return this.#strategy === 'round-robin' || this.#strategy === 'least-loaded' || this.#strategy === 'weighted'
  }

  /** Those of the lowest tier that can serve. */
  #able(at: At): readonly PlayedMember[] {
    const able = this.#members.filter((member) => member.opensAt <= at && !member.windows.some(isFull))
    const tier = Math.min(...able.map((member) => member.tier))
    return able.filter((member) => member.tier === tier)
  }

  #first(able: readonly PlayedMember[]): PlayedMember {
    const [front] = able as readonly [PlayedMember]
    if (this.#strategy === 'expiring-first')
      return able.reduce((soonest, member) => (expiryOf(member) < expiryOf(soonest) ? member : soonest), front)
    if (this.#strategy !== 'sticky') return front
    const next = able.find((member) => this.#members.indexOf(member) >= this.#active) ?? front
    this.#active = this.#members.indexOf(next)
    return next
  }
}

/** Lets equal parts (or parts by weight) go to all, as far as they can serve; returns how much is left. */
function spread(able: readonly PlayedMember[], work: number, at: At): number {
  const weights = able.reduce((sum, { weight }) => sum + weight, 0)
  return able.reduce((left, member) => left - take(member, (work * member.weight) / weights, at), work)
}

/** Lets the member serve as much of the work as it can; returns how much that was. */
function take({ windows }: PlayedMember, work: number, at: At): number {
  const room = windows.map(({ cap, usedPercent, percentPerWork }) => (cap - usedPercent) / percentPerWork)
  const taken = Math.min(work, ...room)
  for (const window of windows) {
    window.usedPercent = taken === work ? window.usedPercent + taken * window.percentPerWork : nearly(window, taken)
    window.resetAt ??= at + window.lengthMs
  }
  return taken
}

/** After all the room of a window is used, it is full whatever the rounding. */
function nearly({ usedPercent, percentPerWork, cap }: PlayedWindow, taken: number): number {
  const used = usedPercent + taken * percentPerWork
  return used > cap - 1e-6 ? cap : used
}

/** When what is left of the member's longest limit expires; Infinity where that has not begun. */
function expiryOf({ windows }: PlayedMember): At {
  const longest = Math.max(...windows.map(({ lengthMs }) => lengthMs))
  const governing = windows.find(({ lengthMs }) => lengthMs === longest)
  return governing?.resetAt ?? Number.POSITIVE_INFINITY
}

function isFull({ usedPercent, cap }: PlayedWindow): boolean {
  return usedPercent >= cap
}

function rollOver(window: PlayedWindow, at: At): void {
  if (window.resetAt === null || window.resetAt > at) return
  window.usedPercent = 0
  window.resetAt = null
}

function usableAt({ opensAt, windows }: PlayedMember, at: At): At {
  return windows.reduce(
    (latest, window) => (isFull(window) ? Math.max(latest, window.resetAt ?? at + window.lengthMs) : latest),
    opensAt,
  )
}
