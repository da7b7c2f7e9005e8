import {
  type Effect,
  effectOf,
  type Gate,
  type Health,
  type ModelFamily,
  type Outcome,
  settle,
} from '../../pool/pool.ts'
import { type Core, circumstances } from '../state/context.ts'
import type { LiveCredential, LiveLease, LiveSeat, LiveTurn } from '../state/live.ts'
import { credentialRow, gateRow } from '../state/registry.ts'
import type { ActiveMembers } from './active-member.ts'
import type { Backups } from './backups.ts'
import { type Capacities, isWantOfCapacity } from './capacities.ts'
import type { Exhaustions } from './exhaustion.ts'
import type { Hosts } from './hosts.ts'
import { Outliers } from './outliers.ts'
import type { Suspicions } from './suspicion.ts'
import type { WaitQueue } from './wait-queue.ts'

/** A lease and whether its report comes after the answer had begun well. */
interface Blamed {
  readonly lease: LiveLease
  readonly late: boolean
}

/** What a report touches beside the member itself. */
interface ReportingDeps {
  readonly queue: WaitQueue
  readonly suspicions: Suspicions
  readonly activeMembers: ActiveMembers
  readonly backups: Backups
  readonly exhaustions: Exhaustions
  readonly hosts: Hosts
  readonly capacities: Capacities
  /** Called when a gate of the credential begins to cool. */
  readonly cooled: (credential: LiveCredential) => void
}

/** Applies the outcome of a lease to the gates of its member, and records and announces what changed. */
export class Reporting {
  readonly #core: Core
  readonly #queue: WaitQueue
  readonly #suspicions: Suspicions
  readonly #activeMembers: ActiveMembers
  readonly #backups: Backups
  readonly #exhaustions: Exhaustions
  readonly #hosts: Hosts
  readonly #capacities: Capacities
  readonly #cooled: ReportingDeps['cooled']
  readonly #outliers = new Outliers()

  constructor(core: Core, parts: ReportingDeps) {
    this.#core = core
    this.#queue = parts.queue
    this.#suspicions = parts.suspicions
    this.#activeMembers = parts.activeMembers
    this.#backups = parts.backups
    this.#exhaustions = parts.exhaustions
    this.#hosts = parts.hosts
    this.#capacities = parts.capacities
    this.#cooled = parts.cooled
  }

  report(lease: LiveLease, turn: LiveTurn, outcome: Outcome): void {
    if (lease.reported) return
    lease.reported = true
    const { seat } = lease
    this.#hosts.reach(lease, outcome)
    lease.isAnswered = outcome.kind === 'success'
    if (outcome.kind === 'success') {
      seat.owner.isFresh = false
      this.#outliers.succeeded(seat, this.#core.clock.now())
    } else if (isFailure(outcome)) seat.failures++
    this.#noteCapacity(lease, outcome, { late: false, model: turn.model })
    this.#applyToGates({ lease, late: false }, turn, outcome)
    if (!canServe(seat) && !lease.isEarly) turn.failed = seat
    if (outcome.kind === 'success') this.#served(seat, turn)
    else if (outcome.kind === 'egress-blocked') this.#tellEgress(lease, outcome)
  }

  /** An error inside an answer that had begun: blamed as if it had just happened. */
  late(lease: LiveLease, outcome: Outcome, model: ModelFamily | null): void {
    lease.seat.failures++
    lease.isAnswered = false
    this.#noteCapacity(lease, outcome, { late: true, model })
    this.#applyToGates({ lease, late: true }, null, { ...outcome, model: outcome.model ?? model })
  }

  /** The answer has ended, as well as it began unless it was late. */
  ended({ seat, model, isAnswered }: LiveLease): void {
    if (isAnswered) this.#capacities.answered(seat.owner, model)
  }

  #noteCapacity(lease: LiveLease, outcome: Outcome, about: { late: boolean; model: ModelFamily | null }): void {
    if (!isWantOfCapacity(outcome, about.late)) return
    this.#capacities.refused(lease.seat.owner, outcome.model ?? about.model ?? lease.model, this.#core.clock.now())
  }

  #served(seat: LiveSeat, turn: LiveTurn): void {
    const { pool } = seat
    // Dropped since: what it answers says nothing about the pool.
    if (!pool.holds(seat)) return
    if (pool.waiters.size > 0) this.#queue.succeeded(pool)
    if (pool.exhausted) this.#exhaustions.servedBy(pool, seat, turn.model)
    this.#activeMembers.served(seat, turn)
    this.#backups.served(seat, turn)
    if (turn.conversation !== null) this.#core.conversations.note(turn.conversation, seat, this.#core.clock.now())
  }

  #applyToGates(blame: Blamed, turn: LiveTurn | null, outcome: Outcome): void {
    const { lease } = blame
    const tested = testedBy(lease)
    if (lease.seat.owner.generation !== lease.generation) {
      // The secret is another now: whatever this lease was testing waits for the next one.
      for (const gate of tested) this.#change(gate, { do: 'restore' }, blame, outcome)
      return
    }
    const effect = this.#weigh(lease, turn, outcome)
    const target = this.#target(lease, turn, { outcome, isSetback: effect.do === 'cool' || effect.do === 'suspect' })
    if (target) this.#change(target, effect, blame, outcome)
    if (outcome.scope === 'domain-model' && target?.kind === 'model' && effect.do === 'cool')
      this.#limitSiblings(target.name, effect, blame)
    for (const gate of tested) if (gate !== target) this.#change(gate, beside(effect, target), blame, outcome)
  }

  /** What the outcome does to its target, after weak evidence has been weighed. */
  #weigh(lease: LiveLease, turn: LiveTurn | null, outcome: Outcome): Effect {
    const { pool, owner } = lease.seat
    const now = this.#core.clock.now()
    if (outcome.kind === 'upstream-error') return this.#outliers.failed(lease.seat, now)
    const effect = effectOf(outcome)
    if (effect.do === 'suspect' && this.#suspicions.wasJustCleared(owner)) return { do: 'restore' }
    if (outcome.evidence === 'strong' || (effect.do !== 'cool' && effect.do !== 'suspect')) return effect
    const storm = pool.storm.weakFailure(owner.record.id, pool.seats.length, now)
    if (storm.started) {
      const detail = { members: pool.seats.length, until: pool.storm.until }
      this.#core.signals.record([], { kind: 'weak_storm', pool: pool.name, reason: outcome.reason, detail })
    }
    if (storm.calm || turn?.blamed) return { do: 'restore' }
    if (turn) turn.blamed = true
    return effect
  }

  #target(
    lease: LiveLease,
    turn: LiveTurn | null,
    { outcome, isSetback }: { outcome: Outcome; isSetback: boolean },
  ): Gate | null {
    const { owner, domain } = lease.seat
    if (outcome.scope === 'domain') return domain ?? owner.gate
    if (outcome.scope === 'member' || !isFailure(outcome)) return owner.gate
    const model = outcome.model ?? turn?.model ?? lease.model
    if (model === null) return outcome.scope === 'domain-model' ? (domain ?? owner.gate) : null
    // What limits nobody leaves no gate behind: a pool with gates of models has its bodies parsed.
    return isSetback ? this.#core.registry.modelGate(owner, model) : (owner.models.get(model) ?? null)
  }

  /** Puts the same limit on one model of every other member of the domain. */
  #limitSiblings(model: string, effect: Effect, blame: Blamed): void {
    const { owner, domain } = blame.lease.seat
    const owners = new Set([...(domain?.seats ?? [])].map((seat) => (seat as LiveSeat).owner))
    for (const sibling of owners) {
      if (sibling === owner) continue
      const gate = this.#core.registry.modelGate(sibling, model)
      const at = circumstances(this.#core)
      const after = settle(gate.health, effect, { id: blame.lease.id, issuedAt: at.now }, at)
      if (after === gate.health) continue
      gate.health = after
      this.#core.registry.refile(gate, at.now)
      this.#core.journal.record([credentialRow(sibling)], [])
    }
  }

  #change(gate: Gate, effect: Effect, blame: Blamed, outcome: Outcome): void {
    const { lease, late } = blame
    const before = gate.health
    const at = circumstances(this.#core)
    // A stream may have recovered the member and fail afterwards; of several that fail together one is a strike.
    const issuedAt = late && before.state === 'healthy' ? at.now : lease.issuedAt
    const after = settle(before, effect, { id: lease.id, issuedAt }, at)
    if (after === before) return
    gate.health = after
    this.#core.registry.refile(gate, at.now)
    const { owner, pool } = lease.seat
    if (gate.kind === 'model' && after.state === 'healthy') this.#core.registry.forgetModel(owner, gate.name)
    if (isFailure(outcome)) owner.lastStatus = outcome.status
    this.#tellChange(gate, before, { lease, outcome })
    if (after.state === 'suspect') this.#suspicions.look(owner, pool)
    if (after.state !== 'healthy') this.#queue.disturbed(pool)
  }

  #tellChange(gate: Gate, before: Health, cause: { lease: LiveLease; outcome: Outcome }): void {
    const { lease, outcome } = cause
    const row = gateRow(gate, lease.seat.owner)
    const about = { pool: lease.pool, from: lease.member }
    const { health } = gate
    // A probe that settles nothing leaves the stored row as it is; a longer cooldown is stored but not told again.
    if (before.state === 'probing' && health === before.was) return
    if (health.state === 'cooling' && before.state !== 'cooling') {
      const model = gate.kind === 'model' ? gate.name : null
      const detail = { until: health.until, scope: outcome.scope, model, status: outcome.status }
      this.#core.signals.record([row], { kind: 'cred_cooled', ...about, reason: health.reason, detail })
      this.#cooled(lease.seat.owner)
    } else if (health.state === 'suspect') {
      const detail = { until: health.until, status: outcome.status }
      this.#core.signals.record([row], { kind: 'cred_suspect', ...about, reason: health.reason, detail })
    } else if (health.state !== 'probing') this.#core.journal.record([row], [])
  }

  #tellEgress(lease: LiveLease, outcome: Outcome): void {
    const { reason, status } = outcome
    this.#core.signals.record([], { kind: 'egress_blocked', pool: lease.pool, reason, detail: { status } })
  }
}

function canServe(seat: LiveSeat): boolean {
  return seat.owner.gate.health.state === 'healthy' && (seat.domain?.health.state ?? 'healthy') === 'healthy'
}

/** Whether the outcome counts against the member in its statistics. */
function isFailure(outcome: Outcome): boolean {
  return outcome.kind !== 'success' && outcome.kind !== 'request-fault' && outcome.kind !== 'client-gone'
}

/** What a probe of another gate learns: an answer limited to one model shows that the credential itself works. */
function beside(effect: Effect, target: Gate | null): Effect {
  if (effect.do === 'clear') return effect
  return target?.kind === 'model' ? { do: 'clear' } : { do: 'restore' }
}

/** The gates that this lease is the probe of. */
function testedBy(lease: LiveLease): readonly Gate[] {
  const { owner, domain } = lease.seat
  const gates = [owner.gate, ...(domain ? [domain] : []), ...owner.models.values()]
  return gates.filter(({ health }) => health.state === 'probing' && health.lease === lease.id)
}
