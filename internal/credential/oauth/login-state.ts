import type { At, Reason } from '../../pool/pool.ts'
import type { CredentialRecord } from '../../store/store.ts'
import type { CredentialContext } from '../context.ts'
import { accountChange } from '../identity.ts'
import { NoMaterial } from '../material.ts'
import { Unreadable } from '../sources/holder.ts'
import { refreshDigest } from './place.ts'
import { isLive } from './refresh.ts'
import { sameTokens, type TokenSet } from './tokens.ts'

/** A token is refreshed so long before its end (Claude Code's own tool calls it expired then), and spread over as long. */
const earlyMs = 300_000

/** When to ask again for a token whose refresh is under way. */
const soonMs = 2_000

/** The engine's view of a credential before an attempt; undefined: it does not know it. */
export type EngineView = { readonly generation: number } | undefined

/** What is known of one login: its tokens, whether they can be replaced, and when that is due. */
export class LoginState {
  /** Counts the token sets. */
  generation: number
  tokens: TokenSet | null = null
  /** Why the tokens could not be read when there were none. */
  failure: Unreadable | null = null
  /** The authorization server has refused this refresh token. */
  dead: { readonly reason: Reason; readonly digest: string | null } | null = null
  /** No refresh before then. */
  later: { readonly at: At; readonly why: string } | null = null
  /** When the tokens want to be refreshed. */
  dueAt: At = 0
  readonly #record: CredentialRecord
  readonly #context: CredentialContext
  #stopped = false

  constructor(record: CredentialRecord, context: CredentialContext, first: number) {
    this.#record = record
    this.#context = context
    this.generation = first - 1
  }

  /** From now on the engine is not told of anything. */
  stop(): void {
    this.#stopped = true
  }

  /** Whether a refresh may begin and should. */
  isDue(now: At): boolean {
    return now >= this.dueAt && this.dead === null && !this.isWaiting(now) && !this.#stopped
  }

  /** When `isDue` will be true; infinity: not before something else happens. */
  nextAt(): At {
    if (this.tokens === null || this.dead !== null || this.#stopped) return Number.POSITIVE_INFINITY
    return Math.max(this.dueAt, this.later?.at ?? 0)
  }

  isWaiting(now: At): boolean {
    return this.later !== null && this.later.at > now
  }

  engineView(): EngineView {
    return this.#context.engineView(this.#record)
  }

  /** Why there is no token to give out, as the caller of `material` hears it. */
  missing(): NoMaterial {
    const { name } = this.#record
    if (this.failure) return this.failure
    if (this.tokens === null) return new Unreadable('the tokens could not be read')
    if (this.dead) return new NoMaterial(this.dead.reason, `the login of ${name} has lapsed`)
    const now = this.#context.clock.now()
    if (this.later && this.isWaiting(now)) return new NoMaterial('auth-expired', this.later.why, this.later.at)
    // The refresh takes its time, and no person could hurry it.
    return new NoMaterial('auth-expired', `the token of ${name} is still being refreshed`, now + soonMs)
  }

  /** Takes over tokens that spillway (`us`) or somebody else has refreshed. */
  adopt(tokens: TokenSet, by: 'us' | 'others'): void {
    const before = this.tokens
    const wasUnreadable = this.failure !== null
    this.failure = null
    // The object stays while the tokens do: whoever waits for others compares it.
    if (before && sameTokens(before, tokens)) return
    this.#take(tokens, before === null && by === 'others')
    if (this.dead && this.dead.digest === refreshDigest(tokens)) return
    this.dead = null
    this.later = null
    if (this.#stopped) return
    if (before) {
      const change = this.#whatChanged(before, tokens, by)
      this.#context.replaced(this.#record, change)
      this.#tellAccount(before, tokens)
    }
    if (!before && wasUnreadable) this.#context.replaced(this.#record, 'others')
  }

  #whatChanged(before: TokenSet, tokens: TokenSet, by: 'us' | 'others'): 'us' | 'others' | 'another' {
    if (before.accountId !== tokens.accountId || accountChange(before, tokens)) return 'another'
    // While there was no live token the member was suspect for want of one; our refresh ends that as another's would.
    return isLive(before, this.#context.clock.now()) ? by : 'others'
  }

  /** Takes over the tokens of a new login, of which the engine is told by whoever made it. */
  install(tokens: TokenSet): void {
    this.failure = null
    this.dead = null
    this.later = null
    if (this.tokens) this.#tellAccount(this.tokens, tokens)
    this.#take(tokens, false)
  }

  #tellAccount(before: TokenSet, tokens: TokenSet): void {
    const change = accountChange(before, tokens)
    if (change) this.#context.changedAccount(this.#record, change)
  }

  /** The tokens changed while nobody looked: a login that had lapsed lives again. */
  changedMeanwhile(): void {
    this.#context.replaced(this.#record, 'others')
  }

  die(dead: { reason: Reason; digest: string | null }, engineView: EngineView): void {
    this.dead = { reason: dead.reason, digest: dead.digest }
    this.lapse(dead.reason, engineView)
  }

  fail(failure: Unreadable): void {
    const isFirst = this.failure === null
    this.failure = failure
    if (isFirst) this.lapse('unreadable', this.engineView())
  }

  lapse(reason: Reason, engineView: EngineView): void {
    if (!this.#stopped) this.#context.lapsed(this.#record, engineView, reason)
  }

  postpone(ms: number, why: string): void {
    this.later = { at: this.#context.clock.now() + ms, why }
  }

  hasLiveTokens(): boolean {
    return this.tokens !== null && isLive(this.tokens, this.#context.clock.now())
  }

  #take(tokens: TokenSet, isOld: boolean): void {
    this.tokens = tokens
    this.generation++
    this.dueAt = this.#due(tokens, isOld)
  }

  /** Ahead of the end by 5 to 10 minutes, or by a good part of the life of tokens that somebody has just been given. */
  #due(tokens: TokenSet, isOld: boolean): At {
    if (tokens.expiresAt === null || tokens.refreshToken === null) return Number.POSITIVE_INFINITY
    const left = tokens.expiresAt - this.#context.clock.now()
    const early = isOld ? earlyMs : Math.min(earlyMs, left / 4)
    return tokens.expiresAt - early - Math.min(earlyMs, left / 4) * this.#context.random()
  }
}
