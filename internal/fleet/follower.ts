import type { Cancel, Clock } from '../clock/clock.ts'
import type { Logger } from '../log/log.ts'
import type { AuditRow, Changes, Shared, Snapshot, Store } from '../store/store.ts'

/** A notification may be lost; a sweep finds what it would have said. */
const sweepMs = 5_000
const pageRows = 500

/** What becomes of what others change. */
export interface Hearing {
  take(changes: Changes): Promise<void>
  /** Everything as it is, when changes are too long ago to be told one by one. */
  whole(snapshot: Snapshot, number: number): Promise<void>
  /** Events that were told since, our own among them. */
  told(rows: readonly AuditRow[]): void
  /** Whether the store can be reached. */
  reachable(isReachable: boolean): void
}

/** Follows what other replicas change: at once when the store says so, and by a sweep. */
export class Follower {
  readonly #store: Pick<Store, 'audit'>
  readonly #shared: Shared
  readonly #clock: Clock
  readonly #log: Logger
  readonly #hearing: Hearing
  #number: number
  #seq: number | null = null
  #cancel: Cancel = () => {}
  #unwatch: () => Promise<void> = async () => {}
  #pulling: Promise<void> | null = null
  #again = false
  #isAway = false
  #stopped = false
  /** Why the last look failed; null: it did not. */
  #failure: unknown = null

  constructor(parts: {
    store: Pick<Store, 'audit'>
    shared: Shared
    clock: Clock
    log: Logger
    hearing: Hearing
    number: number
  }) {
    this.#store = parts.store
    this.#shared = parts.shared
    this.#clock = parts.clock
    this.#log = parts.log
    this.#hearing = parts.hearing
    this.#number = parts.number
  }

  start(): void {
    this.#unwatch = this.#shared.watch({
      changed: () => void this.pull(),
      away: (error) => {
        this.#log.warn({ error }, 'the store is away: serving from memory')
        this.#isAway = true
        this.#hearing.reachable(false)
      },
      // What was missed is read at once, and shows that the store can be read.
      back: () => void this.pull(),
      deaf: (why) => this.#log.warn({ what: why }, 'changes of other replicas are found by looking every 5 s only'),
    })
    this.#sweep()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancel()
    await this.#pulling
    await this.#unwatch()
  }

  /** Takes in what others have changed up to now; never rejects. */
  pull(): Promise<void> {
    this.#again = true
    this.#pulling ??= this.#pullAll().finally(() => {
      this.#pulling = null
    })
    return this.#pulling
  }

  /** As `pull`, but rejects when that cannot be read. */
  async catchUp(): Promise<void> {
    await this.pull()
    if (this.#failure !== null) throw this.#failure
  }

  async #pullAll(): Promise<void> {
    while (this.#again && !this.#stopped) {
      this.#again = false
      try {
        await this.#pullOnce()
        this.#failure = null
        this.#reached()
      } catch (error) {
        this.#failure = error
        this.#log.debug({ error }, 'changes of other replicas could not be read')
      }
    }
  }

  #reached(): void {
    if (!this.#isAway) return
    this.#isAway = false
    this.#log.info({}, 'the store is back')
    this.#hearing.reachable(true)
  }

  async #pullOnce(): Promise<void> {
    const changes = await this.#shared.changes(this.#number)
    if (changes) {
      if (changes.writes.length > 0 || changes.number > this.#number) await this.#hearing.take(changes)
      this.#number = Math.max(this.#number, changes.number)
      return
    }
    const { snapshot, number } = await this.#shared.snapshot()
    await this.#hearing.whole(snapshot, number)
    this.#number = number
  }

  #sweep(): void {
    this.#cancel = this.#clock.after(sweepMs, () => {
      void Promise.all([this.pull(), this.#hear()]).finally(() => {
        if (!this.#stopped) this.#sweep()
      })
    })
  }

  /** Reads what has been told since, so that the same is not told again by this replica. */
  async #hear(): Promise<void> {
    try {
      const rows = await this.#store.audit(this.#seq === null ? { limit: 1 } : { after: this.#seq, limit: pageRows })
      this.#seq = rows.at(-1)?.seq ?? this.#seq ?? 0
      this.#hearing.told(rows)
    } catch (error) {
      this.#log.debug({ error }, 'what other replicas have told could not be read')
    }
  }
}
