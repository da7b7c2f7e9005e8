import type { At } from './outcome.ts'

/** Whether requests of a conversation go to the member that has served it. */
export const affinities = ['none', 'conversation'] as const
export type Affinity = (typeof affinities)[number]

/** How long a conversation is remembered that nobody goes on with, in ms. */
const idleMs = 3_600_000

/** At most so many are remembered; who has been idle longest is forgotten first. */
const mostConversations = 100_000

interface Entry<S> {
  readonly seat: S
  readonly at: At
}

/** Who has served which conversation, by a digest of its id. Each look and each note takes the same short time. */
export class Conversations<S> {
  readonly #most: number
  /** From the one that has been idle longest. */
  readonly #entries = new Map<string, Entry<S>>()

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
    this.#entries.delete(id)
    this.#entries.set(id, { seat, at: now })
    for (const [oldest, { at }] of this.#entries) {
      if (this.#entries.size <= this.#most && now - at < idleMs) return
      this.#entries.delete(oldest)
    }
  }
}
