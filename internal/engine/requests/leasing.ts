import {
  type At,
  availability,
  type Choice,
  closedGates,
  isClosed,
  isServing,
  passage,
  type Remedy,
  type Rung,
  recoversAt,
  recoveryAt,
  remedyFor,
  type Seat,
  select,
  selectOwner,
  startProbe,
} from '../../pool/pool.ts'
import type { Decision, Exhausted, Lease } from '../api/data-path.ts'
import type { Explanation } from '../api/views.ts'
import { type Core, circumstances } from '../state/context.ts'
import { LiveLease, type LiveSeat, type LiveTurn, type Owner, type Pool } from '../state/live.ts'
import { isReachable } from '../state/seat-health.ts'
import type { Capacities } from './capacities.ts'
import { FarProbes } from './far-probes.ts'
import type { Pacing } from './pacing.ts'

const probeMarginMs = 60_000

/** What a request would be told: the decision, and the seat and rung that would serve; null where none would. */
export interface Preview {
  readonly decision: Explanation['decision']
  readonly seat: LiveSeat | null
  readonly rung: Rung | null
}

/** Gives out leases: asks `pool/` for the next seat, takes the right to probe where one is needed, and counts the use. */
export class Leasing {
  readonly #core: Core
  readonly #capacities: Capacities
  readonly #farProbes: FarProbes
  #lastLease = 0

  constructor(core: Core, capacities: Capacities) {
    this.#core = core
    this.#capacities = capacities
    this.#farProbes = new FarProbes(core)
  }

  /** The next member for this request, or why there is none; `ramp`: a request that moves is let on at a rate. */
  next(turn: LiveTurn, ramp: Pacing | null = null): Decision {
    const { pool } = turn
    if (pool.seats.length === 0) return { kind: 'empty' }
    const now = this.#core.clock.now()
    const choice = turn.owner ? this.#ofOwner(turn, turn.owner, now) : this.#ofPool(turn, now)
    switch (choice.rung) {
      case 'exhausted':
        return turn.owner ? this.#withoutOwner(turn, turn.owner, choice) : exhaustion(pool, choice)
      case 'host':
        return { kind: 'host-down', retryAt: choice.retryAt, host: choice.seat.host.name }
      case 'tried':
        return { kind: 'tried-all' }
      case 'full':
        return { kind: 'full' }
      case 'healthy':
      case 'parked':
        if (ramp && !turn.owner && !ramp.admits(choice.seat as LiveSeat, turn)) return { kind: 'paced' }
        return { kind: 'lease', lease: this.#grant(turn, choice.seat as LiveSeat, choice.rung) }
      default:
        return { kind: 'lease', lease: this.#grant(turn, choice.seat as LiveSeat, choice.rung) }
    }
  }

  #ofPool(turn: LiveTurn, now: At): Choice {
    const preferred = this.#preferred(turn, now)
    const far = preferred ? null : this.#farProbes.seatFor(turn, now, () => this.#servingSeat(turn))
    if (far) return { rung: 'early-probe', seat: far }
    const wish = this.#wish(turn.pool, turn.model, turn.tried)
    return select(turn.pool.selectionIndex, { ...wish, preferred }, now)
  }

  #servingSeat({ pool, model }: LiveTurn): LiveSeat | null {
    const { seat, rung } = this.outlook(pool, model)
    return rung === 'healthy' ? seat : null
  }

  #ofOwner({ pool, model, tried }: LiveTurn, { gate }: Owner, now: At): Choice {
    const seats = gate ? ([...gate.seats] as LiveSeat[]).filter((seat) => seat.pool === pool) : []
    return selectOwner(seats, { model, tried }, now)
  }

  /** The owner cannot serve: said only where others could, since otherwise nothing is gained by coming again without it. */
  #withoutOwner({ pool, model }: LiveTurn, { isResent }: Owner, choice: Choice & { rung: 'exhausted' }): Decision {
    const { decision } = this.outlook(pool, model)
    return decision.kind === 'lease' ? { kind: 'owner-away', isResent, owner: exhaustion(pool, choice) } : decision
  }

  /** What `next` says to every request while nobody can serve; null when somebody may, or when it depends on the model. */
  toAll(pool: Pool): Exhausted | null {
    if (pool.seats.length === 0 || pool.modelLimits > 0) return null
    const choice = select(pool.selectionIndex, this.#wish(pool, null, []), this.#core.clock.now())
    return choice.rung === 'exhausted' ? exhaustion(pool, choice) : null
  }

  /**
   * How the pool stands for those who look at it: as `outlook`, except that a host that is down counts as such until
   * something has reached it.
   */
  preview(pool: Pool, model: string | null): Preview {
    const found = this.outlook(pool, model)
    if (!found.seat || isReachable(found.seat)) return found
    const others = this.#look(pool, { model, tried: pool.seats.filter((seat) => !isReachable(seat)) })
    if (others.seat) return others
    const { host } = found.seat
    const retryAt = Math.max(recoveryAt(host.health), this.#core.clock.now())
    return { decision: { kind: 'host-down', retryAt, host: host.name }, seat: null, rung: null }
  }

  /** Which member beside the lease's recovers by itself, first and when; null when none does. */
  recovery(lease: LiveLease, { pool, model }: LiveTurn): Exhausted | null {
    const now = this.#core.clock.now()
    const others = pool.seats.filter((seat) => seat !== lease.seat && availability(seat, now, model) === 'shut')
    const [first] = others.sort((one, other) => recoversAt(one, model) - recoversAt(other, model))
    return first ? exhaustion(pool, { retryAt: Math.max(recoversAt(first, model), now), first }) : null
  }

  /**
   * Whether a client that comes again at once after a refusal of this lease's member would be served by another one: then
   * that member is passed over meanwhile.
   */
  hop({ seat }: LiveLease, turn: LiveTurn): boolean {
    const { pool, model } = turn
    const now = this.#core.clock.now()
    const wish = this.#wish(pool, model, [seat])
    const { rung } = select(
      pool.selectionIndex,
      { ...wish, tried: [...wish.tried, ...wish.passedOver], degrade: false },
      now,
    )
    if (!isServing(rung)) return false
    this.#capacities.hop(seat.owner, model, now)
    return true
  }

  /** What `next` would say to a fresh request, without giving anything out. */
  outlook(pool: Pool, model: string | null): Preview {
    return this.#look(pool, { model, tried: [] })
  }

  #look(pool: Pool, { model, tried }: { model: string | null; tried: readonly LiveSeat[] }): Preview {
    if (pool.seats.length === 0) return { decision: { kind: 'empty' }, seat: null, rung: null }
    const choice = select(
      pool.selectionIndex,
      { ...this.#wish(pool, model, tried), degrade: false },
      this.#core.clock.now(),
    )
    if (choice.rung === 'exhausted') return { decision: exhaustion(pool, choice), seat: null, rung: null }
    if (choice.rung === 'tried') return { decision: { kind: 'tried-all' }, seat: null, rung: null }
    const seat = choice.seat as LiveSeat
    if (choice.rung === 'host') {
      return { decision: { kind: 'host-down', retryAt: choice.retryAt, host: seat.host.name }, seat: null, rung: null }
    }
    return { decision: { kind: 'lease', lease: this.#draft(seat, choice.rung, pool, model) }, seat, rung: choice.rung }
  }

  /** Who has served the conversation, if it is still a member. */
  #preferred({ conversation, pool }: LiveTurn, now: At): LiveSeat | null {
    if (conversation === null) return null
    const seat = this.#core.conversations.get(conversation, now)
    return seat && pool.holds(seat) ? seat : null
  }

  #wish(pool: Pool, model: string | null, tried: readonly LiveSeat[]) {
    const degrade = (pool.record.onExhausted ?? this.#core.settings.onExhausted) === 'degrade'
    const passedOver = this.#capacities.passedOver(pool, model, this.#core.clock.now())
    return { model, tried, passedOver, active: pool.active?.index ?? -1, degrade }
  }

  #grant(turn: LiveTurn, seat: LiveSeat, rung: Rung): Lease {
    const { pool } = turn
    this.#lastLease++
    const lease = this.#draft(seat, rung, pool, turn.model)
    if (rung !== 'degraded') this.#takeProbes(lease, seat, turn)
    pool.selectionIndex.begin(seat, lease.issuedAt)
    lease.isEarly = rung === 'early-probe'
    lease.isMoved = turn.leases.length > 0
    if (lease.isMoved) seat.owner.moved++
    seat.requests++
    seat.lastUsedAt = lease.issuedAt
    turn.leases.push(lease)
    turn.tried.push(seat)
    this.#core.leases.set(lease.id, lease)
    return lease
  }

  #draft(seat: LiveSeat, rung: Rung, pool: Pool, model: string | null): LiveLease {
    const role = roleOf(rung, seat, pool)
    return new LiveLease(this.#lastLease, seat, { role, model, issuedAt: this.#core.clock.now() })
  }

  #takeProbes(lease: LiveLease, seat: LiveSeat, turn: LiveTurn): void {
    const gates = closedGates(seat, turn.model)
    if (gates.length === 0) return
    const at = circumstances(this.#core)
    const leaseUntil = at.now + this.#core.settings.headMs + probeMarginMs
    for (const gate of gates) {
      const { health } = gate
      const was = health.state === 'probing' && passage(health, at.now) === 'elapsed' ? health.was : health
      if (was.state !== 'cooling' && was.state !== 'suspect') continue
      gate.health = startProbe(was, lease.id, leaseUntil, at)
      this.#core.registry.refile(gate, at.now)
    }
  }
}

function roleOf(rung: Rung, seat: LiveSeat, pool: Pool): Lease['role'] {
  switch (rung) {
    case 'probe':
    case 'parked-probe':
    case 'early-probe':
      return 'probe'
    case 'parked':
      return 'parked'
    case 'degraded':
      return 'degraded'
    // Named to those who look: it serves next.
    case 'full':
    case 'healthy':
      return pool.active === null || pool.active === seat ? 'active' : 'failover'
  }
}

function exhaustion(pool: Pool, choice: { retryAt: number | null; first: Seat | null }): Exhausted {
  return {
    kind: 'exhausted',
    retryAt: choice.retryAt,
    needsPerson: choice.retryAt === null,
    members: pool.seats.length,
    first: choice.first?.member ?? null,
    remedy: choice.retryAt === null ? remedyIn(pool) : null,
  }
}

/** What a person has to do for the first member that waits for one; what was disabled may be meant to be. */
function remedyIn({ seats }: Pool): Remedy | null {
  const closed = seats.filter(({ owner }) => isClosed(owner.gate.health))
  const seat = closed.find(({ owner }) => owner.gate.health.state !== 'disabled') ?? closed[0]
  return seat ? remedyFor(seat.member, seat.owner.gate.health) : null
}
