import type { Cancel, Clock } from '../clock/clock.ts'
import type { Lease, Leases } from '../store/store.ts'
import type { Hold } from './port.ts'

/** How long a lease outlives its holder. Whoever waits for one looks every `ttlMs / 3`: another has it within 15 s. */
export const ttlMs = 9_000
/** What the clocks of two machines may differ by in that time, and what an answer may take. */
const marginMs = 1_000

/** The leases of this replica, renewed as long as they are held. */
export class Holdings {
  readonly #leases: Leases
  readonly #clock: Clock
  readonly #holder: string
  readonly #held = new Set<Held>()
  #cancel: Cancel | null = null

  constructor(parts: { leases: Leases; clock: Clock; holder: string }) {
    this.#leases = parts.leases
    this.#clock = parts.clock
    this.#holder = parts.holder
  }

  /** The lease of that name; null while another replica has it. Rejects when the store cannot say. */
  async take(name: string): Promise<Held | null> {
    const askedAt = this.#clock.mono()
    const lease = await this.#leases.take(name, this.#holder, ttlMs)
    if (!lease) return null
    const held = new Held(lease, this.#clock, async () => {
      this.#held.delete(held)
      // One that another hold of ours has taken since is not this one's to give back.
      if ([...this.#held].some((other) => other.lease.name === name)) return
      await this.#leases.release(lease)
    })
    held.renewed(askedAt)
    this.#held.add(held)
    this.#cancel ??= this.#clock.after(ttlMs / 3, () => void this.#renew())
    return held
  }

  /** Gives everything back; resolves when that is done, or could not be. */
  async stop(): Promise<void> {
    this.#cancel?.()
    this.#cancel = null
    await Promise.allSettled([...this.#held].map((held) => held.release()))
  }

  async #renew(): Promise<void> {
    this.#cancel = null
    await Promise.all([...this.#held].map((held) => this.#renewOne(held)))
    if (this.#held.size > 0) this.#cancel ??= this.#clock.after(ttlMs / 3, () => void this.#renew())
  }

  async #renewOne(held: Held): Promise<void> {
    const askedAt = this.#clock.mono()
    try {
      if (await this.#leases.renew(held.lease, ttlMs)) held.renewed(askedAt)
      else {
        held.lost()
        this.#held.delete(held)
      }
    } catch {
      // A store that is away says nothing; the time of the lease goes on, and the next look asks again.
    }
  }
}

/** One lease that this replica has, or had. */
export class Held implements Hold {
  readonly lease: Lease
  readonly #clock: Clock
  readonly #give: () => Promise<void>
  #until = 0
  #isLost = false

  constructor(lease: Lease, clock: Clock, give: () => Promise<void>) {
    this.lease = lease
    this.#clock = clock
    this.#give = give
  }

  /** Whether somebody is known to have, or to be free to have, the lease. */
  get isLost(): boolean {
    return this.#isLost
  }

  isOurs(): boolean {
    return !this.#isLost && this.#clock.mono() < this.#until
  }

  renewed(askedAt: number): void {
    this.#until = askedAt + ttlMs - marginMs
  }

  lost(): void {
    this.#isLost = true
  }

  async release(): Promise<void> {
    if (this.#isLost) return
    this.#isLost = true
    await this.#give()
  }
}
