import { Unreadable } from '../sources/holder.ts'
import type { LoginState } from './login-state.ts'
import { refreshDigest } from './place.ts'
import type { LoginDeps, Refreshing } from './refreshing.ts'
import type { TokenSet } from './tokens.ts'

/** Reads the tokens of one login from their place, one reading at a time, and takes over what others have put there. */
export class Rereading {
  readonly #parts: LoginDeps
  readonly #state: LoginState
  readonly #refreshing: Refreshing
  #running: Promise<void> | null = null
  /** Why the place could not be read, while the tokens that were read before go on serving; null: it could. */
  unread: string | null = null

  constructor(parts: LoginDeps, state: LoginState, refreshing: Refreshing) {
    this.#parts = parts
    this.#state = state
    this.#refreshing = refreshing
  }

  /** Reads, or joins the reading that is under way; never rejects. */
  run(): Promise<void> {
    this.#running ??= this.#read().finally(() => {
      this.#running = null
    })
    return this.#running
  }

  async #read(): Promise<void> {
    const state = this.#state
    try {
      const isFirst = state.tokens === null
      const tokens = await this.#parts.place.read()
      this.#parts.context.check(tokens.accessToken.reveal(), 'the login')
      this.unread = null
      if (isFirst) await this.#recall(tokens)
      // What lies there is older than what could not be written yet.
      if (this.#refreshing.isOutdated(tokens)) return
      const { generation } = state
      state.adopt(tokens, 'others')
      // No upstream has forced these.
      if (state.generation > generation) this.#refreshing.forgive()
    } catch (error) {
      this.#parts.file?.unseen()
      const failure = error instanceof Unreadable ? error : new Unreadable('the tokens could not be read')
      // A place that fails says nothing about the tokens that were read before.
      if (state.tokens) this.unread = failure.message
      else state.fail(failure)
    }
  }

  /** What was known of these tokens before a restart: a refused one stays refused, and a change meanwhile revives. */
  async #recall(tokens: TokenSet): Promise<void> {
    const known = await this.#parts.context.ledger.read(this.#parts.record.id).catch(() => null)
    const refused = known?.row?.refused ?? null
    if (refused === null) return
    if (refused.digest === refreshDigest(tokens)) this.#state.die(refused, this.#state.engineView())
    else this.#state.changedMeanwhile()
  }
}
