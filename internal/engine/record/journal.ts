import { type Cancel, type Clock, within } from '../../clock/clock.ts'
import type { Announcement, DomainEvent, EventBus } from '../../events/events.ts'
import type { Logger } from '../../log/log.ts'
import type { AuditEntry, Store, Write } from '../../store/store.ts'

interface Entry extends AuditEntry {
  /** Told from memory already because the store was ill. */
  announced: boolean
}

const retryMs = 250
const longestRetryMs = 5_000
const patienceMs = 2_000
const maxEntries = 1_000

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
  #writes = new Map<string, Write>()
  #entries: Entry[] = []
  #committing: Promise<void> | null = null
  #patience: Cancel | null = null
  #isStoreDown = false
  #stopped = false

  constructor(parts: { store: Store; bus: EventBus; clock: Clock; log: Logger }) {
    this.#store = parts.store
    this.#bus = parts.bus
    this.#clock = parts.clock
    this.#log = parts.log
  }

  /** Takes writes and the events that they explain; returns at once. */
  record(writes: readonly Write[], events: readonly AuditEntry[]): void {
    for (const write of writes) {
      const row = rowOf(write)
      this.#writes.delete(row)
      this.#writes.set(row, write)
    }
    for (const entry of events) this.#enter(entry)
    this.#start()
  }

  /** Resolves when everything recorded so far is durable; rejects when the store has been ill for 2 s. */
  async durable(): Promise<void> {
    while (this.#committing || this.#writes.size > 0 || this.#entries.length > 0) {
      if (this.#isStoreDown) throw new Error('the change is in force but the store cannot write it now; it will follow')
      this.#start()
      await this.#round()
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

  #enter(entry: AuditEntry): void {
    if (this.#entries.length >= maxEntries) this.#entries.shift()
    const announced = this.#isStoreDown
    this.#entries.push({ ...entry, announced })
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
      this.#patience ??= this.#clock.after(patienceMs, () => this.#announceTrouble(entries))
      try {
        const seqs = await this.#store.commit({ writes: [...writes.values()], audit: entries })
        delay = retryMs
        this.#recover()
        entries.forEach((entry, at) => {
          if (!entry.announced) this.#announce(entry, seqs[at] ?? null)
        })
      } catch (error) {
        this.#log.warn({ error }, 'the store did not take a write')
        if (isHopeless(error)) {
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

  /** A batch that breaks a rule of the schema would keep everything behind it waiting for ever. */
  #giveUp(entries: readonly Entry[]): void {
    this.#recover()
    for (const entry of entries) if (!entry.announced) this.#announce(entry, null)
  }

  #announceTrouble(inFlight: readonly Entry[]): void {
    if (this.#isStoreDown || this.#stopped) return
    this.#isStoreDown = true
    const waiting = new Set([...inFlight, ...this.#entries])
    const what = 'a write has been pending for 2 s; changes are kept in memory'
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
    this.#enter({ event: this.#aboutStore('store_healed', {}), suppressed: 0 })
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

function isHopeless(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'rejected'
}

/** The row that a write is about: a later write of the same row replaces an earlier one that is still pending. */
function rowOf(write: Write): string {
  if ('drop' in write) return rowOfDrop(write)
  switch (write.put) {
    case 'credential':
    case 'credential-state':
    case 'key':
    case 'incident':
    case 'outbox':
      return `${write.put} ${write.row.id}`
    case 'pool':
    case 'pool-state':
    case 'domain':
      return `${write.put} ${write.row.name}`
    case 'seat':
      return `seat ${write.row.pool} ${write.row.credentialId}`
    case 'host':
      return `host ${write.row.host}`
    case 'secret':
      return `secret ${write.row.owner} ${write.row.field}`
    case 'refresh':
      return `refresh ${write.row.id}`
    case 'usage':
      return `usage ${write.row.hour} ${write.row.writer} ${write.row.pool} ${write.row.key} ${write.row.member} ${write.row.model}`
    case 'meta':
      return `meta ${write.name}`
    case 'suppressed':
      return `suppressed ${write.signal}`
  }
}

function rowOfDrop(write: Extract<Write, { drop: string }>): string {
  switch (write.drop) {
    case 'credential':
    case 'incident':
    case 'outbox':
      return `drop ${write.drop} ${write.id}`
    case 'pool':
      return `drop pool ${write.name}`
    case 'seat':
      return `seat ${write.pool} ${write.credentialId}`
    case 'host':
      return `host ${write.host}`
    case 'secret':
      return `drop secret ${write.owner}`
    case 'meta':
      return `meta ${write.name}`
    case 'suppressed':
      return `suppressed ${write.signal}`
  }
}
