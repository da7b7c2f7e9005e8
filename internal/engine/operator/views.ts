import {
  type At,
  availability,
  cappedUntil,
  isCurrent,
  isParked,
  type ModelFamily,
  type Rung,
  recoveryAt,
  type Seat,
  servesModel,
} from '../../pool/pool.ts'
import type { Explanation, MemberStatus, PoolStatus, WhyNot } from '../api/views.ts'
import type { Foresight } from '../foresight/foresight.ts'
import type { Leasing } from '../requests/leasing.ts'
import type { Core } from '../state/context.ts'
import { currentPark, type LiveSeat, type Pool } from '../state/live.ts'
import { isReachable, worseHealth } from '../state/seat-health.ts'

const whyChosen: Record<Rung, string> = {
  healthy: 'healthy and not parked',
  probe: 'its cooldown is over: this request is the probe',
  parked: 'parked but healthy, and nobody else can serve',
  'parked-probe': 'parked, its cooldown is over, and nobody else can serve: this request is the probe',
  full: 'it has as many requests under way as it may: the next one waits',
  'early-probe': 'the pool would be exhausted: one early probe of a far cooldown',
  degraded: 'onExhausted is degrade: the member that recovers first',
}

/** Computes the views of pools and members as they are now; changes nothing. */
export class PoolViews {
  readonly #core: Core
  readonly #leasing: Leasing
  readonly #foresight: Foresight

  constructor(core: Core, leasing: Leasing, foresight: Foresight) {
    this.#core = core
    this.#foresight = foresight
    this.#leasing = leasing
  }

  status(pool: Pool): PoolStatus {
    const { decision, seat } = this.#leasing.preview(pool, null)
    const models = new Set(pool.modelLimits === 0 ? [] : pool.seats.flatMap((each) => [...each.models.keys()]))
    const now = this.#core.clock.now()
    return {
      record: pool.record,
      active: seat?.member ?? null,
      exhausted: decision.kind === 'exhausted',
      retryAt: decision.kind === 'exhausted' || decision.kind === 'host-down' ? decision.retryAt : null,
      unreachable: decision.kind === 'host-down' ? outageOf(pool, decision) : null,
      activeFor: [...models].flatMap((model) => {
        const member = this.#leasing.preview(pool, model).seat?.member ?? null
        return member === (seat?.member ?? null) ? [] : [{ model, member }]
      }),
      incident: pool.exhausted && { since: pool.exhausted.since, refused: pool.exhausted.refused },
      forecast: this.#foresight.forecast(pool),
      members: pool.seats.map((member) => memberStatus(member, member === seat, now)),
    }
  }

  explain(pool: Pool, model: ModelFamily | null): Explanation {
    const { decision, seat, rung } = this.#leasing.preview(pool, model)
    const now = this.#core.clock.now()
    const why = rung ? chosenBecause(rung, seat, pool) : decision.kind
    const members = pool.seats
      .filter((other) => other !== seat)
      .map((other) => whyNot(other, { model, now, serving: seat }))
    return { pool: pool.name, decision, why, members }
  }
}

/** The host that keeps the pool from serving, as far as it is known to be down. */
function outageOf({ seats }: Pool, { host, retryAt }: { host: string; retryAt: At }): PoolStatus['unreachable'] {
  const health = seats.find((seat) => seat.host.name === host)?.host.health
  const down = health?.state === 'probing' ? health.was : health
  return { host, since: down?.since ?? retryAt, retryAt }
}

function memberStatus(seat: LiveSeat, active: boolean, now: At): MemberStatus {
  const scoped = [...seat.models].flatMap(([model, { health }]) => {
    const cooling = health.state === 'probing' ? health.was : health
    return cooling.state === 'cooling' && cooling.until > now
      ? [{ model, reason: cooling.reason, until: cooling.until }]
      : []
  })
  const capped = cappedUntil(seat)
  const { member: name, position, weight, tier, maxInFlight, caps, inFlight, lastUsedAt, requests, failures } = seat
  return {
    name,
    position,
    weight,
    tier,
    maxInFlight,
    caps,
    cappedUntil: capped > now ? capped : null,
    health: worseHealth(seat),
    park: currentPark(seat.park, now),
    active,
    inFlight,
    lastUsedAt,
    requests,
    failures,
    scoped,
    usage: seat.meter.windows
      .filter((usage) => isCurrent(usage, now))
      .map((usage) => ({ ...usage, cap: seat.caps[usage.window] ?? null })),
    domain: seat.owner.record.domain,
    host: seat.host.name,
    reachable: isReachable(seat),
  }
}

/** Why the seat serves, and why nobody of an earlier tier does. */
function chosenBecause(rung: Rung, seat: LiveSeat | null, { firstTier }: Pool): string {
  const tier = seat && seat.tier > firstTier ? `, and nobody of tier ${firstTier} can serve` : ''
  return `${whyChosen[rung]}${tier}`
}

interface Looking {
  readonly model: ModelFamily | null
  readonly now: At
  readonly serving: LiveSeat | null
}

function whyNot(seat: Seat & LiveSeat, { model, now, serving }: Looking): WhyNot {
  const { member } = seat
  const health = worseHealth(seat)
  const reason = 'reason' in health ? health.reason : health.state === 'probing' ? health.was.reason : null
  const until = recoveryAt(health)
  const finite = health.state !== 'healthy' && until < Number.POSITIVE_INFINITY ? until : null
  const stands = availability(seat, now)
  if (stands === 'host' || (stands === 'elapsed' && !isReachable(seat)))
    return { member, why: 'host', reason: 'connect', until: recoveryAt(seat.host.health) }
  const capped = cappedUntil(seat)
  if (stands === 'shut' && capped > now && capped >= recoveryAt(health))
    return { member, why: 'capped', reason: 'capped', until: capped }
  if (stands === 'shut' || stands === 'out') return { member, why: health.state, reason, until: finite }
  if (isParked(seat.park, now)) return { member, why: 'parked', reason: null, until: seat.park?.until ?? null }
  if (model !== null && !servesModel(seat, model, now)) {
    const limit = seat.models.get(model)?.health
    return {
      member,
      why: 'model',
      reason: limit && 'reason' in limit ? limit.reason : null,
      until: limit ? recoveryAt(limit) : null,
    }
  }
  if (stands === 'full') return { member, why: 'full', reason: null, until: null }
  if (serving && seat.tier > serving.tier) return { member, why: 'tier', reason: null, until: null }
  return stands === 'elapsed'
    ? { member, why: 'elapsed', reason, until: finite }
    : { member, why: 'standby', reason: null, until: null }
}
