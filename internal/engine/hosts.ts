import { type At, cooled, type Gate, type Health, type Outcome } from '../pool/pool.ts'
import type { Core } from './core.ts'
import type { Line } from './line.ts'
import type { LiveLease } from './live.ts'
import { gateRow } from './registry.ts'

const hostBackoffMs = 1_000
const longestHostBackoffMs = 60_000

/** Cools upstream hosts that cannot be reached, which blames no credential. */
export class Hosts {
  readonly #core: Core
  readonly #line: Line
  /** Whose outage has been told: one that comes too soon after another for that is told once it has lasted. */
  readonly #told = new Set<Gate>()

  constructor(core: Core, line: Line) {
    this.#core = core
    this.#line = line
  }

  /** Any answer proves that the host can be reached; a connection that failed cools it. */
  reach(lease: LiveLease, outcome: Outcome): void {
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

  /** Still being down is no news; only the next attempt has to survive a restart. */
  #tellDown(host: Gate, nextAttemptAt: At, lease: LiveLease): void {
    const row = gateRow(host, lease.seat.owner)
    const detail = { host: host.name, nextAttemptAt }
    if (this.#told.has(host)) this.#core.journal.record([row], [])
    else if (this.#core.signals.record([row], { kind: 'host_down', pool: lease.pool, reason: 'connect', detail }))
      this.#told.add(host)
  }

  #tellHost(host: Gate, before: Health, lease: LiveLease): void {
    const row = gateRow(host, lease.seat.owner)
    const { health } = host
    if (before.state === 'probing' && health === before.was) return
    if (health.state === 'healthy') {
      const downAt = 'since' in before ? before.since : before.was.since
      this.#core.signals.record([row], { kind: 'host_up', pool: lease.pool, detail: { host: host.name, downAt } })
      this.#line.disturbed(lease.seat.pool)
      this.#told.delete(host)
    } else if (health.state === 'cooling') this.#tellDown(host, health.until, lease)
  }
}

function hostAfterFailure(before: Health, lease: LiveLease, now: At): Health {
  if (before.state === 'cooling') return before
  if (before.state === 'probing' && before.lease !== lease.id) return before
  const strikes = before.state === 'probing' ? before.was.strikes + 1 : 0
  return cooled('connect', Math.min(hostBackoffMs * 2 ** strikes, longestHostBackoffMs), strikes, now)
}
