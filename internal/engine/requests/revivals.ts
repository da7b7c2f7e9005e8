import type { Cancel } from '../../clock/clock.ts'
import { type At, effectOf, recoversAt, settle } from '../../pool/pool.ts'
import type { Answer, Scout } from '../api/probes.ts'
import { type Core, circumstances } from '../state/context.ts'
import type { LiveSeat, Pool } from '../state/live.ts'
import { gateRow } from '../state/registry.ts'
import type { Exhaustions } from './exhaustion.ts'
import type { Leasing } from './leasing.ts'
import { betweenProbesMs, type Suspicions } from './suspicion.ts'

const soonestMs = 1_000
const longestMs = 30_000
const spreadMs = 3_000
const maxAtOnce = 4

/**
 * Ends the exhaustion of pools whose agents have stopped asking: when the cooldown of a member is over and no request has
 * come, the free canonical probe is asked, for one member of the pool at a time. It proves that the key is well, and a
 * cooldown that is over is all that the limit has said; who knows better is the next request.
 */
export class Revivals {
  readonly #core: Core
  readonly #leasing: Leasing
  readonly #suspicions: Suspicions
  readonly #exhaustions: Exhaustions
  /** Pools with a question under way. */
  readonly #asking = new Set<Pool>()
  #scout: Scout | null = null
  #cancel: Cancel | null = null

  constructor(core: Core, parts: { leasing: Leasing; suspicions: Suspicions; exhaustions: Exhaustions }) {
    this.#core = core
    this.#leasing = parts.leasing
    this.#suspicions = parts.suspicions
    this.#exhaustions = parts.exhaustions
  }

  startScouting(scout: Scout): void {
    this.#scout = scout
    this.look()
  }

  stop(): void {
    this.#scout = null
    this.#cancel?.()
    this.#cancel = null
  }

  /** Looks at the pools that are exhausted, and again when the next of their members may recover. */
  look(): void {
    this.#cancel?.()
    this.#cancel = null
    if (!this.#scout) return
    const now = this.#core.clock.now()
    const pools = [...this.#core.registry.pools.values()].filter(({ exhausted }) => exhausted !== null)
    if (pools.length === 0) return
    for (const pool of pools) this.#consider(pool, now)
    const next = Math.min(...pools.map((pool) => recoveryOf(pool, now)))
    const wait = Math.min(Math.max(next - now, soonestMs), longestMs)
    this.#cancel = this.#core.clock.after(wait, () => this.look())
  }

  #consider(pool: Pool, now: At): void {
    if (this.#asking.has(pool) || this.#asking.size >= maxAtOnce || !this.#candidate(pool, now)) return
    this.#asking.add(pool)
    void this.#ask(pool).finally(() => this.#asking.delete(pool))
  }

  /** The member whose free probe would show that the pool serves again; null when there is none, or a request shows more. */
  #candidate(pool: Pool, now: At): LiveSeat | null {
    if (pool.exhausted === null || pool.doubt.until > now) return null
    // The first of those who wait is the member's probe.
    if (pool.waiters.size > 0) return null
    const { seat, rung } = this.#leasing.preview(pool, pool.exhausted.model)
    if (!seat || rung === 'early-probe' || rung === 'degraded') return null
    const { probedAt, finding } = seat.owner
    return finding || (probedAt !== null && now - probedAt < betweenProbesMs) ? null : seat
  }

  async #ask(pool: Pool): Promise<void> {
    // Pools that are exhausted by one event do not ask all at once.
    await new Promise<void>((resolve) => this.#core.clock.after(this.#core.random() * spreadMs, resolve))
    const askedAt = this.#core.clock.now()
    // A request that came meanwhile is a probe itself.
    const seat = this.#scout && this.#candidate(pool, askedAt)
    if (!seat) return
    const { owner } = seat
    const { generation } = owner
    owner.probedAt = askedAt
    const { rights } = this.#core
    if (rights && !(await rights.take(owner.record.id))) return
    const answer = (await this.#scout?.ask(owner.record, pool.record).catch(() => null)) ?? null
    rights?.give(owner.record.id)
    if (!this.#scout || owner.generation !== generation || !pool.holds(seat)) return
    this.#conclude(pool, seat, { answer, askedAt })
  }

  #conclude(pool: Pool, seat: LiveSeat, { answer, askedAt }: { answer: Answer | null; askedAt: At }): void {
    const kind = answer?.outcome.kind
    if (answer?.finding === 'cleared') this.#exhaustions.endedBy(pool, seat, 'probe')
    else if (answer && (kind === 'rate-limited' || kind === 'quota-exhausted')) this.#cool(seat, answer, askedAt)
    else if (kind === 'auth-rejected' || kind === 'auth-expired') this.#doubt(pool, seat, answer)
    else if (kind !== 'infra') this.#exhaustions.endedBy(pool, seat, 'untested')
  }

  /** The limit is not over. */
  #cool(seat: LiveSeat, { outcome }: Answer, issuedAt: At): void {
    const gate = outcome.scope === 'domain' && seat.domain ? seat.domain : seat.owner.gate
    const after = settle(gate.health, effectOf(outcome), { id: 0, issuedAt }, circumstances(this.#core))
    if (after === gate.health) return
    gate.health = after
    this.#core.registry.refile(gate, this.#core.clock.now())
    this.#core.journal.record([gateRow(gate, seat.owner)], [])
  }

  #doubt(pool: Pool, { owner }: LiveSeat, answer: Answer | null): void {
    // The word about a login is its refresh's, which has not been asked yet.
    if (owner.record.auth === 'oauth') owner.probedAt = null
    this.#suspicions.doubt(owner, pool, answer)
  }
}

/** When the first member of the pool may recover; Infinity when none does without a person. */
function recoveryOf({ seats, exhausted }: Pool, now: At): At {
  const model = exhausted?.model ?? null
  return seats.reduce((soonest, seat) => {
    const at = recoversAt(seat, model)
    return at > now && at < soonest ? at : soonest
  }, Number.POSITIVE_INFINITY)
}
