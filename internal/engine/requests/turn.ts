import type { Clock } from '../../clock/clock.ts'
import { type ModelFamily, nothingLearned, type Outcome, type Usage } from '../../pool/pool.ts'
import type { Decision, Exhausted, Full, Lease, Turn } from '../api/data-path.ts'
import type { Finding } from '../api/probes.ts'
import { type LiveLease, LiveTurn, type Pool } from '../state/live.ts'
import type { Exhaustions } from './exhaustion.ts'
import type { Hosts } from './hosts.ts'
import type { Leasing } from './leasing.ts'
import type { Reporting } from './reporting.ts'
import type { Suspicions } from './suspicion.ts'
import type { UsageWatch } from './usage.ts'
import type { WaitQueue } from './wait-queue.ts'

/** What a RequestTurn works with. */
export interface TurnDeps {
  readonly clock: Clock
  readonly leases: Map<number, LiveLease>
  readonly leasing: Leasing
  readonly queue: WaitQueue
  readonly reporting: Reporting
  readonly suspicions: Suspicions
  readonly exhaustions: Exhaustions
  readonly hosts: Hosts
  readonly usage: UsageWatch
}

/** One request's turn in a pool. Each of its leases is reported once and released once. */
export class RequestTurn extends LiveTurn implements Turn {
  readonly #deps: TurnDeps
  #lease: LiveLease | null = null
  #isOver = false

  constructor(deps: TurnDeps, pool: Pool, model: ModelFamily | null) {
    super(pool, model, deps.clock.now())
    this.#deps = deps
    pool.inFlight++
  }

  next(): Decision {
    return this.#take(this.#deps.leasing.next(this))
  }

  outlook(): Decision {
    return this.#deps.leasing.outlook(this.pool, this.model).decision
  }

  mayHold(decision: Exhausted | Full): boolean {
    return this.#deps.queue.mayHold(this.pool, decision, this.heldMs)
  }

  async hold(signal: AbortSignal): Promise<Decision> {
    return this.#take(await this.#deps.queue.hold(this, signal))
  }

  report(outcome: Outcome): void {
    if (this.#lease) this.#deps.reporting.report(this.#lease, this, outcome)
  }

  late(outcome: Outcome): void {
    const lease = this.#lease
    if (!lease) return
    if (lease.reported) this.#deps.reporting.late(lease, outcome, this.model)
    else this.report(outcome)
  }

  hop(): boolean {
    return this.#lease !== null && this.#deps.leasing.hop(this.#lease, this)
  }

  recovery(): Exhausted | null {
    return this.#lease && this.#deps.leasing.recovery(this.#lease, this)
  }

  observe(read: () => readonly Usage[]): void {
    const lease = this.#lease
    if (lease && this.#deps.usage.wants(lease)) this.#deps.usage.observe(lease, read())
  }

  pending(withinMs: number): Promise<unknown> | null {
    return this.#deps.suspicions.pending(this.pool, withinMs)
  }

  finding(lease: Lease, withinMs: number): Promise<Finding> {
    return this.#deps.suspicions.finding(lease as LiveLease, withinMs)
  }

  refused(decision: Exhausted): void {
    this.#deps.exhaustions.refused(this.pool, decision, this.model)
  }

  end(): void {
    this.#leave()
    this.#isOver = true
    this.pool.inFlight--
  }

  /** The lease of a decision takes the place of the present one. */
  #take(decision: Decision): Decision {
    if (decision.kind === 'host-down') this.#deps.hosts.turnedAway(this.pool, decision.host)
    if (decision.kind !== 'lease') return decision
    this.#leave()
    this.#lease = decision.lease as LiveLease
    if (this.#isOver) this.#leave()
    return decision
  }

  #leave(): void {
    const lease = this.#lease
    this.#lease = null
    if (!lease) return
    this.#deps.reporting.report(lease, this, nothingLearned)
    this.#deps.leases.delete(lease.id)
    const { pool } = lease.seat
    const hasRoom = pool.selectionIndex.end(lease.seat, this.#deps.clock.now())
    this.#deps.reporting.ended(lease)
    if (hasRoom) this.#deps.queue.roomIn(pool)
  }
}
