import type { Cancel } from '../clock/clock.ts'
import { type At, type Reason, Refusal } from '../pool/pool.ts'
import { type CredentialRecord, StaleGeneration, type Write } from '../store/store.ts'
import { type Holder, materialOf, Unreadable } from './holder.ts'
import type { LockTarget } from './locks.ts'
import { type Material, NoMaterial, type Renewal } from './material.ts'
import { type Kept, refreshDigest, type TokenPlace } from './place.ts'
import { isLive, type Refreshed, type RefreshParts, refreshOnce } from './refresh.ts'
import type { Surroundings } from './surroundings.ts'
import { sameTokens, type TokenSet } from './tokens.ts'

/** A token is refreshed so long before its end (Claude Code's own tool calls it expired then), and spread over as long. */
const earlyMs = 300_000
/** How long a request waits for a token before another member is the better choice. */
const patienceMs = 10_000
const lockMs = 9_000
/** A refresh that holds the lock is over by then. */
const installMs = 60_000
const saveAgainMs = 5_000
/** Presented without an answer so often, and with nothing left to serve with, a login needs a person's eyes. */
const lostTooOften = 2

/** What a login is made of. */
export interface LoginParts {
  readonly record: CredentialRecord
  readonly place: TokenPlace
  readonly lock: LockTarget
  readonly around: Surroundings
  readonly endpoint: RefreshParts['endpoint']
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

/** The tokens of one login: always one refresh at a time, and never for the sake of one request only. */
export class LoginHolder implements Holder {
  readonly record: CredentialRecord
  generation: number
  readonly #parts: LoginParts
  #loaded: (() => TokenSet) | null
  #tokens: TokenSet | null = null
  #failure: Unreadable | null = null
  #dead: { readonly reason: Reason; readonly digest: string | null } | null = null
  #dueAt: At = 0
  #later: { readonly at: At; readonly why: string } | null = null
  #running: { readonly startedAt: At; readonly done: Promise<void> } | null = null
  #reading: Promise<void> | null = null
  #unsaved: { readonly kept: Kept; readonly at: At } | null = null
  #used = false
  #stopped = false
  #forced: readonly At[] = []
  readonly #unwatch: () => void

  constructor(parts: LoginParts) {
    this.record = parts.record
    this.generation = parts.first - 1
    this.#parts = parts
    this.#loaded = parts.loaded
    this.#unwatch = parts.file?.watch(() => void this.read()) ?? (() => {})
  }

  material(): Material | Promise<Material> {
    this.#open()
    if (!this.#used) {
      this.#used = true
      this.#wake()
    }
    const now = this.#now()
    const tokens = this.#tokens
    if (tokens && isLive(tokens, now)) {
      if (this.#isDue(now)) void this.#refresh()
      return this.#material(tokens)
    }
    if (tokens) return this.#renewed(now)
    if (this.#failure) throw this.#failure
    return this.read().then(() => {
      if (this.#tokens) return this.material()
      throw this.#failure ?? new Unreadable('the tokens could not be read')
    })
  }

  async renew(generation: number): Promise<Renewal> {
    this.#open()
    if (this.generation <= generation) await this.read()
    if (this.generation > generation) return 'renewed'
    if (this.#dead) return 'needs-login'
    if (!this.#tokens || this.#isWaiting(this.#now())) return 'unavailable'
    if (!this.#running && !this.#mayForce()) return 'unavailable'
    await this.#patiently(this.#refresh())
    if (this.generation > generation) return 'renewed'
    return this.#dead ? 'needs-login' : 'unavailable'
  }

  /** The material, refreshed first when it is due; a live token is given out if that takes too long or fails. */
  async current(): Promise<Material & { readonly expiresAt: At | null }> {
    await this.material()
    const now = this.#now()
    if (this.#isDue(now) && !this.#isWaiting(now)) await this.#patiently(this.#refresh())
    return { ...(await this.material()), expiresAt: this.#tokens?.expiresAt ?? null }
  }

  /** Does what is due: a refresh ahead of the end, or writing what could not be written. */
  tick(): void {
    const now = this.#now()
    if (this.#unsaved && this.#unsaved.at <= now) void this.#saveAgain(this.#unsaved.kept)
    if (this.#isWanted() && this.#isDue(now)) void this.#refresh()
  }

  /** When `tick` has something to do; infinity: not before something else happens. */
  nextAt(): At {
    if (this.#stopped || this.#running) return Number.POSITIVE_INFINITY
    const refreshAt =
      this.#dead || !this.#isWanted() ? Number.POSITIVE_INFINITY : Math.max(this.#dueAt, this.#later?.at ?? 0)
    return this.#unsaved ? this.#unsaved.at : refreshAt
  }

  /** Nobody needs the tokens of a shared login that is not used, and its own tool refreshes them: let it. */
  #isWanted(): boolean {
    return this.#tokens !== null && (this.#used || this.#parts.file === null)
  }

  problem() {
    this.#open()
    if (this.#failure) return { reason: 'unreadable' as const, message: this.#failure.message }
    if (this.#dead) return { reason: this.#dead.reason, message: 'the login has lapsed' }
    if (this.#unsaved)
      return { reason: 'unreadable' as const, message: 'the refreshed tokens could not be written yet' }
    if (this.#later) return { reason: 'auth-expired' as const, message: `the refresh failed: ${this.#later.why}` }
    const warning = this.#parts.place.warning
    return warning === null ? null : { reason: 'unreadable' as const, message: warning }
  }

  /** Forgets that the login was refused, so that it is tried once more. */
  async retry(): Promise<void> {
    this.#dead = null
    this.#later = null
    this.#forced = []
    const { ledger } = this.#parts.around
    const { row } = await ledger.read(this.record.id)
    if (row) await ledger.write({ ...row, refused: null, failures: 0, nextAttemptAt: 0 }, row.generation, [])
  }

  /** Puts the tokens of a new login in the place of the old; see `LiveCredentials.install`. */
  async install(tokens: TokenSet, commit: (writes: readonly Write[]) => Promise<void>): Promise<void> {
    const { around, lock, place } = this.#parts
    // A refresh that is under way would put the old login's tokens back.
    const held = await around.locks.acquire(lock, { waitMs: installMs, isDone: async () => false })
    if (!held) throw new Refusal('try-later', `${this.record.name} is being refreshed`, 'try again in a minute')
    try {
      const writes = await place.install(tokens)
      this.#unsaved = null
      // What the watcher sees of a file that is written already is no news; the vault's rows count once they are durable.
      if (this.#parts.file) this.#adoptQuietly(tokens)
      await commit(writes)
      if (!this.#parts.file) this.#adoptQuietly(tokens)
    } finally {
      await place.release().catch(() => {})
      await held.release()
    }
  }

  stop(): void {
    this.#stopped = true
    this.#unwatch()
  }

  /** Reads the tokens from their place, one reading at a time; never rejects. */
  read(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = null
    })
    return this.#reading
  }

  async #read(): Promise<void> {
    try {
      const isFirst = this.#tokens === null && this.#failure === null
      const tokens = await this.#parts.place.read()
      if (isFirst) await this.#recall(tokens)
      // What lies there is older than what could not be written yet.
      if (this.#unsaved && sameTokens(tokens, this.#unsaved.kept.before)) return
      this.#adopt(tokens, 'others')
    } catch (error) {
      this.#parts.file?.unseen()
      // A place that fails says nothing about the tokens that were read before.
      if (!this.#tokens)
        this.#fail(error instanceof Unreadable ? error : new Unreadable('the tokens could not be read'))
    }
  }

  /** What was known of these tokens before a restart: a refused one stays refused, and a change meanwhile revives. */
  async #recall(tokens: TokenSet): Promise<void> {
    const { ledger } = this.#parts.around
    const row = await ledger
      .read(this.record.id)
      .then((state) => state.row)
      .catch(() => null)
    const refused = row?.refused ?? null
    if (refused === null) return
    if (refused.digest === refreshDigest(tokens)) this.#die({ ...refused }, this.#standing())
    else this.#parts.around.replaced(this.record, 'others')
  }

  #open(): void {
    const open = this.#loaded
    this.#loaded = null
    if (!open) return
    try {
      this.#adopt(open(), 'others')
    } catch (error) {
      this.#fail(error instanceof Unreadable ? error : new Unreadable('the sealed tokens cannot be opened'))
    }
  }

  #renewed(now: At): Promise<Material> {
    const { record } = this
    if (this.#dead) throw new NoMaterial(this.#dead.reason, `the login of ${record.name} has lapsed`)
    const later = this.#later
    if (later && this.#isWaiting(now)) throw new NoMaterial('auth-expired', later.why, later.at)
    if (this.#running && now - this.#running.startedAt > patienceMs)
      throw new NoMaterial('auth-expired', `the token of ${record.name} is still being refreshed`, now + 2_000)
    return this.#patiently(this.#refresh()).then(() => {
      const tokens = this.#tokens
      if (tokens && isLive(tokens, this.#now())) return this.#material(tokens)
      if (this.#dead) throw new NoMaterial(this.#dead.reason, `the login of ${record.name} has lapsed`)
      throw new NoMaterial(
        'auth-expired',
        `the token of ${record.name} could not be refreshed`,
        this.#later?.at ?? null,
      )
    })
  }

  #refresh(): Promise<void> {
    this.#running ??= {
      startedAt: this.#now(),
      done: this.#refreshLocked().finally(() => {
        this.#running = null
        this.#wake()
      }),
    }
    return this.#running.done
  }

  async #refreshLocked(): Promise<void> {
    const { around, lock, place } = this.#parts
    const stale = this.#tokens
    const standing = this.#standing()
    try {
      const isDone = async () => {
        await this.read()
        return this.#tokens !== stale
      }
      const held = await around.locks.acquire(lock, { waitMs: lockMs, isDone })
      if (!held) {
        if (this.#tokens === stale) this.#postpone(2_000, 'another process is refreshing')
        return
      }
      try {
        const { record, endpoint, file } = this.#parts
        const parts = { ...around, record, place, endpoint, shared: file !== null }
        this.#conclude(await refreshOnce(parts, stale), standing)
      } finally {
        await held.release()
      }
    } catch (error) {
      this.#postpone(
        error instanceof Unreadable ? 2_000 : 15_000,
        error instanceof Error ? error.message : 'the refresh failed',
      )
    }
  }

  #conclude(result: Refreshed, standing: { generation: number } | undefined): void {
    this.#parts.around.refreshed(this.record, result.kind)
    switch (result.kind) {
      case 'adopted':
        this.#adopt(result.tokens, 'others')
        break
      case 'granted':
        if (result.unsaved) this.#unsaved = { kept: result.unsaved, at: this.#now() + saveAgainMs }
        this.#adopt(result.tokens, 'us')
        break
      case 'dead':
        this.#die(result, standing)
        break
      case 'later': {
        this.#later = { at: result.at, why: result.why }
        const isOver = !this.#tokens || !isLive(this.#tokens, this.#now())
        if (isOver && result.lost >= lostTooOften) this.#parts.around.lapsed(this.record, standing, 'refresh-uncertain')
      }
    }
  }

  #adoptQuietly(tokens: TokenSet): void {
    this.#tokens = tokens
    this.#failure = null
    this.#dead = null
    this.#later = null
    this.generation++
    this.#dueAt = this.#due(tokens, false)
    this.#wake()
  }

  #adopt(tokens: TokenSet, by: 'us' | 'others'): void {
    const before = this.#tokens
    this.#failure = null
    // The object stays while the tokens do: whoever waits for others compares it.
    if (before && sameTokens(before, tokens)) return
    this.#tokens = tokens
    this.generation++
    this.#dueAt = this.#due(tokens, before === null && by === 'others')
    this.#wake()
    if (this.#dead && this.#dead.digest === refreshDigest(tokens)) return
    this.#dead = null
    this.#later = null
    const isOther = before !== null && before.accountId !== tokens.accountId
    if (before && !this.#stopped) this.#parts.around.replaced(this.record, isOther ? 'another' : by)
  }

  /** Ahead of the end by 5 to 10 minutes, or by a good part of the life of tokens that somebody has just been given. */
  #due(tokens: TokenSet, isOld: boolean): At {
    if (tokens.expiresAt === null || tokens.refreshToken === null) return Number.POSITIVE_INFINITY
    const left = tokens.expiresAt - this.#now()
    const early = isOld ? earlyMs : Math.min(earlyMs, left / 4)
    return tokens.expiresAt - early - Math.min(earlyMs, left / 4) * this.#parts.around.random()
  }

  #die(dead: { reason: Reason; digest: string | null }, standing: { generation: number } | undefined): void {
    this.#dead = { reason: dead.reason, digest: dead.digest }
    if (!this.#stopped) this.#parts.around.lapsed(this.record, standing, dead.reason)
  }

  #fail(failure: Unreadable): void {
    const isFirst = this.#failure === null
    this.#failure = failure
    if (isFirst && !this.#stopped) this.#parts.around.lapsed(this.record, this.#standing(), 'unreadable')
  }

  async #saveAgain(kept: Kept): Promise<void> {
    this.#unsaved = { kept, at: Number.POSITIVE_INFINITY }
    try {
      const outcome = await this.#parts.place.keep(kept)
      this.#unsaved = null
      if (outcome.kind === 'theirs') this.#adopt(outcome.tokens, 'others')
    } catch (error) {
      const isStale = error instanceof StaleGeneration
      this.#unsaved = isStale ? null : { kept, at: this.#now() + saveAgainMs }
      if (isStale) await this.read()
    }
    this.#wake()
  }

  /** Upstreams that refuse fresh tokens too must not make us turn the tokens over for ever. */
  #mayForce(): boolean {
    const { most, withinMs } = this.#parts.around.forced
    const now = this.#now()
    this.#forced = this.#forced.filter((at) => at > now - withinMs)
    if (this.#forced.length >= most) return false
    this.#forced = [...this.#forced, now]
    return true
  }

  #wake(): void {
    const at = this.nextAt()
    if (at < Number.POSITIVE_INFINITY) this.#parts.around.wake(at)
  }

  #isDue(now: At): boolean {
    return now >= this.#dueAt && !this.#dead && !this.#isWaiting(now) && !this.#unsaved && !this.#stopped
  }

  #isWaiting(now: At): boolean {
    return this.#later !== null && this.#later.at > now
  }

  #postpone(ms: number, why: string): void {
    this.#later = { at: this.#now() + ms, why }
  }

  async #patiently(done: Promise<void>): Promise<void> {
    let cancel: Cancel = () => {}
    const late = new Promise<void>((resolve) => {
      cancel = this.#parts.around.clock.after(patienceMs, resolve)
    })
    await Promise.race([done, late])
    cancel()
  }

  #material(tokens: TokenSet): Material {
    const held = { secret: tokens.accessToken, generation: this.generation }
    return materialOf(this.record, held, { kind: 'bearer-token', accountId: tokens.accountId })
  }

  #standing(): { generation: number } | undefined {
    return this.#parts.around.standing(this.record)
  }

  #now(): At {
    return this.#parts.around.clock.now()
  }
}
