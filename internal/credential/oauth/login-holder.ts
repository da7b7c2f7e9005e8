import { type At, type Reason, Refusal } from '../../pool/pool.ts'
import type { CredentialRecord, Write } from '../../store/store.ts'
import type { Material, Renewal } from '../material.ts'
import { type Holder, materialOf, Unreadable } from '../sources/holder.ts'
import { LoginState } from './login-state.ts'
import { isLive } from './refresh.ts'
import { type LoginDeps, Refreshing } from './refreshing.ts'
import { Rereading } from './rereading.ts'
import type { TokenSet } from './tokens.ts'

/** A refresh that holds the lock is over by then. */
const installMs = 60_000

/** The tokens of one login: always one refresh at a time, and never for the sake of one request only. */
export class LoginHolder implements Holder {
  readonly record: CredentialRecord
  readonly #parts: LoginDeps
  readonly #state: LoginState
  readonly #refreshing: Refreshing
  readonly #unwatch: () => void
  #loaded: (() => TokenSet) | null
  readonly #rereading: Rereading
  #used = false

  constructor(parts: LoginDeps) {
    this.record = parts.record
    this.#parts = parts
    this.#state = new LoginState(parts.record, parts.context, parts.first)
    this.#refreshing = new Refreshing(parts, this.#state, () => this.read())
    this.#rereading = new Rereading(parts, this.#state, this.#refreshing)
    this.#loaded = parts.loaded
    this.#unwatch = parts.file?.watch(() => void this.read()) ?? (() => {})
  }

  get generation(): number {
    return this.#state.generation
  }

  material(): Material | Promise<Material> {
    this.#open()
    this.#use()
    const now = this.#now()
    const { tokens, dead, failure } = this.#state
    if (tokens && isLive(tokens, now)) {
      if (this.#isDue(now)) void this.#refreshing.run()
      return this.#material(tokens)
    }
    if (failure || dead || this.#state.isWaiting(now) || this.#refreshing.isStalled(now)) throw this.#state.missing()
    if (tokens === null) return this.read().then(() => (this.#state.tokens ? this.material() : this.#give()))
    return this.#refreshing.patiently().then(() => this.#give())
  }

  async renew(generation: number): Promise<Renewal> {
    this.#open()
    if (this.generation <= generation) await this.read()
    if (this.generation > generation) return 'renewed'
    if (this.#state.dead) return 'needs-login'
    if (!this.#state.tokens || this.#state.isWaiting(this.#now())) return 'unavailable'
    if (!this.#refreshing.isRunning && !this.#refreshing.mayForce()) return 'unavailable'
    await this.#refreshing.patiently()
    if (this.generation > generation) return 'renewed'
    return this.#state.dead ? 'needs-login' : 'unavailable'
  }

  /** The material, refreshed first when it is due; a live token is given out if that takes too long or fails. */
  async current(): Promise<Material & { readonly expiresAt: At | null }> {
    await this.material()
    if (this.#isDue(this.#now())) await this.#refreshing.patiently()
    return { ...(await this.material()), expiresAt: this.#state.tokens?.expiresAt ?? null }
  }

  /** Does what is due: a refresh ahead of the end, or writing what could not be written. */
  tick(): void {
    const now = this.#now()
    const { saveAt } = this.#refreshing
    if (saveAt !== null && saveAt <= now) void this.#refreshing.saveAgain()
    if (this.#isWanted() && this.#isDue(now)) void this.#refreshing.run()
  }

  /** When `tick` has something to do; infinity: not before something else happens. */
  nextAt(): At {
    const { saveAt, isRunning } = this.#refreshing
    if (saveAt !== null) return saveAt
    return isRunning || !this.#isWanted() ? Number.POSITIVE_INFINITY : this.#state.nextAt()
  }

  /** The tokens of a login that cannot be refreshed; null when it can, or nothing is known of it. */
  lasting(): TokenSet | null {
    this.#open()
    const { tokens } = this.#state
    return tokens !== null && tokens.refreshToken === null ? tokens : null
  }

  held(): TokenSet | null {
    this.#open()
    return this.#state.tokens
  }

  problem() {
    this.#open()
    const { failure, dead, later } = this.#state
    if (failure) return { reason: 'unreadable' as const, message: failure.message, broken: true }
    if (dead) return { reason: dead.reason, message: 'the login has lapsed', broken: true }
    if (this.#refreshing.saveAt !== null) return passing('unreadable', 'the refreshed tokens could not be written yet')
    const { unread } = this.#rereading
    if (unread !== null) return passing('unreadable', `${unread}; the tokens that were read last go on serving`)
    if (later) return passing('auth-expired', `the refresh failed: ${later.why}`)
    const { warning } = this.#parts.place
    return warning === null ? null : passing('unreadable', warning)
  }

  /** Refuses when the tokens of a new login would have nowhere to go, before a person takes the trouble. */
  async checkPlace(): Promise<void> {
    // What the vault held is replaced whole; a file keeps what else is in it.
    if (!this.#parts.file) return
    await this.read()
    const why = this.#state.failure?.message ?? this.#rereading.unread
    if (why !== null) throw new Refusal('conflict', why, 'log in with its own tool, which writes the file anew')
  }

  /** Forgets that the login was refused, so that it is tried once more. */
  async retry(): Promise<void> {
    if (this.#state.failure) await this.read()
    this.#state.dead = null
    this.#state.later = null
    this.#refreshing.forgive()
    const { ledger } = this.#parts.context
    const { row } = await ledger.read(this.record.id)
    if (row) await ledger.write({ ...row, refused: null, failures: 0, nextAttemptAt: 0 }, row.generation, [])
  }

  /** Puts the tokens of a new login in the place of the old; see `LiveCredentials.install`. */
  async install(given: TokenSet, commit: (writes: readonly Write[]) => Promise<void>): Promise<void> {
    const { context, lock, place, file } = this.#parts
    // A server that names no account has logged in the one that was here, as the file goes on saying.
    const tokens = { ...given, accountId: given.accountId ?? this.#state.tokens?.accountId ?? null }
    // A refresh that is under way would put the old login's tokens back.
    const held = await context.locks.acquire(lock, { waitMs: installMs, isDone: async () => false })
    if (!held) throw new Refusal('try-later', `${this.record.name} is being refreshed`, 'try again in a minute')
    try {
      const writes = await place.install(tokens)
      this.#refreshing.reset()
      // What the watcher sees of a file that is written already is no news; the vault's rows count once they are durable.
      if (file) this.#state.install(tokens)
      await commit(writes)
      if (!file) this.#state.install(tokens)
    } finally {
      await place.release().catch(() => {})
      await held.release()
      this.#wake()
    }
  }

  stop(): void {
    this.#state.stop()
    this.#unwatch()
  }

  /** Resolves when no refresh is under way. */
  settled(): Promise<void> {
    return this.#refreshing.settled()
  }

  /** Reads the tokens from their place; never rejects. */
  async read(): Promise<void> {
    await this.#rereading.run()
    this.#wake()
  }

  #open(): void {
    const open = this.#loaded
    this.#loaded = null
    if (!open) return
    try {
      this.#state.adopt(open(), 'others')
      this.#wake()
    } catch (error) {
      this.#state.fail(error instanceof Unreadable ? error : new Unreadable('the sealed tokens cannot be opened'))
    }
  }

  #isDue(now: At): boolean {
    return this.#state.isDue(now) && this.#refreshing.saveAt === null
  }

  /** Nobody needs the tokens of a shared login that is not used, and its own tool refreshes them: let it. */
  #isWanted(): boolean {
    return this.#state.tokens !== null && (this.#used || this.#parts.file === null)
  }

  #use(): void {
    if (this.#used) return
    this.#used = true
    this.#wake()
  }

  #wake(): void {
    const at = this.nextAt()
    if (at < Number.POSITIVE_INFINITY) this.#parts.context.wake(at)
  }

  /** The live token, or why there is none. */
  #give(): Material {
    const { tokens } = this.#state
    if (tokens && isLive(tokens, this.#now())) return this.#material(tokens)
    throw this.#state.missing()
  }

  #material(tokens: TokenSet): Material {
    const held = { secret: tokens.accessToken, generation: this.generation }
    return materialOf(this.record, held, { kind: 'bearer-token', accountId: tokens.accountId })
  }

  #now(): At {
    return this.#parts.context.clock.now()
  }
}

/** Something that may pass: the login can serve meanwhile, or soon again. */
function passing(reason: Reason, message: string) {
  return { reason, message, broken: false }
}
