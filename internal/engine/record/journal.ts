import { type Cancel, type Clock, within } from '../../clock/clock.ts'
import type { Announcement, DomainEvent, EventBus } from '../../events/events.ts'
import type { Logger } from '../../log/log.ts'
import type { AuditEntry, Store, Write } from '../../store/store.ts'
import { rowOf } from './row.ts'

interface Entry extends AuditEntry {
  /** The rows that it explains. */
  readonly rows: readonly string[]
  /** Told from memory already because the store was ill. */
  announced: boolean
}

const retryMs = 250
const longestRetryMs = 5_000
const patienceMs = 2_000
const maxEntries = 1_000
const pending = 'a write has been pending for 2 s; changes are kept in memory'
const unreachable = 'it cannot be reached; changes are kept in memory'

/** How decisions are written where other replicas write, too. */
export interface Committer {
  /** The write with what others have to know beside it. */
  dressed(write: Write): Write
  /** Resolves with the sequence number of each entry; null for those that another replica has told already. */
  commit(writes: readonly Write[], entries: readonly Entry[]): Promise<readonly (number | null)[]>
}

/**
 * Makes decisions durable in the order in which they were taken, and announces them afterwards. One transaction is under way
 * at a time; later writes of the same row replace earlier ones. When the store does not take a write for 2 s, events are
 * announced from memory, and the writes follow when it answers again.
 */
export class Journal {
  readonly #store: Store
  readonly #bus: EventBus
  readonly #clock: Clock
  readonly #log: Logger
  #committer: Committer | null = null
  #writes = new Map<string, Write>()
  /** What the transaction under way writes. */
  #inFlight: ReadonlyMap<string, Write> = new Map()
  #entries: Entry[] = []
  #committing: Promise<void> | null = null
  #patience: Cancel | null = null
  #isStoreDown = false
  #stopped = false
  /** How many batches the store refused for ever, and why the last one. */
  #refused = { count: 0, why: '' }

  constructor(parts: { store: Store; bus: EventBus; clock: Clock; log: Logger }) {
    this.#store = parts.store
    this.#bus = parts.bus
    this.#clock = parts.clock
    this.#log = parts.log
  }

  /** From now on the store is shared. */
  share(committer: Committer): void {
    this.#committer = committer
  }

  /** Whether the store has taken no write, or could not be reached, for 2 s. */
  get isStoreDown(): boolean {
    return this.#isStoreDown
  }

  /** Whether a write of that row is not durable yet. */
  isPending(write: Write): boolean {
    const row = rowOf(write)
    return this.#writes.has(row) || this.#inFlight.has(row)
  }

  /** Takes writes and the events that they explain; returns at once. */
  record(writes: readonly Write[], events: readonly AuditEntry[]): void {
    const rows: string[] = []
    for (const write of writes) {
      const row = rowOf(write)
      this.#writes.delete(row)
      this.#writes.set(row, this.#committer?.dressed(write) ?? write)
      rows.push(row)
    }
    for (const entry of events) this.#enter(entry, rows)
    this.#start()
  }

  /**
   * Resolves when everything recorded so far is durable; rejects when the store has been ill for 2 s, and when it will never
   * take what was recorded.
   */
  async durable(): Promise<void> {
    const { count } = this.#refused
    while (this.#committing || this.#writes.size > 0 || this.#entries.length > 0) {
      if (this.#isStoreDown) throw new Error('the change is in force but the store cannot write it now; it will follow')
      this.#start()
      await this.#round()
    }
    if (this.#refused.count > count) throw new Error(`the change is in force, but is not kept: ${this.#refused.why}`)
  }

  /** The store is away (`reachable` false) or back, whether or not anything has to be written. */
  heard(reachable: boolean): void {
    if (!reachable) this.#patience ??= this.#clock.after(patienceMs, () => this.#announceTrouble([], unreachable))
    else if (!this.#committing) {
      this.#recover()
      if (this.#entries.length > 0) this.#start()
    }
  }

  /** Gives up on what the store would not take. */
  async stop(): Promise<void> {
    await this.durable().catch((error: unknown) =>
      this.#log.error({ error }, 'changes were not written before the stop'),
    )
    this.#stopped = true
    this.#patience?.()
  }

  #enter(entry: AuditEntry, rows: readonly string[]): void {
    if (this.#entries.length >= maxEntries) this.#entries.shift()
    const announced = this.#isStoreDown
    this.#entries.push({ ...entry, rows, announced })
    if (announced) this.#announce(entry, null)
  }

  #start(): void {
    if (this.#committing || this.#stopped) return
    this.#committing = this.#drain().finally(() => {
      this.#committing = null
    })
  }

  /** Ends when a transaction succeeded or when patience is over, whichever is first. */
  #round(): Promise<void> {
    return within(this.#clock, patienceMs, this.#committing ?? Promise.resolve(), undefined)
  }

  async #drain(): Promise<void> {
    let delay = retryMs
    while ((this.#writes.size > 0 || this.#entries.length > 0) && !this.#stopped) {
      const writes = this.#writes
      const entries = this.#entries
      this.#writes = new Map()
      this.#entries = []
      this.#inFlight = writes
      this.#patience ??= this.#clock.after(patienceMs, () => this.#announceTrouble(entries))
      try {
        const seqs = await this.#commit([...writes.values()], entries)
        this.#inFlight = new Map()
        delay = retryMs
        this.#recover()
        entries.forEach((entry, at) => {
          const seq = seqs[at] ?? null
          if (!entry.announced && (seq !== null || !this.#committer)) this.#announce(entry, seq)
        })
      } catch (error) {
        this.#inFlight = new Map()
        this.#log.warn({ error }, 'the store did not take a write')
        if (isHopeless(error)) {
          this.#refused = { count: this.#refused.count + 1, why: error.message }
          this.#giveUp(entries)
          continue
        }
        for (const [row, write] of this.#writes) {
          writes.delete(row)
          writes.set(row, write)
        }
        this.#writes = writes
        this.#entries = [...entries, ...this.#entries]
        await new Promise<void>((resolve) => this.#clock.after(delay, resolve))
        delay = Math.min(delay * 2, longestRetryMs)
      }
    }
  }

  #commit(writes: readonly Write[], entries: readonly Entry[]): Promise<readonly (number | null)[]> {
    return this.#committer ? this.#committer.commit(writes, entries) : this.#store.commit({ writes, audit: entries })
  }

  /** A batch that breaks a rule of the schema would keep everything behind it waiting for ever. */
  #giveUp(entries: readonly Entry[]): void {
    this.#recover()
    for (const entry of entries) if (!entry.announced) this.#announce(entry, null)
  }

  #announceTrouble(inFlight: readonly Entry[], what = pending): void {
    if (this.#isStoreDown || this.#stopped) return
    this.#isStoreDown = true
    const waiting = new Set([...inFlight, ...this.#entries])
    this.#announce({ event: this.#aboutStore('store_trouble', { what }), suppressed: 0 }, null)
    for (const entry of waiting) {
      if (entry.announced) continue
      entry.announced = true
      this.#announce(entry, null)
    }
  }

  #recover(): void {
    this.#patience?.()
    this.#patience = null
    if (!this.#isStoreDown) return
    this.#isStoreDown = false
    this.#enter({ event: this.#aboutStore('store_healed', {}), suppressed: 0 }, [])
  }

  #aboutStore(kind: 'store_trouble' | 'store_healed', detail: { what?: string }): DomainEvent {
    const shape = { at: this.#clock.now(), pool: null, from: null, to: null, reason: null, actor: 'spillway' }
    return { ...shape, kind, detail } as DomainEvent
  }

  #announce(entry: AuditEntry, seq: number | null): void {
    const announcement: Announcement = { event: entry.event, seq, suppressed: entry.suppressed }
    this.#bus.publish(announcement)
  }
}

function isHopeless(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && error.code === 'rejected'
}
