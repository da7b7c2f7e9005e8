import { type Cancel, type Clock, within } from '../../clock/clock.ts'
import type { At } from '../../pool/pool.ts'
import type { LoginHolder } from './login-holder.ts'

const soonestMs = 1_000
/** The wall clock may step while a timer runs. */
const longestMs = 3_600_000
/** A grant has its deadline, and then its result is written. */
const lastRefreshMs = 25_000

/** All logins of the process, with one timer: at the earliest instant at which one of them has something to do. */
export class Logins {
  readonly #clock: Clock
  readonly #logins = new Set<LoginHolder>()
  #stopped = false
  #ticking: { readonly at: At; readonly cancel: Cancel } | null = null

  constructor(clock: Clock) {
    this.#clock = clock
  }

  add(login: LoginHolder): void {
    this.#logins.add(login)
  }

  remove(login: LoginHolder): void {
    this.#logins.delete(login)
  }

  /** Lets each `tick` be called at that instant, or a little later. */
  wake(at: At): void {
    if (this.#stopped || (this.#ticking && this.#ticking.at <= at)) return
    this.#ticking?.cancel()
    const now = this.#clock.now()
    const next = Math.min(Math.max(at, now + soonestMs), now + longestMs)
    this.#ticking = { at: next, cancel: this.#clock.after(next - now, () => this.#tick()) }
  }

  /** Begins no more refreshes; resolves when those under way have ended: a token that was presented has a successor, and it must get to the disk. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#ticking?.cancel()
    const settled = Promise.all([...this.#logins].map((login) => login.settled()))
    await within(this.#clock, lastRefreshMs, settled, null)
  }

  #tick(): void {
    this.#ticking = null
    for (const login of this.#logins) login.tick()
    let next = Number.POSITIVE_INFINITY
    for (const login of this.#logins) next = Math.min(next, login.nextAt())
    if (next < Number.POSITIVE_INFINITY) this.wake(next)
  }
}
