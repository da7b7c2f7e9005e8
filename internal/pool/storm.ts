import type { At } from './outcome.ts'

const windowMs = 5_000
const calmMs = 60_000
const smallestPool = 4
const share = 0.75

/**
 * Notices when most of a pool fails at once with weak evidence: then it is the upstream or the way out, not the members,
 * and weak evidence cools nobody for 60 s. Never in pools of fewer than four.
 */
export class Storm {
  readonly #failures = new Map<string, At>()
  #until: At = 0

  /** Takes a weak failure of `member`; `started` says that this one makes it a storm. */
  weakFailure(member: string, members: number, now: At): { readonly calm: boolean; readonly started: boolean } {
    if (now < this.#until) return { calm: true, started: false }
    if (members < smallestPool) return { calm: false, started: false }
    this.#failures.delete(member)
    this.#failures.set(member, now)
    for (const [other, at] of this.#failures) {
      if (now - at <= windowMs) break
      this.#failures.delete(other)
    }
    if (this.#failures.size < members * share) return { calm: false, started: false }
    this.#failures.clear()
    this.#until = now + calmMs
    return { calm: true, started: true }
  }

  /** When weak evidence counts again; in the past when it does now. */
  get until(): At {
    return this.#until
  }
}
