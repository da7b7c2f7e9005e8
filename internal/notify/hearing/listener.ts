import type { Cancel, Clock } from '../../clock/clock.ts'
import type { Announcement, DomainEvent, EventBus } from '../../events/events.ts'
import type { Logger } from '../../log/log.ts'
import type { AuditRow, Store } from '../../store/store.ts'
import { type Cursor, cursorOf, hasGap, heard, isHeard, readUpTo } from '../delivery/cursor.ts'
import { type Ledger, metaNames } from '../delivery/ledger.ts'
import { incidentOf } from '../incident/incident.ts'

const pageRows = 500
const mostPages = 40
const gapMs = 1_000
const againMs = 5_000
const mostBuffered = 1_000

/**
 * Hears every event once, whatever happens in between: the bus brings what is new, the audit log what was announced while
 * nobody listened. The cursor says which audit rows have been heard and is stored with what they led to.
 */
export class Listener {
  readonly #store: Pick<Store, 'load' | 'audit' | 'incidents' | 'outbox'>
  readonly #bus: EventBus
  readonly #clock: Clock
  readonly #log: Logger
  readonly #ledger: Ledger
  readonly #hear: (announcement: Announcement) => void
  #unsubscribe: () => void = () => {}
  #cancel: Cancel | null = null
  #buffer: Announcement[] | null = []
  #restored = false
  #reading: Promise<void> = Promise.resolve()

  constructor(parts: {
    store: Pick<Store, 'load' | 'audit' | 'incidents' | 'outbox'>
    bus: EventBus
    clock: Clock
    log: Logger
    ledger: Ledger
    hear: (announcement: Announcement) => void
  }) {
    this.#store = parts.store
    this.#bus = parts.bus
    this.#clock = parts.clock
    this.#log = parts.log
    this.#ledger = parts.ledger
    this.#hear = parts.hear
  }

  /** Resolves when everything that was announced before is heard, or the store cannot say. */
  async start(): Promise<void> {
    this.#unsubscribe = this.#bus.subscribe((announcement) => this.#take(announcement))
    this.#reading = this.#catchUp()
    await this.#reading
    const waiting = this.#buffer ?? []
    this.#buffer = null
    for (const announcement of waiting) this.#take(announcement)
  }

  stop(): void {
    this.#unsubscribe()
    this.#cancel?.()
  }

  /** Reads what is new in the audit log, soon. */
  catchUp(): void {
    if (!this.#buffer) this.#readAfter(0)
  }

  /** Resolves when no reading of the audit log is under way. */
  async idle(): Promise<void> {
    await this.#reading
  }

  #take(announcement: Announcement): void {
    const { seq } = announcement
    if (this.#buffer) {
      if (this.#buffer.length < mostBuffered) this.#buffer.push(announcement)
      return
    }
    if (seq !== null && isHeard(this.#ledger.cursor, seq)) return
    // The cursor moves first: it must never be stored behind what the event has led to.
    if (seq !== null) this.#ledger.moveCursor(heard(this.#ledger.cursor, seq))
    this.#hear(announcement)
    if (hasGap(this.#ledger.cursor)) this.#readAfter(gapMs)
  }

  /** Rows can be announced out of turn or not at all; a moment later the log tells which. */
  #readAfter(delayMs: number): void {
    this.#cancel ??= this.#clock.after(delayMs, () => {
      this.#cancel = null
      this.#reading = this.#catchUp()
    })
  }

  async #catchUp(): Promise<void> {
    try {
      if (!this.#restored) await this.#restore()
      this.#restored = true
      await this.#read()
    } catch (error) {
      this.#log.warn({ error }, 'the audit log cannot be read for notices; it is tried again')
      this.#readAfter(againMs)
    }
  }

  async #restore(): Promise<void> {
    const [{ meta }, records, rows] = await Promise.all([
      this.#store.load(),
      this.#store.incidents(),
      this.#store.outbox(),
    ])
    const known = records.map(incidentOf).filter((incident) => incident !== null)
    const cursor = cursorOf(meta[metaNames.cursor]) ?? (await this.#beginning())
    this.#ledger.adopt(known, rows)
    this.#ledger.restoreMute(meta[metaNames.mute])
    this.#ledger.restoreLost(meta[metaNames.lost])
    const { upTo, ahead } = this.#ledger.cursor
    this.#ledger.moveCursor(ahead.reduce(heard, readUpTo(cursor, upTo)))
  }

  /** Where to begin on the first start ever: history is not news. */
  async #beginning(): Promise<Cursor> {
    const [newest] = await this.#store.audit({ limit: 1 })
    const buffered = (this.#buffer ?? []).map(({ seq }) => seq).filter((seq) => seq !== null)
    return { upTo: Math.min(newest?.seq ?? 0, ...buffered.map((seq) => seq - 1)), ahead: [] }
  }

  async #read(): Promise<void> {
    for (let page = 0; page < mostPages; page++) {
      const rows = await this.#store.audit({ after: this.#ledger.cursor.upTo, limit: pageRows })
      for (const row of rows) this.#hearRow(row)
      const last = rows.at(-1)
      if (last) this.#ledger.moveCursor(readUpTo(this.#ledger.cursor, last.seq))
      if (rows.length < pageRows) return
    }
    const [newest] = await this.#store.audit({ limit: 1 })
    if (newest) this.#ledger.moveCursor(readUpTo(this.#ledger.cursor, newest.seq))
    this.#log.warn({ rows: pageRows * mostPages }, 'too many audit rows since the last notice; the rest is not told')
  }

  #hearRow(row: AuditRow): void {
    if (isHeard(this.#ledger.cursor, row.seq)) return
    this.#ledger.moveCursor(heard(this.#ledger.cursor, row.seq))
    this.#hear({ event: eventOf(row), seq: row.seq, suppressed: row.suppressed })
  }
}

/** The event that an audit row keeps. */
function eventOf({ kind, at, pool, from, to, reason, actor, detail }: AuditRow): DomainEvent {
  return { kind, at, pool, from, to, reason, actor, detail } as DomainEvent
}
