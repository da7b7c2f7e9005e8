import { type Clock, sleep } from '../../clock/clock.ts'
import type { HeldLock, Locking, LockTarget } from './locks.ts'

/** Others ask this often while a replica refreshes. */
const betweenMs = 250

/** The right to do something for a credential that only one replica of several may do at a time. */
export interface Turn {
  /** Whether it still is ours: false once the process has stood still for too long. */
  isOurs(): boolean
  release(): Promise<void>
}

/** Gives turns to replicas; null while another one has it. Rejects when nobody can say. */
export type Turns = (name: string) => Promise<Turn | null>

/** Locks between replicas on top of those between the processes of one machine. */
export class SharedLocks implements Locking {
  readonly #locks: Locking
  readonly #turns: Turns
  readonly #clock: Clock

  constructor(locks: Locking, turns: Turns, clock: Clock) {
    this.#locks = locks
    this.#turns = turns
    this.#clock = clock
  }

  async acquire(target: LockTarget, options: Parameters<Locking['acquire']>[1]): Promise<HeldLock | null> {
    const until = this.#clock.now() + options.waitMs
    while (true) {
      const turn = await this.#turns(`refresh:${target.id}`)
      if (turn) return this.#within(turn, target, { ...options, waitMs: Math.max(0, until - this.#clock.now()) })
      if (this.#clock.now() >= until || (await options.isDone())) return null
      await sleep(this.#clock, betweenMs)
    }
  }

  async #within(turn: Turn, target: LockTarget, options: Parameters<Locking['acquire']>[1]): Promise<HeldLock | null> {
    // One that cannot be given back ends with its time.
    const give = () => turn.release().catch(() => {})
    try {
      const held = await this.#locks.acquire(target, options)
      if (!held) {
        await give()
        return null
      }
      return {
        isOurs: () => turn.isOurs() && held.isOurs(),
        release: () => held.release().finally(give),
      }
    } catch (error) {
      await give()
      throw error
    }
  }
}
