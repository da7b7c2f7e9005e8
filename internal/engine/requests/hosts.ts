import type { Cancel } from '../../clock/clock.ts'
import { type At, cooled, type Gate, type Health, type Outcome } from '../../pool/pool.ts'
import type { Scout } from '../api/probes.ts'
import type { Core } from '../state/context.ts'
import type { LiveLease, LiveSeat, Pool } from '../state/live.ts'
import { hostRow } from '../state/registry.ts'
import type { WaitQueue } from './wait-queue.ts'

const hostBackoffMs = 1_000
const longestHostBackoffMs = 60_000

/** Cools upstream hosts that cannot be reached, which blames no credential, and notices by itself when they are back. */
export class Hosts {
  readonly #core: Core
  readonly #queue: WaitQueue
  /** Whose outage has been told: one that comes too soon after another for that is told once it has lasted. */
  readonly #told = new Set<Gate>()
  readonly #timers = new Map<Gate, Cancel>()
  /** What an outage has cost so far. */
  readonly #cost = new Map<Gate, { refused: number; readonly pools: Set<string> }>()
  #scout: Scout | null = null

  constructor(core: Core, queue: WaitQueue) {
    this.#core = core
    this.#queue = queue
  }

  /** From now on hosts that are down are tried by connecting. */
  startScouting(scout: Scout): void {
    this.#scout = scout
    for (const host of this.#core.registry.hosts.values()) this.#arm(host)
  }

  stop(): void {
    this.#scout = null
    for (const cancel of this.#timers.values()) cancel()
    this.#timers.clear()
  }

  /** Any answer proves that the host can be reached; a connection that failed cools it. */
  reach(lease: LiveLease, outcome: Outcome): void {
    const { host } = lease.seat
    if (host.health.state === 'healthy' && outcome.kind !== 'infra') return
    const before = host.health
    if (outcome.status !== null) this.#becomes(host, { state: 'healthy', since: this.#core.clock.now() }, lease.pool)
    else if (outcome.kind === 'infra')
      this.#becomes(host, hostAfterFailure(before, lease.id, this.#core.clock.now()), lease.pool)
    else if (before.state === 'probing' && before.lease === lease.id) this.#becomes(host, before.was, lease.pool)
  }

  /** A request of the pool was answered with 503 because the host is down. */
  turnedAway(pool: Pool, host: string): void {
    const gate = this.#core.registry.hosts.get(host)
    if (!gate) return
    const cost = this.#cost.get(gate) ?? { refused: 0, pools: new Set() }
    cost.refused++
    cost.pools.add(pool.name)
    this.#cost.set(gate, cost)
  }

  /** How many requests the outage of the host has turned away, and the pools behind it. */
  outage(host: string): { readonly refused: number; readonly pools: readonly string[] } {
    const gate = this.#core.registry.hosts.get(host)
    const pools = gate ? [...poolsBehind(gate)].map(({ name }) => name) : []
    return { refused: (gate && this.#cost.get(gate)?.refused) ?? 0, pools }
  }

  #becomes(host: Gate, health: Health, pool: string): void {
    const before = host.health
    if (health === before) return
    host.health = health
    this.#core.registry.refile(host, this.#core.clock.now())
    this.#arm(host)
    // A test that settled nothing.
    if (before.state === 'probing' && health === before.was) return
    if (health.state === 'healthy') this.#tellUp(host, before, pool)
    else if (health.state === 'cooling') this.#tellDown(host, health.until, pool)
  }

  #tellUp(host: Gate, before: Health, pool: string): void {
    const downAt = 'since' in before ? before.since : before.was.since
    const { refused = 0, pools = [] } = this.#cost.get(host) ?? {}
    const detail = { host: host.name, downAt, refused, pools: [...pools] }
    this.#cost.delete(host)
    this.#core.signals.record([hostRow(host)], { kind: 'host_up', pool, detail })
    for (const waiting of poolsBehind(host)) this.#queue.disturbed(waiting)
    this.#told.delete(host)
  }

  /** Still being down is no news; only the next attempt has to survive a restart. */
  #tellDown(host: Gate, nextAttemptAt: At, pool: string): void {
    const detail = { host: host.name, nextAttemptAt }
    if (this.#told.has(host)) this.#core.journal.record([hostRow(host)], [])
    else if (this.#core.signals.record([hostRow(host)], { kind: 'host_down', pool, reason: 'connect', detail }))
      this.#told.add(host)
  }

  #arm(host: Gate): void {
    this.#timers.get(host)?.()
    this.#timers.delete(host)
    const { health } = host
    if (!this.#scout || health.state !== 'cooling') return
    const wait = Math.max(0, health.until - this.#core.clock.now())
    this.#timers.set(
      host,
      this.#core.clock.after(wait, () => void this.#try(host)),
    )
  }

  /** Connects once; a request may have found out meanwhile. */
  async #try(host: Gate): Promise<void> {
    const seat = seatsBehind(host)[0]
    if (!this.#scout || !seat) return
    const connects = await this.#scout.connects(seat.baseUrl)
    const { health } = host
    if (!this.#scout || (health.state !== 'cooling' && health.state !== 'probing')) return
    const now = this.#core.clock.now()
    if (connects) this.#becomes(host, { state: 'healthy', since: now }, seat.pool.name)
    else if (health.state === 'cooling' && health.until <= now) this.#becomes(host, again(health, now), seat.pool.name)
  }
}

function seatsBehind(host: Gate): LiveSeat[] {
  return [...host.seats] as LiveSeat[]
}

function poolsBehind(host: Gate): Set<Pool> {
  return new Set(seatsBehind(host).map(({ pool }) => pool))
}

function hostAfterFailure(before: Health, lease: number, now: At): Health {
  if (before.state === 'cooling') return before
  if (before.state !== 'probing') return cooled('connect', hostBackoffMs, 0, now)
  return before.lease === lease && before.was.state === 'cooling' ? again(before.was, now) : before
}

/** One more failure of the same outage: it has lasted since the first. */
function again({ since, strikes }: Extract<Health, { state: 'cooling' }>, now: At): Health {
  const forMs = Math.min(hostBackoffMs * 2 ** (strikes + 1), longestHostBackoffMs)
  return { ...cooled('connect', forMs, strikes + 1, now), since }
}
