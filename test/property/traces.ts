import {
  type Burn,
  burnAfter,
  Demand,
  type Forecast,
  type ForecastMember,
  forecast,
  type Outlook,
  outlookAfter,
  slotMs,
  type Usage,
  windowMs,
} from '../../internal/pool/pool.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
/** A Monday. */
export const start = Date.UTC(2026, 0, 5)

/** A world of logins with windows, whose demand and changes a trace describes. */
export interface Trace {
  readonly members: number
  /** Percent that a request uses, by window; of the member `index` at `at`. */
  readonly perWork: (window: string, at: number, index: number) => number
  readonly windows: readonly string[]
  /** Requests of the slot that begins at `at`. */
  readonly demand: (at: number) => number
  /** Whether all windows of the member are given back at `at`. */
  readonly resets?: (at: number, index: number) => boolean
  readonly days?: number
  /** Whether upstreams say whole percents. */
  readonly wholes?: boolean
}

/** One look ahead: what was foreseen at `at`. */
export interface Look {
  readonly at: number
  readonly fresh: Forecast
  readonly told: Forecast
}

export interface Course {
  /** When requests first met nobody, of each drought of at least 15 min, and when somebody served again. */
  readonly droughts: readonly { readonly from: number; readonly to: number }[]
  readonly looks: readonly Look[]
}

interface Member {
  readonly windows: { window: string; used: number; resetAt: number | null }[]
  readonly burns: Map<string, Burn>
  heard: Usage[]
  work: number
}

/** Lives through the trace, with a forecast every half hour, and every 5 min in the two hours before a drought. */
export function live(trace: () => Trace): Course {
  const { droughts } = run(trace(), () => false)
  const isNear = (at: number) => droughts.some(({ from }) => at >= from - 2 * hourMs && at <= from)
  return run(trace(), (at) => at % (hourMs / 2) === 0 || isNear(at))
}

function run(trace: Trace, looksAt: (at: number) => boolean): Course {
  const { days = 28 } = trace
  const members = Array.from({ length: trace.members }, (): Member => {
    const windows = trace.windows.map((window) => ({ window, used: 0, resetAt: null }))
    return { windows, burns: new Map(), heard: [], work: 0 }
  })
  // As an early look gives it.
  for (const member of members) hear(member, start, trace.wholes ?? true)
  const demand = new Demand()
  const looks: Look[] = []
  const droughts: { from: number; to: number }[] = []
  let active = 0
  let dry: number | null = null
  let outlook: Outlook | null = null
  for (let at = start; at < start + days * dayMs; at += slotMs) {
    for (const [index, member] of members.entries()) rollOver(member, at, trace.resets?.(at, index) ?? false)
    const asked = trace.demand(at)
    let left = asked
    while (left > 1e-9) {
      const found = nextOf(members, active)
      if (found === null) break
      active = found
      left -= take(members[found] as Member, left, { trace, at, index: found })
    }
    if (left > 1e-9) dry ??= at + slotMs * (1 - left / asked)
    else if (asked > 0 && dry !== null) {
      if (at - dry >= 900_000) droughts.push({ from: dry, to: at })
      dry = null
    }
    const now = at + slotMs
    if (left > 1e-9) demand.blank(at)
    demand.add(at, asked - left)
    demand.forget(now)
    for (const member of members) hear(member, now, trace.wholes ?? true)
    if (!looksAt(now)) continue
    const fresh = forecast(
      {
        members: members.map((member, index) => foreseen(member, index, now)),
        strategy: 'sticky',
        active: `m${active}`,
        demand,
        offsetMs: 0,
      },
      now,
    )
    outlook = outlookAfter(outlook, fresh, now)
    looks.push({ at: now, fresh, told: outlook.forecast })
  }
  const end = start + days * dayMs
  if (dry !== null && end - dry >= 900_000) droughts.push({ from: dry, to: end })
  return { droughts, looks }
}

function rollOver({ windows }: Member, at: number, isGivenBack: boolean): void {
  for (const window of windows) {
    if (!isGivenBack && (window.resetAt === null || window.resetAt > at)) continue
    window.used = 0
    window.resetAt = null
  }
}

function nextOf(members: readonly Member[], active: number): number | null {
  for (let step = 0; step < members.length; step++) {
    const index = (active + step) % members.length
    if (members[index]?.windows.every(({ used }) => used < 100 - 1e-9)) return index
  }
  return null
}

function take(member: Member, work: number, { trace, at, index }: { trace: Trace; at: number; index: number }): number {
  const rates = member.windows.map(({ window }) => trace.perWork(window, at, index))
  const taken = Math.min(work, ...member.windows.map(({ used }, i) => (100 - used) / (rates[i] as number)))
  member.windows.forEach((window, i) => {
    window.used += taken * (rates[i] as number)
    window.resetAt ??= at + (windowMs(window.window) as number)
  })
  member.work += taken
  return taken
}

/** What the member's answers of the slot have said. */
function hear(member: Member, now: number, wholes: boolean): void {
  if (member.work === 0 && member.heard.length > 0) return
  member.heard = member.windows.map(({ window, used, resetAt }) => {
    const usedPercent = wholes ? Math.floor(used + 1e-6) : used
    return { window, usedPercent, resetAt, seenAt: now, source: 'headers' }
  })
  for (const usage of member.heard)
    member.burns.set(usage.window, burnAfter(member.burns.get(usage.window), usage, member.work))
  member.work = 0
}

function foreseen({ windows, burns, heard }: Member, index: number, now: number): ForecastMember {
  const shut = windows.filter(({ used, resetAt }) => used >= 100 - 1e-9 && (resetAt ?? 0) > now)
  const opensAt = shut.length === 0 ? null : Math.max(...shut.map(({ resetAt }) => resetAt as number))
  return { name: `m${index}`, tier: 1, weight: 1, opensAt, windows: heard, burns, capOf: () => null }
}
