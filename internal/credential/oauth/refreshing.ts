import { within } from '../../clock/clock.ts'
import type { At } from '../../pool/pool.ts'
import { type CredentialRecord, StaleGeneration } from '../../store/store.ts'
import type { CredentialContext } from '../context.ts'
import { Unreadable } from '../sources/holder.ts'
import type { LockTarget } from './locks.ts'
import type { EngineView, LoginState } from './login-state.ts'
import type { Kept, TokenPlace } from './place.ts'
import { type RefreshDeps, type Refreshed, refreshOnce } from './refresh.ts'
import { sameTokens, type TokenSet } from './tokens.ts'

/** How long a request waits for a token before another member is the better choice. */
const patienceMs = 10_000
const lockMs = 9_000
const saveAgainMs = 5_000
/** Presented without an answer so often, and with nothing left to serve with, a login needs a person's eyes. */
const lostTooOften = 2

/** What a login is made of. */
export interface LoginDeps {
  readonly record: CredentialRecord
  readonly place: TokenPlace
  readonly lock: LockTarget
  readonly context: CredentialContext
  readonly endpoint: RefreshDeps['endpoint']
  /** The file in which other tools refresh the tokens too: tells of its changes; null: nobody else has the tokens. */
  readonly file: {
    readonly watch: (changed: () => void) => () => void
    /** The file could not be read: the next look shall tell of it again. */
    readonly unseen: () => void
  } | null
  /** The generation of the first token set. */
  readonly first: number
  /** Opens the tokens that were loaded with the credential; null: they are read from their place. */
  readonly loaded: (() => TokenSet) | null
}

/** The refreshes of one login, one at a time, and what they could not write. */
export class Refreshing {
  readonly #parts: LoginDeps
  readonly #state: LoginState
  readonly #reread: () => Promise<void>
  #running: { readonly startedAt: At; readonly done: Promise<void> } | null = null
  #unsaved: { readonly kept: Kept; readonly at: At } | null = null
  #forced: readonly At[] = []

  /** `reread` looks at the place of the tokens again and takes over what others have put there. */
  constructor(parts: LoginDeps, state: LoginState, reread: () => Promise<void>) {
    this.#parts = parts
    this.#state = state
    this.#reread = reread
  }

  get isRunning(): boolean {
    return this.#running !== null
  }

  /** Resolves when no refresh is under way. */
  async settled(): Promise<void> {
    await this.#running?.done
  }

  /** When what could not be written is tried again; null: all is written. */
  get saveAt(): At | null {
    return this.#unsaved?.at ?? null
  }

  /** Whether a refresh has been under way for longer than a request waits for it. */
  isStalled(now: At): boolean {
    return this.#running !== null && now - this.#running.startedAt > patienceMs
  }

  /** Whether tokens are those from before a refresh that could not be written yet. */
  isOutdated(tokens: TokenSet): boolean {
    return this.#unsaved !== null && sameTokens(tokens, this.#unsaved.kept.before)
  }

  /** Forgets how often upstreams have forced a refresh. */
  forgive(): void {
    this.#forced = []
  }

  /** Forgets everything of an earlier login. */
  reset(): void {
    this.#unsaved = null
    this.#forced = []
  }

  /** Refreshes, or joins the refresh that is under way; never rejects. */
  run(): Promise<void> {
    this.#running ??= {
      startedAt: this.#parts.context.clock.now(),
      done: this.#refreshLocked().finally(() => {
        this.#running = null
        this.#parts.context.wake(this.#parts.context.clock.now())
      }),
    }
    return this.#running.done
  }

  async #refreshLocked(): Promise<void> {
    const { context, lock, record, place, endpoint, file } = this.#parts
    const state = this.#state
    const stale = state.tokens
    const engineView = state.engineView()
    try {
      const isDone = async () => {
        await this.#reread()
        return state.tokens !== stale
      }
      const held = await context.locks.acquire(lock, { waitMs: lockMs, isDone })
      if (!held) {
        if (state.tokens === stale) state.postpone(2_000, 'another process is refreshing')
        return
      }
      try {
        const isOurs = () => held.isOurs()
        const parts = { ...context, record, place, endpoint, isOurs, shared: file !== null }
        this.#conclude(await refreshOnce(parts, stale), engineView)
      } finally {
        // A lock that cannot be given back ends with its thread; the tokens are in their place.
        await held.release().catch(() => {})
      }
    } catch (error) {
      const isPassing = error instanceof Unreadable
      state.postpone(isPassing ? 2_000 : 15_000, error instanceof Error ? error.message : 'the refresh failed')
    }
  }

  #conclude(result: Refreshed, engineView: EngineView): void {
    const state = this.#state
    this.#parts.context.refreshed(this.#parts.record, result.kind)
    switch (result.kind) {
      case 'adopted':
        state.adopt(result.tokens, 'others')
        break
      case 'granted':
        if (result.unsaved) this.#unsaved = { kept: result.unsaved, at: this.#parts.context.clock.now() + saveAgainMs }
        state.adopt(result.tokens, 'us')
        break
      case 'dead':
        state.die(result, engineView)
        break
      case 'later':
        state.later = { at: result.at, why: result.why }
        if (result.lost >= lostTooOften && !state.hasLiveTokens()) state.lapse('refresh-uncertain', engineView)
    }
  }

  /** Tries again to write what could not be written. */
  async saveAgain(): Promise<void> {
    const { context, place } = this.#parts
    const kept = this.#unsaved?.kept
    if (!kept) return
    this.#unsaved = { kept, at: Number.POSITIVE_INFINITY }
    try {
      const outcome = await place.keep(kept)
      this.#unsaved = null
      if (outcome.kind === 'theirs') this.#state.adopt(outcome.tokens, 'others')
    } catch (error) {
      const isStale = error instanceof StaleGeneration
      this.#unsaved = isStale ? null : { kept, at: this.#parts.context.clock.now() + saveAgainMs }
      if (isStale) await this.#reread()
    }
    if (this.#unsaved) context.wake(this.#unsaved.at)
  }

  /** Upstreams that refuse fresh tokens too must not make us turn the tokens over for ever. */
  mayForce(): boolean {
    const { most, withinMs } = this.#parts.context.forced
    const now = this.#parts.context.clock.now()
    this.#forced = this.#forced.filter((at) => at > now - withinMs)
    if (this.#forced.length >= most) return false
    this.#forced = [...this.#forced, now]
    return true
  }

  /** As `run`, but resolves when a request must not wait any longer. */
  async patiently(): Promise<void> {
    await within(this.#parts.context.clock, patienceMs, this.run(), undefined)
  }
}
