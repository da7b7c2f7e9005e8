import { isWorthWaiting, longestWaitMs, type OnExhausted } from '../../pool/pool.ts'
import type { Decision, Exhausted, Full } from '../api/data-path.ts'
import type { Core } from '../state/context.ts'
import type { LiveTurn, Pool, Waiter } from '../state/live.ts'
import type { Leasing } from './leasing.ts'

const maxWaiters = 1_000
const recheckMs = 250

/**
 * Requests that wait for a pool to recover, or for room, first in, first out. All waiters of a pool share one timer; a
 * success lets a batch go that doubles each time, so that 1,000 waiters do not become 1,000 probes.
 */
export class WaitQueue {
  readonly #core: Core
  readonly #leasing: Leasing

  constructor(core: Core, leasing: Leasing) {
    this.#core = core
    this.#leasing = leasing
  }

  /** Whether recovery, or room, may come within the pool's `maxWaitMs` for a request that has waited for `heldMs` before. */
  mayHold(pool: Pool, decision: Exhausted | Full, heldMs: number): boolean {
    const patience = this.#patienceMs(pool, heldMs)
    if (patience <= 0 || decision.kind === 'full') return patience > 0
    return isWorthWaiting(decision.retryAt, this.#core.clock.now() + patience, this.#onExhausted(pool))
  }

  /** What every request to a pool that is known to be exhausted is told, where none may wait; null when one has to be looked at. */
  toAll(pool: Pool): Exhausted | null {
    const decision = pool.exhausted?.told ? this.#leasing.toAll(pool) : null
    return decision && !this.mayHold(pool, decision, 0) ? decision : null
  }

  #patienceMs(pool: Pool, heldMs: number): number {
    const ofAll = this.#core.settings.maxWaitMs
    return longestWaitMs({ onExhausted: this.#onExhausted(pool), ofPool: pool.record.maxWaitMs, ofAll }) - heldMs
  }

  #onExhausted({ record }: Pool): OnExhausted {
    return record.onExhausted ?? this.#core.settings.onExhausted
  }

  /** Waits while recovery is within the pool's patience, or nobody has room, then answers as `Leasing.next` does. */
  hold(turn: LiveTurn, signal: AbortSignal): Promise<Decision> {
    const decision = this.#leasing.next(turn)
    const { pool } = turn
    const now = this.#core.clock.now()
    if (!isWait(decision) || signal.aborted) return Promise.resolve(decision)
    if (!this.mayHold(pool, decision, turn.heldMs) || pool.waiters.size >= maxWaiters) return Promise.resolve(decision)
    return new Promise((resolve) => {
      const waiter: Waiter = { turn, since: now, deadline: now + this.#patienceMs(pool, turn.heldMs), resolve }
      pool.waiters.add(waiter)
      signal.addEventListener('abort', () => this.#leave(waiter, decision), { once: true })
      this.#wake(pool, (decision.kind === 'exhausted' && decision.retryAt) || now + recheckMs)
    })
  }

  /** A member of the pool works: the next batch may go. */
  succeeded(pool: Pool): void {
    if (pool.waiters.size === 0) return
    const batch = pool.batch
    pool.batch *= 2
    this.#release(pool, batch)
  }

  /** A member of the pool failed or an operator changed something: start again with one. */
  disturbed(pool: Pool): void {
    pool.batch = 1
    if (pool.waiters.size > 0) this.#release(pool, 1)
  }

  /** A request has ended on a member that was full. */
  roomIn(pool: Pool): void {
    if (pool.waiters.size > 0) this.#release(pool, 1)
  }

  /** Nobody waits any more (the process stops). */
  dismiss(pool: Pool): void {
    for (const waiter of [...pool.waiters]) this.#leave(waiter, this.#leasing.next(waiter.turn))
  }

  #release(pool: Pool, most: number): void {
    let released = 0
    for (const waiter of pool.waiters) {
      if (released >= most) return
      secondRound(waiter.turn)
      const decision = this.#leasing.next(waiter.turn)
      if (isWait(decision)) return
      this.#leave(waiter, decision)
      released++
    }
  }

  #wake(pool: Pool, at: number): void {
    if (pool.waking) return
    pool.waking = true
    const now = this.#core.clock.now()
    this.#core.clock.after(Math.min(Math.max(at - now, 0), recheckMs), () => {
      pool.waking = false
      this.#tick(pool)
    })
  }

  #tick(pool: Pool): void {
    const now = this.#core.clock.now()
    this.#release(pool, 1)
    for (const waiter of pool.waiters) {
      if (waiter.deadline <= now) this.#leave(waiter, this.#leasing.next(waiter.turn))
    }
    if (pool.waiters.size > 0) this.#wake(pool, now + recheckMs)
  }

  #leave(waiter: Waiter, decision: Decision): void {
    if (!waiter.turn.pool.waiters.delete(waiter)) return
    waiter.turn.heldMs += this.#core.clock.now() - waiter.since
    waiter.resolve(decision)
  }
}

function isWait(decision: Decision): decision is Exhausted | Full {
  return decision.kind === 'exhausted' || decision.kind === 'full'
}

/** A member that recovered during the hold may be tried once more by the request that waited. */
function secondRound(turn: LiveTurn): void {
  if (turn.secondRound) return
  turn.secondRound = true
  turn.tried = []
}
