import type { At } from './outcome.ts'

/** Whether requests of a conversation go to the member that has served it. */
export const affinities = ['none', 'conversation'] as const
export type Affinity = (typeof affinities)[number]

/** How long a conversation is remembered that nobody goes on with, in ms. */
const idleMs = 3_600_000

/** At most so many are remembered; who has been idle longest is forgotten first. */
const mostConversations = 100_000

/** An entry of a list in the order of use. A map alone would have to step over all that was taken out of its beginning. */
interface Entry<S> {
  readonly id: string
  seat: S
  at: At
  older: Entry<S> | null
  newer: Entry<S> | null
}

/** Who has served which conversation, by a digest of its id. Each look and each note takes the same short time. */
export class Conversations<S> {
  readonly #most: number
  readonly #entries = new Map<string, Entry<S>>()
  #oldest: Entry<S> | null = null
  #newest: Entry<S> | null = null

  constructor(most = mostConversations) {
    this.#most = most
  }

  get size(): number {
    return this.#entries.size
  }

  /** Who served the conversation last; null when that is not known, or too long ago. */
  seatOf(id: string, now: At): S | null {
    const entry = this.#entries.get(id)
    return entry && now - entry.at < idleMs ? entry.seat : null
  }

  /** `seat` has served the conversation. */
  note(id: string, seat: S, now: At): void {
    const known = this.#entries.get(id)
    if (known) this.#unlink(known)
    const entry = known ?? { id, seat, at: now, older: null, newer: null }
    if (!known) this.#entries.set(id, entry)
    entry.seat = seat
    entry.at = now
    this.#append(entry)
    for (let first = this.#oldest; first; first = this.#oldest) {
      if (this.#entries.size <= this.#most && now - first.at < idleMs) return
      this.#unlink(first)
      this.#entries.delete(first.id)
    }
  }

  #append(entry: Entry<S>): void {
    entry.older = this.#newest
    entry.newer = null
    if (this.#newest) this.#newest.newer = entry
    else this.#oldest = entry
    this.#newest = entry
  }

  #unlink({ older, newer }: Entry<S>): void {
    if (older) older.newer = newer
    else this.#oldest = newer
    if (newer) newer.older = older
    else this.#newest = older
  }
}
