import type { At } from '../outcome.ts'
import type { StrategyName } from '../strategy.ts'
import { type Burn, type Rate, rateOf, usedNow } from './burn.ts'
import { type Demand, expectedAfter, slotOf } from './demand.ts'
import { type Course, type PlayedMember, type PlayedWindow, play } from './simulate.ts'
import { isCurrent, isLong, type Usage, windowMs } from './usage.ts'

/** A member of the pool, as a forecast sees it. */
export interface ForecastMember {
  readonly name: string
  readonly tier: number
  readonly weight: number
  /** From when it can serve; null: now; Infinity: not without a person. */
  readonly opensAt: At | null
  readonly windows: readonly Usage[]
  /** How fast requests use each window, by its name. */
  readonly burns: ReadonlyMap<string, Burn>
  /** At how many percent of a window the operator stops it; null: at none. */
  readonly capOf: (window: string) => number | null
}

export interface ForecastInput {
  readonly members: readonly ForecastMember[]
  readonly strategy: StrategyName
  /** The member that serves now; null: none. */
  readonly active: string | null
  readonly demand: Demand
  /** How far the zone is ahead of UTC in which people work, in ms. */
  readonly offsetMs: number
}

/** Of larger pools nothing is foreseen: to play them forward would hold up requests. */
const mostMembers = 1_000

/** Whether and when a pool runs dry. */
export interface Forecast {
  /** `enough`: not before `until`; `unknown`: too little is known to say. */
  readonly state: 'enough' | 'dry' | 'unknown'
  readonly dryAt: At | null
  /** When the first member can serve again, once it is dry. */
  readonly reliefAt: At | null
  readonly reliefMember: string | null
  /** Up to when was looked. */
  readonly until: At | null
  /** Percent an hour of the limit of the serving member that is used up first. */
  readonly burnPercentPerHour: number | null
  readonly basis: { readonly fromAt: At | null; readonly samples: number }
}

const leastTrafficMs = 1_800_000
const leastSamples = 3
const longestMs = 7 * 86_400_000
/** A window that was left out so long before the others were last heard of, in ms, is no part of the plan any more. */
const leftOutMs = 3_600_000

/** When the pool runs dry at what is to be expected, as it is known at `now`; `unknown` rather than a guess. */
export function forecast(input: ForecastInput, now: At): Forecast {
  const { demand, members, strategy, active } = input
  const at = slotOf(now)
  const basis = { fromAt: demand.fromAt, samples: demand.samples }
  const traffic = at - (demand.fromAt ?? at)
  if (traffic < leastTrafficMs || basis.samples < leastSamples || members.length > mostMembers)
    return { ...nothing, basis }
  const expected = expectedAfter(demand, at, input.offsetMs)
  const played = members.map((member) => playedMember(member, members, now))
  const burnPercentPerHour = burnOf(played, active, expected(at))
  const course = play({ members: played, strategy, active, expected, now, longestMs })
  return { ...outcomeOf(course), burnPercentPerHour, basis }
}

const nothing = {
  state: 'unknown',
  dryAt: null,
  reliefAt: null,
  reliefMember: null,
  until: null,
  burnPercentPerHour: null,
} as const

function outcomeOf({
  dryAt,
  reliefAt,
  reliefMember,
  until,
  isSure,
}: Course): Omit<Forecast, 'burnPercentPerHour' | 'basis'> {
  if (!isSure) return nothing
  return { state: dryAt === null ? 'enough' : 'dry', dryAt, reliefAt, reliefMember, until }
}

function playedMember(member: ForecastMember, all: readonly ForecastMember[], now: At): PlayedMember {
  const { name, tier, weight, opensAt } = member
  const windows = standing(member, now).map((usage) => playedWindow(usage, member, all))
  const known = windows.filter((window) => window !== null)
  const isBlind = windows.length === 0 || known.length < windows.length
  // An upstream that goes on serving past the end of a limit does not stop there.
  const binding = known.filter(({ usedPercent, cap }) => opensAt !== null || cap < 100 || usedPercent < 100)
  return { name, tier, weight, opensAt: opensAt ?? 0, windows: binding, isBlind }
}

/** The long limits of the whole plan as they are at `now`: one that has reset since is unused. */
function standing({ windows, burns }: ForecastMember, now: At): readonly Usage[] {
  const current = windows.filter((usage) => !usage.isPartial && isLong(usage.window) && isCurrent(usage, now))
  const names = new Set(current.map(({ window }) => window))
  const latest = Math.max(...[...burns.values()].map(({ seenAt }) => seenAt))
  const rested = [...burns].filter(([window, { seenAt }]) => !names.has(window) && seenAt >= latest - leftOutMs)
  return [
    ...current,
    ...rested.map(([window, { seenAt }]) => ({
      window,
      usedPercent: 0,
      resetAt: null,
      seenAt,
      source: 'headers' as const,
    })),
  ]
}

function playedWindow(usage: Usage, member: ForecastMember, all: readonly ForecastMember[]): PlayedWindow | null {
  const { window, resetAt } = usage
  const rate = rateFor(window, member, all)
  if (rate === null) return null
  const usedPercent = usedNow(member.burns.get(window), usage, rate)
  const cap = Math.min(100, member.capOf(window) ?? 100)
  const isSure = rate.isSure || usedPercent >= cap
  return {
    usedPercent,
    cap,
    resetAt,
    lengthMs: windowMs(window) as number,
    percentPerWork: rate.percentPerWork,
    isSure,
  }
}

/** The member's own rate; until that is sure, the mean of the members that have the same window. */
function rateFor(window: string, { burns }: ForecastMember, all: readonly ForecastMember[]): Rate | null {
  const ratesIn = (of: ReadonlyMap<string, Burn>) => {
    const burn = of.get(window)
    return burn ? rateOf(burn) : null
  }
  const own = ratesIn(burns)
  if (own?.isSure) return own
  const others = all.map((other) => ratesIn(other.burns)).filter((rate) => rate?.isSure === true)
  if (others.length === 0) return own
  const sum = others.reduce((total, rate) => total + (rate as Rate).percentPerWork, 0)
  return { percentPerWork: sum / others.length, isSure: true }
}

/** Percent an hour of the serving member's limit that is used up first. */
function burnOf(played: readonly PlayedMember[], active: string | null, perHour: number | null): number | null {
  const serving = played.find(({ name }) => name === active)
  if (!serving || perHour === null) return null
  const first = [...serving.windows].sort((one, other) => roomOf(one) - roomOf(other))[0]
  return first ? first.percentPerWork * perHour : null
}

function roomOf({ cap, usedPercent, percentPerWork }: PlayedWindow): number {
  return (cap - usedPercent) / percentPerWork
}
