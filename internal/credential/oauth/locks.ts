import { type Cancel, type Clock, sleep } from '../../clock/clock.ts'
import type { Desk } from '../worker/worker-client.ts'

const askMs = 5_000
const betweenMs = { least: 10, most: 40 }
/** proper-lockfile takes a lock whose directory has not been touched for 10 s for a dead one; it touches every 5 s. */
const marker = { staleMs: 10_000, touchMs: 4_000 }

/** What is locked while a credential is refreshed. */
export interface LockTarget {
  /** The lock database; or, with `beside`, the file beside which it lies. */
  readonly path: string
  readonly beside: boolean
  /** The lock directory by which the tool that shares the file keeps its own processes apart; null: it has none. */
  readonly marker: string | null
}

export interface HeldLock {
  release(): Promise<void>
}

/** Locks between processes, taken in a worker by attempts that do not wait. */
export class Locks {
  readonly #clock: Clock
  readonly #random: () => number
  readonly #desk: Desk

  constructor(clock: Clock, random: () => number, desk: Desk) {
    this.#clock = clock
    this.#random = random
    this.#desk = desk
  }

  /**
   * The lock, once nobody else holds it; null when that took longer than `waitMs`, or when `isDone` (asked between
   * attempts) says that it is no longer wanted. Rejects with ErrandFailed when the lock cannot even be tried.
   */
  async acquire(
    target: LockTarget,
    options: { readonly waitMs: number; readonly isDone: () => Promise<boolean> },
  ): Promise<HeldLock | null> {
    const until = this.#clock.now() + options.waitMs
    const { path, beside } = target
    let locked = false
    while (true) {
      locked ||= await this.#desk.ask('lock', { path, beside }, askMs)
      if (locked && (target.marker === null || (await this.#mark(target.marker)))) return this.#held(target)
      if (this.#clock.now() >= until || (await options.isDone())) {
        if (locked) await this.#desk.ask('unlock', { path, beside }, askMs)
        return null
      }
      await sleep(this.#clock, betweenMs.least + (betweenMs.most - betweenMs.least) * this.#random())
    }
  }

  #held({ path, beside, marker: directory }: LockTarget): HeldLock {
    const stop = directory === null ? () => {} : this.#touching(directory)
    return {
      release: async () => {
        stop()
        if (directory !== null) await this.#desk.ask('unmark', { path: directory }, askMs).catch(() => {})
        await this.#desk.ask('unlock', { path, beside }, askMs)
      },
    }
  }

  #mark(path: string): Promise<boolean> {
    return this.#desk.ask('mark', { path, staleMs: marker.staleMs }, askMs)
  }

  #touching(path: string): Cancel {
    let cancel: Cancel = () => {}
    const again = () => {
      cancel = this.#clock.after(marker.touchMs, () => {
        void this.#desk.ask('touch', { path }, askMs).catch(() => {})
        again()
      })
    }
    again()
    return () => cancel()
  }
}
