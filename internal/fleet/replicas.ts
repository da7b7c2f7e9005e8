import type { Clock } from '../clock/clock.ts'
import type { Logger } from '../log/log.ts'
import type { AuditRow, Changes, Lease, Replica, Shared, Store } from '../store/store.ts'
import { Follower, type Hearing } from './follower.ts'
import { Holdings } from './holdings.ts'
import { Leadership } from './leadership.ts'
import type { Duty, Fleet, Hold, ReplicaStatus } from './port.ts'
import { Presence } from './presence.ts'
import { TestRights } from './rights.ts'
import { Turns } from './turns.ts'

/** What a replica works with. */
export interface ReplicasDeps {
  readonly store: Pick<Store, 'audit'>
  readonly shared: Shared
  readonly clock: Clock
  readonly log: Logger
}

/** One replica of several that share a store. */
export class Replicas implements Fleet {
  readonly rights: TestRights
  readonly #parts: ReplicasDeps
  readonly #holdings: Holdings
  readonly #turns: Turns
  #follower: Follower | null = null
  #leadership: Leadership | null = null
  #presence: Presence | null = null

  constructor(parts: ReplicasDeps) {
    const { shared, clock } = parts
    this.#parts = parts
    this.#holdings = new Holdings({ leases: shared.leases, clock, holder: shared.origin })
    this.rights = new TestRights(this.#holdings, clock)
    this.#turns = new Turns({ holdings: this.#holdings, clock, catchUp: async () => this.#follower?.catchUp() })
  }

  leads(): boolean {
    return this.#leadership?.held != null
  }

  ledBefore(): boolean {
    return this.#leadership?.lastHeld != null
  }

  lease(): Lease | null {
    return this.#leadership?.lastHeld?.lease ?? null
  }

  hold(name: string): Promise<Hold | null> {
    return this.#holdings.take(name)
  }

  inTurn<T>(name: string, run: () => Promise<T>): Promise<T> {
    return this.#turns.run(name, run)
  }

  async replicas(): Promise<readonly ReplicaStatus[]> {
    return (await this.#presence?.list().catch(() => [])) ?? []
  }

  /** From now on changes after that number are followed; without `watches`, only when a turn asks for them. */
  follow(hearing: Hearing, number: number, { watches = true } = {}): void {
    const take = async (changes: Changes) => {
      await hearing.take(changes)
      this.#leadership?.heard()
    }
    const told = (rows: readonly AuditRow[]) => {
      hearing.told(rows)
      if (rows.length > 0) this.#leadership?.heard()
    }
    this.#follower = new Follower({ ...this.#parts, hearing: { ...hearing, take, told }, number })
    if (watches) this.#follower.start()
  }

  /** Says to the others who this is. */
  present(self: Omit<Replica, 'id' | 'draining'>): void {
    const { shared, clock, log } = this.#parts
    const replica = { ...self, id: shared.origin, draining: false }
    this.#presence = new Presence({ replicas: shared.replicas, clock, log, self: replica })
    void this.#presence.start()
  }

  async start(duty: Duty): Promise<void> {
    const { clock, log } = this.#parts
    this.#leadership = new Leadership({ holdings: this.#holdings, clock, log, duty })
    await this.#leadership.start()
  }

  async drain(): Promise<void> {
    await this.#presence?.drain()
  }

  async stop(): Promise<void> {
    await this.#leadership?.stop()
    await this.#follower?.stop()
    await this.#presence?.stop()
    await this.#holdings.stop()
  }
}
