import type { At } from './outcome.ts'

/** An entry of a list in the order of use. A map alone would have to step over all that was taken out of its beginning. */
interface Entry<V> {
  readonly id: string
  value: V
  at: At
  older: Entry<V> | null
  newer: Entry<V> | null
}

/** How much is remembered, and how long what nobody speaks of, in ms. */
export interface Bounds {
  readonly most: number
  readonly idleMs: number
}

/** What was noted of ids, those that were noted last. Each look and each note takes the same short time. */
export class Recent<V> {
  readonly #bounds: Bounds
  readonly #entries = new Map<string, Entry<V>>()
  #oldest: Entry<V> | null = null
  #newest: Entry<V> | null = null

  constructor(bounds: Bounds) {
    this.#bounds = bounds
  }

  get size(): number {
    return this.#entries.size
  }

  /** What was noted of the id last; null when that is not known, or too long ago. */
  get(id: string, now: At): V | null {
    const entry = this.#entries.get(id)
    return entry && now - entry.at < this.#bounds.idleMs ? entry.value : null
  }

  /** Notes `value` of the id; who has been idle longest is forgotten for it. */
  note(id: string, value: V, now: At): void {
    const { most, idleMs } = this.#bounds
    const known = this.#entries.get(id)
    if (known) this.#unlink(known)
    const entry = known ?? { id, value, at: now, older: null, newer: null }
    if (!known) this.#entries.set(id, entry)
    entry.value = value
    entry.at = now
    this.#append(entry)
    for (let first = this.#oldest; first; first = this.#oldest) {
      if (this.#entries.size <= most && now - first.at < idleMs) return
      this.#unlink(first)
      this.#entries.delete(first.id)
    }
  }

  #append(entry: Entry<V>): void {
    entry.older = this.#newest
    entry.newer = null
    if (this.#newest) this.#newest.newer = entry
    else this.#oldest = entry
    this.#newest = entry
  }

  #unlink({ older, newer }: Entry<V>): void {
    if (older) older.newer = newer
    else this.#oldest = newer
    if (newer) newer.older = older
    else this.#newest = older
  }
}
