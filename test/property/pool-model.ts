import { expect } from 'vitest'
import {
  type At,
  availability,
  type Caps,
  type Choice,
  closedGates,
  cooled,
  disabled,
  type Effect,
  effectOf,
  type Gate,
  type Health,
  type Meter,
  type ModelFamily,
  needsLogin,
  type Outcome,
  openGate,
  recovered,
  type Seat,
  SelectionIndex,
  type StrategyName,
  select,
  settle,
  startProbe,
} from '../../internal/pool/pool.ts'
import { checkFiled, checkSettled } from './checks.ts'
import { openingOf, standsNow, whoServes } from './reference.ts'
import { seatOf, settings } from './seats.ts'

export const families = ['opus', 'haiku'] as const
const leaseMs = 960_000

/** Something that happens; members, pools, requests and leases are numbers that are taken modulo what there is. */
export type Step =
  | {
      readonly do: 'start'
      readonly pool: number
      readonly model: ModelFamily | null
      readonly degrade: boolean
      readonly preferred: number | null
    }
  /** An earlier request goes on to its next member. */
  | { readonly do: 'again'; readonly turn: number }
  /** An answer to any lease so far; a second one is a late error of its stream. */
  | { readonly do: 'report'; readonly lease: number; readonly outcome: Outcome; readonly inMs: number | null }
  | { readonly do: 'release'; readonly lease: number }
  | { readonly do: 'wait'; readonly ms: number }
  /** An operator parks a seat for a time, for good (null), or no longer (0). */
  | { readonly do: 'park'; readonly pool: number; readonly member: number; readonly forMs: number | null }
  /** What an upstream says of a member's window. */
  | { readonly do: 'meter'; readonly member: number; readonly usedPercent: number; readonly inMs: number }
  /** What operators, logins and canonical probes set. */
  | { readonly do: 'set'; readonly member: number; readonly to: Verdict }
  /** A member is dropped and comes back as a new seat at the end, or the order is turned, or the strategy changes. */
  | {
      readonly do: 'reseat'
      readonly pool: number
      readonly member: number
      readonly how: 'drop' | 'turn' | StrategyName
    }

export const verdicts = ['clear', 'disable', 'enable', 'login', 'needs-login', 'cleared', 'confirmed'] as const
type Verdict = (typeof verdicts)[number]

/** How a member of the model is made: shared gates by number, -1 for none. */
export interface MemberPlan {
  readonly domain: number
  readonly host: number
  readonly weight: number
  readonly tier: number
  readonly maxInFlight: number | null
  readonly cap: number | null
}

type Take<K extends Step['do']> = Extract<Step, { readonly do: K }>

interface Credential {
  readonly name: string
  readonly gate: Gate
  readonly models: Map<ModelFamily, Gate>
  readonly meter: Meter
  readonly plan: MemberPlan
  generation: number
}

interface Pool {
  selectionIndex: SelectionIndex
  active: Seat | null
}

interface Turn {
  readonly pool: Pool
  readonly model: ModelFamily | null
  readonly degrade: boolean
  /** The rank of the member that served its conversation; null for none. */
  readonly preferred: number | null
  readonly tried: Seat[]
}

export interface Lease {
  readonly id: number
  readonly issuedAt: At
  readonly seat: Seat
  readonly pool: Pool
  readonly credential: Credential
  readonly generation: number
  readonly model: ModelFamily | null
  inFlight: boolean
}

/**
 * Two pools over the same credentials, their domains and hosts: the least of an engine that docs/failover.md allows. It checks
 * with every step that selection answers as the reference does and that no state does what that page forbids.
 */
export class PoolModel {
  now: At = 1_000_000
  readonly #credentials: readonly Credential[]
  readonly #domains = [openGate('domain', 'd0'), openGate('domain', 'd1')]
  readonly #hosts = [openGate('host', 'h0'), openGate('host', 'h1')]
  readonly #pools: readonly Pool[]
  readonly #turns: Turn[] = []
  readonly #leases: Lease[] = []
  #lastLease = 0

  constructor(plans: readonly MemberPlan[], strategies: readonly StrategyName[]) {
    this.#credentials = plans.map((plan, at) => ({
      name: `m${at}`,
      gate: openGate('credential', `m${at}`),
      meter: { windows: [] },
      models: new Map(families.map((model) => [model, openGate('model', model)])),
      plan,
      generation: 1,
    }))
    this.#pools = strategies.map((strategy, at) => {
      const seats = this.#credentials.map((credential) => this.#seat(credential))
      if (at % 2 === 1) seats.reverse()
      return { selectionIndex: new SelectionIndex(strategy, seats, this.now), active: null }
    })
    this.#agree()
  }

  /** Does the step, and checks that the files still say what follows from the seats. */
  take(step: Step): void {
    if (step.do === 'start') this.#start(step)
    else if (step.do === 'again') this.#again(step)
    else if (step.do === 'report') this.#report(step)
    else if (step.do === 'release') this.#release(step)
    else if (step.do === 'wait') this.now += step.ms
    else if (step.do === 'park') this.#park(step)
    else if (step.do === 'set') this.#set(step)
    else if (step.do === 'meter') this.#hear(step)
    else this.#reseat(step)
    this.#agree()
  }

  #start({ pool, model, degrade, preferred }: Take<'start'>): void {
    const turn = { pool: pick(this.#pools, pool), model, degrade, preferred, tried: [] }
    this.#turns.push(turn)
    this.#next(turn)
  }

  #again({ turn }: Take<'again'>): void {
    if (this.#turns.length > 0) this.#next(pick(this.#turns, turn))
  }

  #report({ lease, outcome: plain, inMs }: Take<'report'>): void {
    if (this.#leases.length === 0) return
    const of = pick(this.#leases, lease)
    const outcome = { ...plain, until: inMs === null ? null : this.now + inMs }
    this.#reachHost(of, outcome)
    if (of.generation === of.credential.generation) this.#blame(of, outcome)
    if (outcome.kind === 'success' && of.pool.selectionIndex.seats.includes(of.seat)) of.pool.active = of.seat
  }

  #release({ lease }: Take<'release'>): void {
    const open = this.#leases.filter((of) => of.inFlight)
    if (open.length === 0) return
    const of = pick(open, lease)
    of.inFlight = false
    of.pool.selectionIndex.end(of.seat, this.now)
  }

  #park({ pool, member, forMs }: Take<'park'>): void {
    const { selectionIndex } = pick(this.#pools, pool)
    const seat = pick(selectionIndex.seats, member)
    seat.park = { until: forMs === null ? null : this.now + forMs, by: 'operator:test', since: this.now }
    if (forMs === 0) seat.park = null
    selectionIndex.file(seat, this.now)
  }

  #hear({ member, usedPercent, inMs }: Take<'meter'>): void {
    const { gate, meter } = pick(this.#credentials, member)
    meter.windows = [{ window: '7d', usedPercent, resetAt: this.now + inMs, seenAt: this.now, source: 'headers' }]
    this.#put(gate, gate.health)
  }

  #set({ member, to }: Take<'set'>): void {
    const credential = pick(this.#credentials, member)
    const { gate } = credential
    const isSuspect = gate.health.state === 'suspect'
    const isOut = openingOf(gate.health, this.now) === 'out'
    if (to === 'clear' && !isOut) this.#clear(credential)
    else if (to === 'disable') this.#put(gate, disabled('operator', 'operator', this.now))
    else if (to === 'needs-login') this.#put(gate, needsLogin('refresh-rejected', this.now))
    else if (to === 'confirmed' && isSuspect) this.#put(gate, disabled('auth-rejected', 'upstream', this.now))
    else if (to === 'login' || (to === 'enable' && isOut) || (to === 'cleared' && isSuspect)) {
      if (to === 'login') credential.generation++
      this.#put(gate, recovered(this.now))
    }
  }

  #clear({ gate, models, plan }: Credential): void {
    const domain = this.#domains[plan.domain]
    for (const shut of [gate, ...models.values(), ...(domain ? [domain] : [])]) this.#heal(shut)
  }

  #reseat({ pool, member, how }: Take<'reseat'>): void {
    const of = pick(this.#pools, pool)
    let seats = [...of.selectionIndex.seats]
    if (how === 'drop') {
      const [dropped] = seats.splice(member % seats.length, 1)
      for (const gate of this.#gatesOf(dropped!)) gate.seats.delete(dropped!)
      if (of.active === dropped) of.active = null
      seats.push(this.#seat(this.#owner(dropped!)))
    } else if (how === 'turn') seats = [...seats.slice(1), ...seats.slice(0, 1)]
    const strategy = how === 'drop' || how === 'turn' ? of.selectionIndex.strategyName : how
    of.selectionIndex = new SelectionIndex(strategy, seats, this.now)
  }

  #seat(credential: Credential): Seat {
    const { plan } = credential
    const domain = this.#domains[plan.domain] ?? null
    const { weight, tier, maxInFlight, cap } = plan
    const caps: Caps = cap === null ? {} : { '7d': cap }
    const host = pick(this.#hosts, plan.host)
    const plain = seatOf(credential.name, { domain, host, weight, tier, maxInFlight, caps })
    const { gate: own, models, meter } = credential
    const seat = { ...plain, credential: own, models, meter }
    for (const gate of this.#gatesOf(seat)) {
      gate.seats.delete(plain)
      gate.seats.add(seat)
    }
    return seat
  }

  #gatesOf(seat: Seat): readonly Gate[] {
    return [seat.credential, ...(seat.domain ? [seat.domain] : []), seat.host, ...seat.models.values()]
  }

  #owner(seat: Seat): Credential {
    return this.#credentials.find((credential) => credential.gate === seat.credential)!
  }

  #next(turn: Turn): void {
    const { pool, model, degrade, tried } = turn
    const { selectionIndex, active } = pool
    const { strategyName: strategy, seats } = selectionIndex
    const preferred = turn.preferred === null ? null : pick(seats, turn.preferred)
    const choice = select(selectionIndex, { model, tried, preferred, active: active?.index ?? -1, degrade }, this.now)
    const expected = whoServes({ strategy, seats, model, tried, active, degrade, preferred, now: this.now })
    const seat = seatIn(choice)
    const inTurn = seat && standsNow(seat, model, this.now) === 'ready' ? 'healthy' : 'probe'
    expect(choice.rung).toBe(expected.rung === 'in-turn' ? inTurn : expected.rung)
    if (seat || expected.among.length > 0) expect(expected.among).toContain(seat)
    if ('retryAt' in choice) expect(choice.retryAt).toBe(expected.retryAt)
    if (!('seat' in choice) || choice.rung === 'host' || choice.rung === 'full') return
    this.#mayServe(turn, choice)
    this.#lease(turn, choice)
  }

  /** What must hold for everybody who is chosen, told without the rungs. */
  #mayServe(turn: Turn, { seat, rung }: Extract<Choice, { seat: Seat }>): void {
    expect(turn.tried).not.toContain(seat)
    const closed = closedGates(seat, turn.model)
    const openings = closed.map((gate) => openingOf(gate.health, this.now))
    expect(openings).not.toContain('out')
    expect(openings.includes('shut')).toBe(rung === 'early-probe' || rung === 'degraded')
    expect(availability(seat, this.now, turn.model)).not.toBe('full')
    const spared = turn.pool.selectionIndex.seats.filter(
      (other) => !turn.tried.includes(other) && standsNow(other, turn.model, this.now) === 'parked',
    )
    if (spared.length > 0) expect(['healthy', 'probe', 'parked']).toContain(rung)
  }

  #lease({ pool, model, tried }: Turn, { seat, rung }: Extract<Choice, { seat: Seat }>): void {
    const id = ++this.#lastLease
    for (const gate of rung === 'degraded' ? [] : closedGates(seat, model)) {
      const { health } = gate
      // At most one probe at a time: whoever had the right before has lost it.
      const was = health.state === 'probing' && health.leaseUntil <= this.now ? health.was : health
      if (was.state !== 'cooling' && was.state !== 'suspect') throw new Error(`a second probe of ${gate.name}`)
      this.#put(gate, startProbe(was, id, this.now + leaseMs, this.#circumstances()))
    }
    pool.selectionIndex.begin(seat, this.now)
    tried.push(seat)
    const credential = this.#owner(seat)
    const { generation } = credential
    this.#leases.push({ id, issuedAt: this.now, seat, pool, credential, generation, model, inFlight: true })
  }

  #blame(lease: Lease, outcome: Outcome): void {
    const effect = effectOf(outcome)
    const { gate, models } = lease.credential
    const { domain } = lease.seat
    const family = outcome.model ?? lease.model
    const limit = family === null ? undefined : models.get(family)
    const failed = effect.do === 'cool' || effect.do === 'suspect'
    const target =
      failed && outcome.scope === 'domain' ? (domain ?? gate) : failed && outcome.scope === 'model' ? limit : gate
    for (const one of new Set([gate, domain, limit])) {
      if (!one) continue
      if (one === target) this.#change(one, effect, lease)
      else if (one.health.state === 'probing') {
        this.#change(one, effect.do === 'clear' ? effect : { do: 'restore' }, lease)
      }
    }
  }

  #change(gate: Gate, effect: Effect, lease: Lease): void {
    const before = gate.health
    const after = settle(before, effect, lease, this.#circumstances())
    checkSettled({ before, after, effect, lease })
    this.#put(gate, after)
    if (after.state !== 'cooling' || gate.kind === 'model') return
    for (const seat of gate.seats) expect(availability(seat, this.now)).not.toBe('parked')
  }

  #reachHost({ id, seat: { host } }: Lease, outcome: Outcome): void {
    const { health } = host
    if (outcome.status !== null) this.#heal(host)
    else if (outcome.kind === 'infra' && health.state === 'healthy')
      this.#put(host, cooled('connect', 1_000, 0, this.now))
    else if (health.state === 'probing' && health.lease === id) {
      const strikes = health.was.strikes + 1
      this.#put(
        host,
        outcome.kind === 'infra' ? cooled('connect', 1_000 * 2 ** strikes, strikes, this.now) : health.was,
      )
    }
  }

  #heal(gate: Gate): void {
    if (gate.health.state !== 'healthy') this.#put(gate, recovered(this.now))
  }

  #put(gate: Gate, health: Health): void {
    gate.health = health
    for (const { selectionIndex } of this.#pools) {
      for (const seat of selectionIndex.seats) if (gate.seats.has(seat)) selectionIndex.file(seat, this.now)
    }
  }

  #circumstances() {
    return { now: this.now, jitter: 0, settings }
  }

  /** The files of every selection index say what follows from the seats alone. */
  #agree(): void {
    for (const { selectionIndex } of this.#pools) {
      selectionIndex.advance(this.now)
      for (const model of [null, ...families]) {
        for (const seat of selectionIndex.seats) checkFiled({ selectionIndex, seat, model, now: this.now })
      }
    }
  }
}

function seatIn(choice: Choice): Seat | null {
  if (choice.rung === 'exhausted') return choice.first
  return 'seat' in choice ? choice.seat : null
}

function pick<T>(from: readonly T[], number: number): T {
  return from[number % from.length]!
}
