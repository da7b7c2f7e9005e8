import { type Cancel, type Clock, sleep } from '../../clock/clock.ts'
import type { LockCalls } from '../worker/tasks.ts'

const askMs = 5_000
const betweenMs = { least: 10, most: 40 }
/** proper-lockfile takes a lock whose directory has not been touched for 10 s for a dead one; it touches every 5 s. */
const marker = { staleMs: 10_000, touchMs: 4_000 }

/** What is locked while a credential is refreshed. */
export interface LockTarget {
  /** The credential. */
  readonly id: string
  /** The lock database; or, with `beside`, the file beside which it lies. */
  readonly path: string
  readonly beside: boolean
  /** The lock directory by which the tool that shares the file keeps its own processes apart; null: it has none. */
  readonly marker: string | null
}

export interface HeldLock {
  /** Whether it still is held, where time can take it away. */
  isOurs(): boolean
  release(): Promise<void>
}

/** Takes locks. */
export interface Locking {
  /**
   * The lock, once nobody else holds it; null when that took longer than `waitMs`, or when `isDone` (asked between
   * attempts) says that it is no longer wanted. Rejects when the lock cannot even be tried.
   */
  acquire(
    target: LockTarget,
    options: { readonly waitMs: number; readonly isDone: () => Promise<boolean> },
  ): Promise<HeldLock | null>
}

/** Locks between processes, taken in a worker by attempts that do not wait. */
export class Locks implements Locking {
  readonly #clock: Clock
  readonly #random: () => number
  readonly #calls: LockCalls

  constructor(clock: Clock, random: () => number, calls: LockCalls) {
    this.#clock = clock
    this.#random = random
    this.#calls = calls
  }

  async acquire(
    target: LockTarget,
    options: { readonly waitMs: number; readonly isDone: () => Promise<boolean> },
  ): Promise<HeldLock | null> {
    const until = this.#clock.now() + options.waitMs
    const { path, beside } = target
    let locked = false
    while (true) {
      locked ||= await this.#calls.ask('lock', { path, beside }, { deadlineMs: askMs })
      if (locked && (target.marker === null || (await this.#mark(target.marker)))) return this.#held(target)
      if (this.#clock.now() >= until || (await options.isDone())) {
        if (locked) await this.#calls.ask('unlock', { path, beside }, { deadlineMs: askMs })
        return null
      }
      await sleep(this.#clock, betweenMs.least + (betweenMs.most - betweenMs.least) * this.#random())
    }
  }

  #held({ path, beside, marker: directory }: LockTarget): HeldLock {
    const stop = directory === null ? () => {} : this.#touching(directory)
    return {
      isOurs: () => true,
      release: async () => {
        stop()
        if (directory !== null)
          await this.#calls.ask('unmark', { path: directory }, { deadlineMs: askMs }).catch(() => {})
        await this.#calls.ask('unlock', { path, beside }, { deadlineMs: askMs })
      },
    }
  }

  #mark(path: string): Promise<boolean> {
    return this.#calls.ask('mark', { path, staleMs: marker.staleMs }, { deadlineMs: askMs })
  }

  #touching(path: string): Cancel {
    let cancel: Cancel = () => {}
    const again = () => {
      cancel = this.#clock.after(marker.touchMs, () => {
        void this.#calls.ask('touch', { path }, { deadlineMs: askMs }).catch(() => {})
        again()
      })
    }
    again()
    return () => cancel()
  }
}
