import { type At, letOn, longestRampMs, rampDeadline } from '../../pool/pool.ts'
import type { Decision } from '../api/data-path.ts'
import type { Core } from '../state/context.ts'
import type { LiveSeat, LiveTurn, Paced, Pool } from '../state/live.ts'

/**
 * Lets requests that move because a member failed onto the next one at a rate, so that a herd does not knock over one
 * member after the other. All who wait in a pool share one timer, and go in their order.
 */
export class Pacing {
  readonly #core: Core

  constructor(core: Core) {
    this.#core = core
  }

  /** Whether the request may go to the seat now; takes its place in the ramp when it may. */
  admits({ owner }: LiveSeat, turn: LiveTurn): boolean {
    const now = this.#core.clock.now()
    if (turn.leases.length === 0) return true
    const { rampPerSecond } = this.#core.settings
    const next = letOn(owner.rampFreeAt, rampPerSecond, now)
    // One after the other is no herd.
    const isAlone = owner.moved === 0 && turn.pool.paced.size === 0
    if (next === null && !isAlone && !this.#hasWaited(turn, now)) return false
    owner.rampFreeAt = next ?? now + 1_000 / rampPerSecond
    return true
  }

  /** Waits for the request's turn in the ramp; then what `next` says. */
  wait(turn: LiveTurn, signal: AbortSignal, next: () => Decision): Promise<Decision> {
    const { pool } = turn
    const now = this.#core.clock.now()
    return new Promise((resolve) => {
      const until = rampDeadline(now, turn.pacedMs, pool.paced.size)
      const waiter = { turn, since: now, until, next, resolve }
      pool.paced.add(waiter)
      turn.paced = waiter
      signal.addEventListener('abort', () => this.#leave(waiter, { kind: 'paced' }), { once: true })
      this.#arm(pool)
    })
  }

  #hasWaited({ pacedMs, paced }: LiveTurn, now: At): boolean {
    return pacedMs >= longestRampMs || (paced !== null && now >= paced.until)
  }

  #tick(pool: Pool): void {
    const now = this.#core.clock.now()
    let isOpen = true
    for (const waiter of pool.paced) {
      if (!isOpen && waiter.until > now) continue
      const decision = waiter.next()
      if (decision.kind === 'paced') isOpen = false
      else this.#leave(waiter, decision)
    }
    if (pool.paced.size > 0) this.#arm(pool)
  }

  #arm(pool: Pool): void {
    if (pool.isPacing) return
    pool.isPacing = true
    const stepMs = 1_000 / this.#core.settings.rampPerSecond
    const soonest = Math.min(...[...pool.paced].map(({ until }) => until - this.#core.clock.now()))
    this.#core.clock.after(Math.max(Math.min(stepMs, soonest), 1), () => {
      pool.isPacing = false
      this.#tick(pool)
    })
  }

  #leave(waiter: Paced, decision: Decision): void {
    const { turn, since, resolve } = waiter
    if (!turn.pool.paced.delete(waiter)) return
    turn.pacedMs += this.#core.clock.now() - since
    turn.paced = null
    resolve(decision)
  }
}
