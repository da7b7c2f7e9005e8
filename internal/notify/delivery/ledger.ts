import type { OutboxRecord, Write } from '../../store/store.ts'
import { type Incident, recordOf } from '../incident/incident.ts'
import type { At } from '../incident/notice.ts'
import { type Cursor, textOf } from './cursor.ts'
import { overflow } from './outbox.ts'

/** Names of the rows that notify keeps in the store's `meta`. */
export const metaNames = { cursor: 'notify.cursor', mute: 'notify.mutedUntil', lost: 'notify.lost' } as const

/** Incidents, outbox and cursor in memory, and which of their rows the store has not seen yet. */
export class Ledger {
  readonly #incidents = new Map<string, Incident>()
  readonly #rows = new Map<string, OutboxRecord>()
  readonly #lost = new Map<string, number>()
  readonly #unsaved = new Map<string, Write>()
  #cursor: Cursor = { upTo: 0, ahead: [] }
  #mutedUntil: At | null = null
  #cursorMoved = false

  get cursor(): Cursor {
    return this.#cursor
  }

  get mutedUntil(): At | null {
    return this.#mutedUntil
  }

  /** Whether something is unsaved that a crash should not lose; a cursor on its own can be moved again. */
  get unsaved(): boolean {
    return this.#unsaved.size > 0
  }

  get cursorMoved(): boolean {
    return this.#cursorMoved
  }

  incidents(): readonly Incident[] {
    return [...this.#incidents.values()]
  }

  incident(id: string): Incident | undefined {
    return this.#incidents.get(id)
  }

  rows(): readonly OutboxRecord[] {
    return [...this.#rows.values()]
  }

  row(id: string): OutboxRecord | undefined {
    return this.#rows.get(id)
  }

  /** Takes over what the store kept, unless memory knows it better by now. */
  adopt(incidents: readonly Incident[], rows: readonly OutboxRecord[]): void {
    const newer = this.incidents()
    const newerRows = this.rows()
    this.#incidents.clear()
    this.#rows.clear()
    for (const incident of [...incidents, ...newer]) this.#incidents.set(incident.id, incident)
    for (const row of [...rows, ...newerRows]) this.#rows.set(row.id, row)
  }

  put(incident: Incident): void {
    this.#incidents.set(incident.id, incident)
    this.#unsaved.set(`incident ${incident.id}`, { put: 'incident', row: recordOf(incident) })
  }

  /** Forgets the incident and whatever waits to be told of it. */
  drop(id: string): void {
    this.#incidents.delete(id)
    this.#unsaved.set(`incident ${id}`, { drop: 'incident', id })
    for (const row of this.rows()) if (row.incident === id) this.dropRow(row.id)
  }

  /** Puts a row into the outbox; what that pushes out is counted as lost. */
  putRow(row: OutboxRecord): void {
    this.#rows.set(row.id, row)
    this.#unsaved.set(`outbox ${row.id}`, { put: 'outbox', row })
    const isOpen = (id: string) => this.#incidents.get(id)?.closedAt === null
    for (const { id, channel } of overflow(this.rows(), isOpen)) {
      this.dropRow(id)
      this.setLost(channel, this.lost(channel) + 1)
    }
  }

  dropRow(id: string): void {
    if (this.#rows.delete(id)) this.#unsaved.set(`outbox ${id}`, { drop: 'outbox', id })
  }

  /** How many notices a channel will never get because the outbox was full. */
  lost(channel: string): number {
    return this.#lost.get(channel) ?? 0
  }

  setLost(channel: string, count: number): void {
    if (count === this.lost(channel)) return
    this.#lost.set(channel, count)
    this.#meta(metaNames.lost, JSON.stringify(Object.fromEntries(this.#lost)))
  }

  restoreLost(text: string | undefined): void {
    const counts: unknown = text === undefined ? {} : JSON.parse(text)
    for (const [channel, count] of Object.entries(counts ?? {})) {
      if (typeof count === 'number') this.#lost.set(channel, count)
    }
  }

  moveCursor(cursor: Cursor): void {
    this.#cursor = cursor
    this.#cursorMoved = true
  }

  mute(until: At | null): void {
    this.#mutedUntil = until
    this.#meta(metaNames.mute, until === null ? '' : String(until))
  }

  restoreMute(text: string | undefined): void {
    if (text) this.#mutedUntil = Number(text)
  }

  /** All that is unsaved, the cursor included, as writes; they count as saved from now on. */
  take(): readonly Write[] {
    if (this.#cursorMoved) this.#meta(metaNames.cursor, textOf(this.#cursor))
    this.#cursorMoved = false
    const writes = [...this.#unsaved.values()]
    this.#unsaved.clear()
    return writes
  }

  /** Takes back writes that failed, except where there is a later one. */
  giveBack(writes: readonly Write[]): void {
    for (const write of writes) {
      const row = rowOf(write)
      if (!this.#unsaved.has(row)) this.#unsaved.set(row, write)
    }
  }

  #meta(name: string, value: string): void {
    this.#unsaved.set(`meta ${name}`, { put: 'meta', name, value })
  }
}

function rowOf(write: Write): string {
  if ('drop' in write)
    return write.drop === 'incident' || write.drop === 'outbox' ? `${write.drop} ${write.id}` : write.drop
  if (write.put === 'meta') return `meta ${write.name}`
  return write.put === 'incident' || write.put === 'outbox' ? `${write.put} ${write.row.id}` : write.put
}
