import {
  type At,
  cooled,
  type Effect,
  effectOf,
  type Gate,
  type Health,
  isOutlier,
  type Outcome,
  outlierCoolMs,
  recoveryAt,
  remember,
  settle,
} from '../pool/pool.ts'
import type { Write } from '../store/store.ts'
import { type Core, circumstances } from './core.ts'
import type { Decision } from './engine.ts'
import type { Line } from './line.ts'
import type { LiveLease, LiveSeat, LiveTurn, Pool } from './live.ts'
import { gateRow, poolStateRow } from './registry.ts'
import type { Suspicions } from './suspicion.ts'

const hostBackoffMs = 1_000
const longestHostBackoffMs = 60_000

/** A lease and whether its report comes after the answer had begun well. */
interface Blamed {
  readonly lease: LiveLease
  readonly late: boolean
}

/** Applies what came back to the member that was asked, and tells what changed. */
export class Reporting {
  readonly #core: Core
  readonly #line: Line
  readonly #suspicions: Suspicions
  /** The latest success on each host, by credential id: an outlier needs a sibling that works. */
  readonly #successes = new Map<string, { id: string; at: At; before: { id: string; at: At } | null }>()

  constructor(core: Core, line: Line, suspicions: Suspicions) {
    this.#core = core
    this.#line = line
    this.#suspicions = suspicions
  }

  report(lease: LiveLease, turn: LiveTurn, outcome: Outcome): void {
    if (lease.reported) return
    lease.reported = true
    const { seat } = lease
    this.#reachHost(lease, outcome)
    if (outcome.kind === 'success') this.#rememberSuccess(seat)
    else if (isFailure(outcome)) seat.failures++
    this.#applyToGates({ lease, late: false }, turn, outcome)
    if (!canServe(seat)) turn.failed = seat
    if (outcome.kind === 'success') this.#served(seat, turn)
    else if (outcome.kind === 'egress-blocked') this.#tellEgress(lease, outcome)
  }

  /** A request was answered locally: opens the pool's exhaustion once, then only counts. */
  refused(turn: LiveTurn, decision: Extract<Decision, { kind: 'exhausted' }>): void {
    const { pool } = turn
    const now = this.#core.clock.now()
    if (!pool.exhausted) {
      pool.exhausted = { since: now, told: false, refused: 1 }
      this.#tellExhaustion(pool, decision)
      return
    }
    pool.exhausted.refused++
    // It came so soon after the last one that nobody was told; now it has outlived the window, it is news.
    if (!pool.exhausted.told && now - pool.exhausted.since >= this.#core.settings.dedupeMs)
      this.#tellExhaustion(pool, decision)
  }

  #tellExhaustion(pool: Pool, decision: Extract<Decision, { kind: 'exhausted' }>): void {
    const { exhausted } = pool
    if (!exhausted) return
    const { retryAt, members, needsPerson, first } = decision
    const why = Object.fromEntries(pool.seats.slice(0, 20).map((seat) => [seat.member, worseHealth(seat).state]))
    const detail = { retryAt, members, needsPerson, first, why }
    // The row and what the pool remembers of having told it are one transaction.
    exhausted.told = true
    const told = this.#core.signals.record([poolStateRow(pool)], { kind: 'pool_exhausted', pool: pool.name, detail })
    if (told) return
    exhausted.told = false
    this.#core.journal.record([poolStateRow(pool)], [])
  }

  /** The exhaustion is over because `seat` serves or can serve again. */
  recoveredBy(pool: Pool, seat: LiveSeat): void {
    const { exhausted } = pool
    if (!exhausted) return
    pool.exhausted = null
    const detail = { exhaustedAt: exhausted.since, refused: exhausted.refused }
    const signal = { kind: 'pool_recovered', pool: pool.name, to: seat.member, detail } as const
    if (exhausted.told) this.#core.signals.record([poolStateRow(pool)], signal, exhausted.refused)
    else this.#core.journal.record([poolStateRow(pool)], [])
  }

  /** An error inside an answer that had begun: blamed as if it had just happened. */
  late(lease: LiveLease, outcome: Outcome): void {
    lease.seat.failures++
    this.#applyToGates({ lease, late: true }, null, outcome)
  }

  /** `seat` answered a request: the pool works, and its pointer follows. */
  #served(seat: LiveSeat, { failed, leases }: LiveTurn): void {
    const { pool } = seat
    // Dropped since: what it answers says nothing about the pool.
    if (!pool.holds(seat)) return
    if (pool.waiters.size > 0) this.#line.succeeded(pool)
    if (pool.exhausted) this.recoveredBy(pool, seat)
    if (pool.record.strategy !== 'sticky') {
      pool.active = seat
      if (failed && failed !== seat) this.#tellFailover(pool, failed, seat, [])
      return
    }
    // Before anybody has served, the one that was asked first is the one that is left.
    const first = leases[0]?.seat
    if (!pool.active && first && first !== seat && pool.holds(first)) {
      pool.active = first
      this.#core.journal.record([poolStateRow(pool)], [])
    }
    if (pool.active !== seat) this.#follow(pool, seat)
  }

  /** The sticky pointer goes to who served, unless the active member could have served or its key is just being tested. */
  #follow(pool: Pool, seat: LiveSeat): void {
    const left = pool.active
    if (left && pool.roster.standing(left) === 'ready') return
    if (left && left.owner.gate.health.state === 'suspect' && left.owner.finding) pool.standIn = seat
    else this.movePointer(pool, seat)
  }

  /** Points the pool at `seat`; tells a failover when the member that is left has failed. */
  movePointer(pool: Pool, seat: LiveSeat): void {
    const left = pool.active
    pool.active = seat
    pool.standIn = null
    const row = poolStateRow(pool)
    if (!left || !this.#tellFailover(pool, left, seat, [row])) this.#core.journal.record([row], [])
  }

  /** Points the pool at `seat` because the active member is near its limit, which lasts until `until`. */
  preempt(pool: Pool, seat: LiveSeat, until: At | null): void {
    const from = pool.active?.member ?? null
    pool.active = seat
    const about = { pool: pool.name, from, to: seat.member, reason: 'preempted' } as const
    const signal = { kind: 'cred_failover', ...about, detail: { until, status: null } } as const
    this.#core.signals.record([poolStateRow(pool)], signal)
  }

  #tellFailover(pool: Pool, left: LiveSeat, seat: LiveSeat, rows: readonly Write[]): boolean {
    const health = failedHealth(left)
    if (!health) return false
    const detail = { until: 'until' in health ? health.until : null, status: left.owner.lastStatus }
    const about = { pool: pool.name, from: left.member, to: seat.member, reason: health.reason }
    this.#core.signals.record(rows, { kind: 'cred_failover', ...about, detail })
    return true
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
    const target = this.#target(lease, turn, outcome)
    if (target) this.#change(target, effect, blame, outcome)
    for (const gate of tested) if (gate !== target) this.#change(gate, beside(effect, target), blame, outcome)
  }

  /** What the outcome does to its target, after weak evidence has been weighed. */
  #weigh(lease: LiveLease, turn: LiveTurn | null, outcome: Outcome): Effect {
    const { pool, owner } = lease.seat
    const now = this.#core.clock.now()
    if (outcome.kind === 'upstream-error') return this.#weighUpstreamError(lease, now)
    const effect = effectOf(outcome)
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

  #weighUpstreamError(lease: LiveLease, now: At): Effect {
    const { owner } = lease.seat
    owner.failedAt = remember(owner.failedAt, now)
    if (!isOutlier(owner.failedAt, this.#siblingSuccess(lease.seat), now)) return { do: 'restore' }
    owner.failedAt = []
    return { do: 'cool', reason: 'outlier', until: now + outlierCoolMs, forMs: null }
  }

  #target(lease: LiveLease, turn: LiveTurn | null, outcome: Outcome): Gate | null {
    const { owner, domain } = lease.seat
    if (outcome.scope === 'domain') return domain ?? owner.gate
    if (outcome.scope === 'member' || !isFailure(outcome)) return owner.gate
    const model = outcome.model ?? turn?.model ?? lease.model
    return model === null ? null : this.#core.registry.modelGate(owner, model)
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
    if (after.state !== 'healthy') this.#line.disturbed(pool)
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
    } else if (health.state === 'suspect') {
      const detail = { until: health.until, status: outcome.status }
      this.#core.signals.record([row], { kind: 'cred_suspect', ...about, reason: health.reason, detail })
    } else if (health.state !== 'probing') this.#core.journal.record([row], [])
  }

  /** Any answer proves that the host can be reached; a connection that failed cools it. */
  #reachHost(lease: LiveLease, outcome: Outcome): void {
    const { host } = lease.seat
    if (host.health.state === 'healthy' && outcome.kind !== 'infra') return
    const now = this.#core.clock.now()
    const before = host.health
    if (outcome.status !== null) host.health = { state: 'healthy', since: now }
    else if (outcome.kind === 'infra') host.health = hostAfterFailure(before, lease, now)
    else if (before.state === 'probing' && before.lease === lease.id) host.health = before.was
    if (host.health === before) return
    this.#core.registry.refile(host, now)
    this.#tellHost(host, before, lease)
  }

  #tellHost(host: Gate, before: Health, lease: LiveLease): void {
    const row = gateRow(host, lease.seat.owner)
    const { health } = host
    if (before.state === 'probing' && health === before.was) return
    if (health.state === 'healthy') {
      const downAt = 'since' in before ? before.since : before.was.since
      this.#core.signals.record([row], { kind: 'host_up', pool: lease.pool, detail: { host: host.name, downAt } })
      this.#line.disturbed(lease.seat.pool)
    } else if (health.state === 'cooling') {
      const detail = { host: host.name, nextAttemptAt: health.until }
      this.#core.signals.record([row], { kind: 'host_down', pool: lease.pool, reason: 'connect', detail })
    }
  }

  #tellEgress(lease: LiveLease, outcome: Outcome): void {
    const { reason, status } = outcome
    this.#core.signals.record([], { kind: 'egress_blocked', pool: lease.pool, reason, detail: { status } })
  }

  #rememberSuccess(seat: LiveSeat): void {
    const { id } = seat.owner.record
    const latest = this.#successes.get(seat.host.name)
    const at = this.#core.clock.now()
    if (latest?.id === id) latest.at = at
    else this.#successes.set(seat.host.name, { id, at, before: latest ? { id: latest.id, at: latest.at } : null })
  }

  #siblingSuccess(seat: LiveSeat): At | null {
    const latest = this.#successes.get(seat.host.name)
    if (!latest) return null
    return latest.id === seat.owner.record.id ? (latest.before?.at ?? null) : latest.at
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

/** The state in which a member cannot serve, whichever of its gates is to blame; null when it has not failed. */
function failedHealth(seat: LiveSeat): Exclude<Health, { state: 'healthy' | 'probing' | 'suspect' }> | null {
  for (const gate of [seat.owner.gate, seat.domain, seat.host]) {
    if (!gate) continue
    const health = gate.health.state === 'probing' ? gate.health.was : gate.health
    if (health.state !== 'healthy' && health.state !== 'suspect') return health
  }
  return null
}

function hostAfterFailure(before: Health, lease: LiveLease, now: At): Health {
  if (before.state === 'cooling') return before
  if (before.state === 'probing' && before.lease !== lease.id) return before
  const strikes = before.state === 'probing' ? before.was.strikes + 1 : 0
  return cooled('connect', Math.min(hostBackoffMs * 2 ** strikes, longestHostBackoffMs), strikes, now)
}

/** The worse of a credential's own health and its quota domain's. */
export function worseHealth(seat: LiveSeat): Health {
  const own = seat.owner.gate.health
  const domain = seat.domain?.health
  if (!domain || domain.state === 'healthy' || own.state === 'needs-login' || own.state === 'disabled') return own
  return own.state === 'healthy' || recoveryAt(domain) > recoveryAt(own) ? domain : own
}
