import type { Clock } from '../../clock/clock.ts'
import { type Gate, type ModelFamily, nothingLearned, type Outcome, type Usage } from '../../pool/pool.ts'
import type { Decision, Exhausted, Full, Lease, Turn } from '../api/data-path.ts'
import type { Finding, Rights } from '../api/probes.ts'
import type { UsageWatch } from '../foresight/usage-watch.ts'
import { type LiveLease, LiveTurn, type Owner, type Pool } from '../state/live.ts'
import type { Registry } from '../state/registry.ts'
import type { Exhaustions } from './exhaustion.ts'
import type { Hosts } from './hosts.ts'
import type { Leasing } from './leasing.ts'
import type { Pacing } from './pacing.ts'
import type { Reporting } from './reporting.ts'
import type { Suspicions } from './suspicion.ts'
import type { WaitQueue } from './wait-queue.ts'

/** What a RequestTurn works with. */
export interface TurnDeps {
  readonly rights: Rights | null
  readonly registry: Registry
  /** Resolves when what was decided so far is written, or cannot be now. */
  readonly written: () => Promise<void>
  readonly clock: Clock
  readonly leases: Map<number, LiveLease>
  readonly leasing: Leasing
  readonly queue: WaitQueue
  readonly pacing: Pacing
  readonly reporting: Reporting
  readonly suspicions: Suspicions
  readonly exhaustions: Exhaustions
  readonly hosts: Hosts
  readonly usage: UsageWatch
}

/** Stands for the lease of another replica. */
const elsewhere = 0
/** Another replica that has not settled its test by then may be gone. */
const elsewhereMs = 15_000

/** One request's turn in a pool. Each of its leases is reported once and released once. */
export class RequestTurn extends LiveTurn implements Turn {
  readonly #deps: TurnDeps
  #lease: LiveLease | null = null
  #isOver = false
  /** The credential that this turn has the right to test. */
  #tests: string | null = null

  constructor(
    deps: TurnDeps,
    pool: Pool,
    asked: {
      model: ModelFamily | null
      conversation: string | null
      key: string
      owner: Owner | null
      mayTest: boolean
    },
  ) {
    super(pool, asked, deps.clock.now())
    this.conversation = asked.conversation
    this.owner = asked.owner
    this.mayTest = asked.mayTest
    this.#deps = deps
    pool.inFlight++
  }

  next(): Decision {
    return this.#take(this.#paced())
  }

  async pace(signal: AbortSignal): Promise<Decision> {
    return this.#take(await this.#deps.pacing.wait(this, signal, () => this.#paced()))
  }

  #paced(): Decision {
    return this.#deps.leasing.next(this, this.#deps.pacing)
  }

  right(): Promise<boolean> | null {
    const { rights } = this.#deps
    const lease = this.#lease
    if (!rights || !lease || lease.role === 'degraded' || testedGates(lease).length === 0) return null
    this.#tests = lease.seat.owner.record.id
    return rights.take(this.#tests)
  }

  yield(): void {
    const lease = this.#lease
    if (!lease) return
    const { clock, registry } = this.#deps
    this.#tests = null
    const now = clock.now()
    for (const gate of testedGates(lease)) {
      const { health } = gate
      if (health.state === 'probing') gate.health = { ...health, lease: elsewhere, leaseUntil: now + elsewhereMs }
      registry.refile(gate, now)
    }
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
    if (!lease) return
    const { usage } = this.#deps
    const isCounted = usage.count(lease, this.key)
    if (usage.wants(lease)) usage.observe(lease, read())
    // It may be the first that says anything.
    if (!isCounted) usage.count(lease, this.key)
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
    this.#giveRight()
    this.#deps.leases.delete(lease.id)
    const { pool, owner } = lease.seat
    if (lease.isMoved) owner.moved--
    const hasRoom = pool.selectionIndex.end(lease.seat, this.#deps.clock.now())
    this.#deps.reporting.ended(lease)
    if (hasRoom) this.#deps.queue.roomIn(pool)
  }

  /** Others may test the member once they can know what this test has shown. */
  #giveRight(): void {
    const { rights, written } = this.#deps
    const tested = this.#tests
    this.#tests = null
    if (rights && tested !== null) void written().then(() => rights.give(tested))
  }
}

/** The gates that this lease tests: of its credential, domain and model; a host is everybody's own to reach. */
function testedGates(lease: LiveLease): readonly Gate[] {
  const { credential, domain, models } = lease.seat
  const gates = [credential, ...(domain ? [domain] : []), ...models.values()]
  return gates.filter(({ health }) => health.state === 'probing' && health.lease === lease.id)
}
