import { headerIn } from '../../http1/http1.ts'
import { putHeader } from '../upstream/headers.ts'

/** In which Codex's backend binds the requests of a turn to the account that answered the first of them. */
const turnStateHeader = 'x-codex-turn-state'

/** At most this many states are remembered; the oldest is forgotten first. */
const most = 10_000

/** Remembers which credential a Codex turn state came from, so that it is sent to no other credential. */
export class TurnStates {
  readonly #owners = new Map<string, string>()

  /** An answer with these raw headers came from the credential of that id. */
  note(headers: readonly string[], listener: string): void {
    const state = headerIn(headers, turnStateHeader)
    if (state === undefined) return
    this.#owners.delete(state)
    this.#owners.set(state, listener)
    for (const oldest of this.#owners.keys()) {
      if (this.#owners.size <= most) return
      this.#owners.delete(oldest)
    }
  }

  /** Takes a state out of a request for the credential of that id if it is another one's. */
  strip(headers: string[], listener: string): void {
    const state = headerIn(headers, turnStateHeader)
    if (state === undefined) return
    const known = this.#owners.get(state)
    if (known !== undefined && known !== listener) putHeader(headers, turnStateHeader, null)
  }
}
