import type { Cancel } from '../../clock/clock.ts'
import { type At, effectOf, recoversAt, settle } from '../../pool/pool.ts'
import type { Answer, Scout } from '../api.ts'
import { type Core, circumstances } from '../state/context.ts'
import type { LiveSeat, Pool } from '../state/live.ts'
import { gateRow } from '../state/registry.ts'
import type { Exhaustions } from './exhaustion.ts'
import type { Leasing } from './leasing.ts'
import { betweenProbesMs, type Suspicions } from './suspicion.ts'

const soonestMs = 1_000
const longestMs = 30_000
const spreadMs = 3_000
const mostAtOnce = 4

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

  attend(scout: Scout): void {
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
    if (pool.doubt.until > now || this.#asking.has(pool) || this.#asking.size >= mostAtOnce) return
    // The first of those who wait is the member's probe.
    if (pool.waiters.size > 0) return
    const { seat, tier } = this.#leasing.preview(pool, pool.exhausted?.model ?? null)
    if (!seat || tier === 'early-probe' || tier === 'degraded') return
    const { probedAt, finding } = seat.owner
    if (finding || (probedAt !== null && now - probedAt < betweenProbesMs)) return
    this.#asking.add(pool)
    seat.owner.probedAt = now
    void this.#ask(pool, seat).finally(() => this.#asking.delete(pool))
  }

  async #ask(pool: Pool, seat: LiveSeat): Promise<void> {
    const { owner } = seat
    const { generation } = owner
    const askedAt = this.#core.clock.now()
    // Pools that are exhausted by one event do not ask all at once.
    await new Promise<void>((resolve) => this.#core.clock.after(this.#core.random() * spreadMs, resolve))
    const answer = (await this.#scout?.ask(owner.record, pool.record).catch(() => null)) ?? null
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
