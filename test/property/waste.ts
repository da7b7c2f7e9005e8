import {
  cooled,
  pristine,
  type Seat,
  SelectionIndex,
  type StrategyName,
  select,
  type Usage,
} from '../../internal/pool/pool.ts'
import { seatOf } from './seats.ts'

const minute = 60_000
export const hour = 60 * minute
export const day = 24 * hour
const begin = Date.UTC(2026, 0, 5)
const lengths = { '5h': 5 * hour, '7d': 7 * day } as const

/** A window of a plan that begins with the first request after it has reset, as those of Codex and Claude do. */
class PlanWindow {
  readonly name: keyof typeof lengths
  readonly quota: number
  used = 0
  resetAt = 0
  /** What was left of it each time that it reset. */
  wasted = 0
  begun = 0

  constructor(name: keyof typeof lengths, quota: number) {
    this.name = name
    this.quota = quota
  }

  /** Ends the window that is over; what is left of it is lost. */
  pass(now: number): void {
    if (this.resetAt === 0 || now < this.resetAt) return
    this.wasted += this.quota - this.used
    this.resetAt = 0
    this.used = 0
  }

  take(units: number, now: number): void {
    if (this.resetAt === 0) {
      this.resetAt = now + lengths[this.name]
      this.begun++
    }
    this.used += units
  }

  usage(now: number): Usage {
    const usedPercent = (100 * this.used) / this.quota
    return { window: this.name, usedPercent, resetAt: this.resetAt, seenAt: now, source: 'headers' }
  }
}

/** The plan of one member. */
class Plan {
  readonly short: PlanWindow
  readonly long: PlanWindow

  constructor(short: number, long: number) {
    this.short = new PlanWindow('5h', short)
    this.long = new PlanWindow('7d', long)
  }

  get windows(): readonly PlanWindow[] {
    return [this.short, this.long]
  }
}

export interface Trace {
  readonly members: number
  /** Requests of a 5 h window and of a week that one member can serve. */
  readonly short: number
  readonly long: number
  /** How many requests come in the minute at that instant. */
  readonly demand: (at: number) => number
}

/** What four weeks of that trace cost under a strategy: the share of the begun weekly quotas that expired unused, and of requests that nobody served. */
export function waste(strategyName: StrategyName, trace: Trace): { wasted: number; refused: number } {
  const plans = new Map<Seat, Plan>()
  const seats = Array.from({ length: trace.members }, (_, at) => seatOf(`m${at}`))
  for (const seat of seats) plans.set(seat, new Plan(trace.short, trace.long))
  const index = new SelectionIndex(strategyName, seats, begin)
  const state = { active: -1, asked: 0, refused: 0, due: 0 }
  for (let now = begin; now < begin + 28 * day; now += minute) {
    for (const plan of plans.values()) for (const window of plan.windows) window.pass(now)
    state.due += trace.demand(now)
    for (; state.due >= 1; state.due--) {
      state.asked++
      if (!serve(index, plans, { now, state })) state.refused++
    }
  }
  const weeks = [...plans.values()].map(({ long }) => long)
  const begun = weeks.reduce((sum, { begun: count, quota }) => sum + count * quota, 0)
  const wasted = weeks.reduce((sum, week) => sum + week.wasted, 0)
  return { wasted: wasted / begun, refused: state.refused / state.asked }
}

/** One request; false when nobody serves it. */
function serve(
  index: SelectionIndex,
  plans: Map<Seat, Plan>,
  { now, state }: { now: number; state: { active: number } },
): boolean {
  const tried: Seat[] = []
  for (;;) {
    const choice = select(index, { model: null, tried, active: state.active, degrade: false }, now)
    if (!('seat' in choice) || choice.rung === 'host' || choice.rung === 'early-probe') return false
    const { seat } = choice
    const plan = plans.get(seat)!
    const spent = plan.windows.filter(({ used, quota }) => used >= quota)
    if (spent.length === 0) {
      for (const window of plan.windows) window.take(1, now)
      seat.meter.windows = plan.windows.map((window) => window.usage(now))
      seat.credential.health = pristine
      index.begin(seat, now)
      index.end(seat, now)
      index.file(seat, now)
      state.active = seat.index
      return true
    }
    seat.credential.health = cooled('quota', Math.max(...spent.map(({ resetAt }) => resetAt)) - now, 0, now)
    index.file(seat, now)
    tried.push(seat)
  }
}
