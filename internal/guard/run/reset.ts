import { Refusal } from '../../ops/ops.ts'
import { type PoolState, resetWaitMs } from './policy.ts'
import type { RunDeps, RunRequest } from './request.ts'
import type { Stop } from './stop.ts'

/** A daemon that starts anew is back long before that, in ms; what is silent for longer is not waited for. */
const longestSilenceMs = 600_000

/** Waits for a pool that comes back by itself, and says so once. */
export class ResetWait {
  readonly #request: RunRequest
  readonly #parts: RunDeps
  readonly #stop: Stop
  #isTold = false

  constructor(request: RunRequest, parts: RunDeps, stop: Stop) {
    this.#request = request
    this.#parts = parts
    this.#stop = stop
  }

  /** Resolves at once with a pool that is not waited for, else with what the pool is when it is over, or when the run is (`isOver`). */
  async over(check: PoolState, isOver: () => boolean = () => false): Promise<PoolState> {
    const { waitReset, type, pool } = this.#request
    const { clock, ops, tell } = this.#parts
    let found = check
    let heardAt = clock.now()
    while (waitReset && type === 'agent' && !this.#stop.signal && !isOver()) {
      const now = clock.now()
      if (found !== 'silent') heardAt = now
      const waitMs = resetWaitMs(found, now)
      if (waitMs === null || now - heardAt > longestSilenceMs) break
      if (!this.#isTold && found !== 'silent') tell({ kind: 'waiting', check: found })
      this.#isTold = true
      await this.#stop.wait(waitMs, clock)
      if (!this.#stop.signal) found = await askPool(ops, pool)
    }
    return found
  }

  /** Waits until another job has tried the pool. */
  async trial(until: string): Promise<void> {
    const { clock } = this.#parts
    await this.#stop.wait(Math.max(1_000, Date.parse(until) - clock.now()), clock)
  }
}

/** The pool as it says it is; `silent` where nobody answers. */
export async function askPool(ops: RunDeps['ops'], name: string): Promise<PoolState> {
  try {
    return await ops.poolCheck({ name })
  } catch (error) {
    // A pool that is gone is the operator's affair; nobody there to ask is trouble that may pass.
    if (error instanceof Refusal) throw error
    return 'silent'
  }
}
