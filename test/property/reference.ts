import {
  type At,
  type Gate,
  type Health,
  isClosed,
  type ModelFamily,
  type Rung,
  type Seat,
  type StrategyName,
} from '../../internal/pool/pool.ts'

/**
 * Selection as docs/failover.md, "Selection" tells it, looking at every member each time: slow and obviously right. It says
 * who may serve and in which rung; where that page leaves a choice open, there are several.
 */
export interface Answer {
  /** `in-turn` is `healthy` for those who are, and `probe` for the others. */
  readonly rung: Rung | 'in-turn' | 'exhausted' | 'host' | 'tried'
  readonly among: readonly Seat[]
  readonly retryAt: At | null
}

export interface Question {
  readonly strategy: StrategyName
  readonly seats: readonly Seat[]
  readonly model: ModelFamily | null
  readonly tried: readonly Seat[]
  readonly active: Seat | null
  readonly degrade: boolean
  readonly preferred: Seat | null
  readonly now: At
}

type Opening = 'open' | 'test' | 'shut' | 'out'

export function openingOf(health: Health, now: At): Opening {
  if (health.state === 'healthy') return 'open'
  if (isClosed(health)) return 'out'
  if (health.state === 'probing') return health.leaseUntil > now ? 'shut' : openingOf(health.was, now)
  return health.until > now ? 'shut' : 'test'
}

/** Everything but the host that has to be open for the request. */
function ownGates(seat: Seat, model: ModelFamily | null): readonly Gate[] {
  const limit = model === null ? undefined : seat.models.get(model)
  return [seat.credential, seat.domain, limit].filter((gate) => gate !== null && gate !== undefined)
}

export function isParkedNow(seat: Seat, now: At): boolean {
  return seat.park !== null && (seat.park.until === null || seat.park.until > now)
}

/** The end of the cap that holds, or 0. */
function capOf({ caps, meter }: Seat): At {
  const over = meter.windows.filter(
    ({ window, usedPercent }) => usedPercent >= (caps[window] ?? Number.POSITIVE_INFINITY),
  )
  return Math.max(0, ...over.map(({ resetAt }) => resetAt ?? 0))
}

function cappedNow(seat: Seat, now: At): boolean {
  return capOf(seat) > now
}

export function isFullNow({ inFlight, maxInFlight }: Seat): boolean {
  return inFlight >= (maxInFlight ?? Number.POSITIVE_INFINITY)
}

export function standsNow(seat: Seat, model: ModelFamily | null, now: At): string {
  const own = ownGates(seat, model).map((gate) => openingOf(gate.health, now))
  const host = openingOf(seat.host.health, now)
  if ([...own, host].includes('out')) return 'out'
  if (own.includes('shut') || cappedNow(seat, now)) return 'shut'
  if (host === 'shut') return 'host'
  if (isFullNow(seat)) return 'full'
  const test = [...own, host].includes('test')
  if (isParkedNow(seat, now)) return test ? 'parked-elapsed' : 'parked'
  return test ? 'elapsed' : 'ready'
}

function recoveryOf(health: Health): At {
  if (health.state === 'healthy') return 0
  if (health.state === 'probing') return health.was.until
  return health.state === 'cooling' || health.state === 'suspect' ? health.until : Number.POSITIVE_INFINITY
}

export function recoversNow(seat: Seat, model: ModelFamily | null): At {
  return Math.max(capOf(seat), ...[...ownGates(seat, model), seat.host].map((gate) => recoveryOf(gate.health)))
}

function mayBeTestedEarly(health: Health, now: At): boolean {
  return health.state === 'cooling' ? health.probeAt <= now : ['open', 'test'].includes(openingOf(health, now))
}

/** Those with the smallest key. */
function least(seats: readonly Seat[], key: (seat: Seat) => number): readonly Seat[] {
  const smallest = Math.min(...seats.map(key))
  return seats.filter((seat) => key(seat) === smallest)
}

function firstFrom(seats: readonly Seat[], all: readonly Seat[], start: number): readonly Seat[] {
  const ranks = seats.map((seat) => all.indexOf(seat))
  const rank = ranks.find((at) => at >= start) ?? ranks[0]!
  return [all[rank]!]
}

function expiryOf({ meter: { windows } }: Seat, now: At): At {
  const [usage] = windows
  const expires = usage?.resetAt && usage.resetAt > now && usage.usedPercent < 100
  return expires ? usage.resetAt : Number.POSITIVE_INFINITY
}

/** The place after the seat of the tier that was used last. */
function afterLast(seats: readonly Seat[], tier: number): number {
  const used = seats.filter((seat) => seat.tier === tier && seat.lastUse > 0)
  return used.length > 0 ? seats.indexOf(used.reduce((a, b) => (b.lastUse > a.lastUse ? b : a))) + 1 : 0
}

function byStrategy(question: Question, line: readonly Seat[]): readonly Seat[] {
  const { strategy, seats, active } = question
  switch (strategy) {
    case 'sticky':
      return firstFrom(line, seats, active ? seats.indexOf(active) : 0)
    case 'ordered':
      return [line[0]!]
    case 'round-robin':
      return firstFrom(line, seats, afterLast(seats, line[0]!.tier))
    case 'least-loaded':
      return least(
        least(line, (seat) => seat.inFlight),
        (seat) => seat.lastUse,
      ).slice(0, 1)
    case 'weighted':
      return line
    case 'expiring-first':
      return least(line, (seat) => expiryOf(seat, question.now)).slice(0, 1)
  }
}

/** The same seats, tier by tier. */
function byTier(seats: readonly Seat[]): readonly (readonly Seat[])[] {
  const tiers = [...new Set(seats.map(({ tier }) => tier))].sort((a, b) => a - b)
  return tiers.map((tier) => seats.filter((seat) => seat.tier === tier))
}

export function whoServes(question: Question): Answer {
  const { seats, model, tried, degrade, now, strategy, preferred } = question
  const left = seats.filter((seat) => !tried.includes(seat))
  const that = (of: readonly Seat[], ...stands: string[]) =>
    of.filter((seat) => stands.includes(standsNow(seat, model, now)))
  const say = (rung: Answer['rung'], among: readonly Seat[], retryAt: At | null = null) => ({ rung, among, retryAt })
  const soonest = (of: readonly Seat[]) => least(of, (seat) => recoversNow(seat, model))
  const when = (of: readonly Seat[]) => Math.max(now, recoversNow(of[0]!, model))
  const tiers = byTier(left)

  for (const tier of tiers) {
    if (preferred && that(tier, 'ready').includes(preferred)) return say('in-turn', [preferred])
    const line = that(tier, ...(strategy === 'sticky' ? ['ready'] : ['ready', 'elapsed']))
    if (line.length > 0) return say('in-turn', byStrategy(question, line))
    const elapsed = that(tier, 'elapsed')
    if (elapsed.length > 0) return say('probe', byStrategy(question, elapsed))
  }
  for (const tier of tiers) {
    const parked = that(tier, 'parked')
    const first = least(parked, (seat) => seat.park?.until ?? Number.POSITIVE_INFINITY)
    if (first.length > 0) return say('parked', first)
  }
  for (const tier of tiers) {
    const parkedElapsed = that(tier, 'parked-elapsed')
    if (parkedElapsed.length > 0) return say('parked-probe', parkedElapsed)
  }
  for (const tier of tiers) if (that(tier, 'full').length > 0) return say('full', that(tier, 'full'))

  const away = that(left, 'host')
  if (away.length > 0) return say('host', soonest(away), when(soonest(away)))
  if (that(tried, 'ready', 'elapsed', 'parked', 'parked-elapsed', 'full').length > 0) return say('tried', [])
  const found = that(seats, 'host')
  if (found.length > 0) return say('host', soonest(found), when(soonest(found)))

  for (const tier of tiers) {
    const early = that(tier, 'shut').filter(
      (seat) =>
        !isFullNow(seat) &&
        !cappedNow(seat, now) &&
        [...ownGates(seat, model), seat.host].every((gate) => mayBeTestedEarly(gate.health, now)),
    )
    if (early.length > 0) return say('early-probe', early)
  }
  for (const tier of degrade ? tiers : []) {
    const waiting = that(tier, 'shut').filter((seat) => !isFullNow(seat) && !cappedNow(seat, now))
    if (waiting.length > 0) return say('degraded', soonest(waiting))
  }
  const all = that(seats, 'shut')
  return all.length > 0 ? say('exhausted', soonest(all), when(soonest(all))) : say('exhausted', [])
}
