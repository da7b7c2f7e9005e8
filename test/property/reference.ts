import {
  type At,
  type Gate,
  type Health,
  isClosed,
  type ModelFamily,
  type Seat,
  type StrategyName,
  type Tier,
} from '../../internal/pool/pool.ts'

/**
 * Selection as docs/failover.md, "Selection" tells it, looking at every member each time: slow and obviously right. It says
 * who may serve and in which tier; where that page leaves a choice open, there are several.
 */
export interface Answer {
  /** `in-turn` is `healthy` for those who are, and `probe` for the others. */
  readonly tier: Tier | 'in-turn' | 'exhausted' | 'host' | 'tried'
  readonly among: readonly Seat[]
  readonly retryAt: At | null
}

export interface Question {
  readonly strategy: StrategyName
  readonly seats: readonly Seat[]
  readonly model: ModelFamily | null
  readonly tried: readonly Seat[]
  readonly active: Seat | null
  /** The seat that was used last in the pool. */
  readonly last: Seat | null
  readonly degrade: boolean
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

export function standsNow(seat: Seat, model: ModelFamily | null, now: At): string {
  const own = ownGates(seat, model).map((gate) => openingOf(gate.health, now))
  const host = openingOf(seat.host.health, now)
  if ([...own, host].includes('out')) return 'out'
  if (own.includes('shut')) return 'shut'
  if (host === 'shut') return 'host'
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
  return Math.max(...[...ownGates(seat, model), seat.host].map((gate) => recoveryOf(gate.health)))
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

function byStrategy(question: Question, line: readonly Seat[]): readonly Seat[] {
  const { strategy, seats, active, last } = question
  switch (strategy) {
    case 'sticky':
      return firstFrom(line, seats, active ? seats.indexOf(active) : 0)
    case 'ordered':
      return [line[0]!]
    case 'round-robin':
      return firstFrom(line, seats, last ? seats.indexOf(last) + 1 : 0)
    case 'least-loaded':
      return least(
        least(line, (seat) => seat.inFlight),
        (seat) => seat.lastUse,
      ).slice(0, 1)
    case 'weighted':
      return line
  }
}

export function whoServes(question: Question): Answer {
  const { seats, model, tried, degrade, now, strategy } = question
  const left = seats.filter((seat) => !tried.includes(seat))
  const that = (of: readonly Seat[], ...stands: string[]) =>
    of.filter((seat) => stands.includes(standsNow(seat, model, now)))
  const say = (tier: Answer['tier'], among: readonly Seat[], retryAt: At | null = null) => ({ tier, among, retryAt })
  const soonest = (of: readonly Seat[]) => least(of, (seat) => recoversNow(seat, model))
  const when = (of: readonly Seat[]) => Math.max(now, recoversNow(of[0]!, model))

  const line = that(left, ...(strategy === 'sticky' ? ['ready'] : ['ready', 'elapsed']))
  if (line.length > 0) return say('in-turn', byStrategy(question, line))
  const elapsed = that(left, 'elapsed')
  if (elapsed.length > 0) return say('probe', byStrategy(question, elapsed))
  const parked = that(left, 'parked')
  if (parked.length > 0)
    return say(
      'parked',
      least(parked, (seat) => seat.park?.until ?? Number.POSITIVE_INFINITY),
    )
  const parkedElapsed = that(left, 'parked-elapsed')
  if (parkedElapsed.length > 0) return say('parked-probe', parkedElapsed)

  const away = that(left, 'host')
  if (away.length > 0) return say('host', soonest(away), when(soonest(away)))
  if (that(seats, 'ready', 'elapsed', 'parked', 'parked-elapsed').length > 0) return say('tried', [])
  const found = that(seats, 'host')
  if (found.length > 0) return say('host', soonest(found), when(soonest(found)))

  const early = that(left, 'shut').filter((seat) =>
    [...ownGates(seat, model), seat.host].every((gate) => mayBeTestedEarly(gate.health, now)),
  )
  if (early.length > 0) return say('early-probe', early)
  const waiting = that(left, 'shut')
  if (degrade && waiting.length > 0) return say('degraded', soonest(waiting))
  const all = that(seats, 'shut')
  return all.length > 0 ? say('exhausted', soonest(all), when(soonest(all))) : say('exhausted', [])
}
