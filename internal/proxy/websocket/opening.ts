import type { Cancel, Clock } from '../../clock/clock.ts'
import { type EventMeaning, tellsOfLimits } from '../../dialect/dialect.ts'
import type { Outcome } from '../../pool/pool.ts'
import { maxLifecycle } from '../attempt/stream.ts'
import { type Found, payloadOf } from './frames.ts'
import type { RefusalDisplay } from './verdict.ts'

/** What an Opening asks about the server's messages, and tells about them. */
export interface OpeningJudge {
  /** What a message of the server means. */
  meaning(message: string): EventMeaning
  /** A message of the server tells of limits. */
  limits(message: string): void
  /** Something went on that is no refusal, or nothing was said for a while; may be told again. */
  accepted(): void
  /** The server refused before anything went on: nothing goes on until `decide` is called. */
  refused(outcome: Outcome, decide: (display: RefusalDisplay) => void): void
}

/** What an Opening calls when it is decided what happens to the messages that it holds. */
export interface OpeningListener {
  /** The held bytes go on to the client; `unseen` are the messages behind the decisive one, which are still to be inspected. */
  pass(chunks: readonly Buffer[], unseen: readonly Found[]): void
  /** The held bytes are dropped, and the client is to be closed so that it comes again. */
  turnAway(): void
  /** The server may go on after a refusal was decided. */
  decided(): void
}

/** What an Opening works with. */
export interface OpeningDeps {
  readonly clock: Clock
  /** In ms. */
  readonly holdMs: number
}

/**
 * A server that has said nothing for so long after its 101, in ms, is taken to serve: it has accepted the key, it may be
 * waiting for a person to type, and while a member is being tested others wait for it.
 */
const longestSilenceMs = 2_000

/**
 * Holds messages of a server back until one of them is neither an error nor a mere lifecycle event: its first ones, and
 * later those from an error on.
 */
export class Opening {
  readonly #judge: OpeningJudge
  readonly #listener: OpeningListener
  readonly #deps: OpeningDeps
  #held: Buffer[] = []
  #bytes = 0
  #forgetHold: Cancel | null = null
  #forgetSilence: Cancel = () => {}
  /** Whether neither side has sent a message and the 101 is younger than `longestSilenceMs`. */
  #isSilent = true
  /** Whether the server closed before any message of either side. */
  closedBeforeAnyMessage = false
  /** Whether it is being decided what becomes of a refusal. */
  isUndecided = false
  /** Whether the first words have gone on, or been dropped. */
  isOver = false

  constructor(judge: OpeningJudge, listener: OpeningListener, deps: OpeningDeps) {
    this.#judge = judge
    this.#listener = listener
    this.#deps = deps
  }

  /** The client has its 101. */
  begin(): void {
    this.#forgetSilence = this.#deps.clock.after(longestSilenceMs, () => this.#settle())
  }

  /** The client speaks: a Close of the server's may be its answer. */
  clientSpoke(): void {
    this.#isSilent = false
  }

  /** Bytes of the server with what they complete; `whole`: no frame is cut in two by their end. */
  take(chunk: Buffer, found: readonly Found[], whole: boolean): void {
    if (whole && this.#held.length === 0 && found.every(({ kind }) => kind === 'control')) {
      // Pings say nothing, and have to be answered in time: they neither end the hold nor wait for it.
      this.#listener.pass([chunk], [])
      return
    }
    this.#held.push(chunk)
    this.#bytes += chunk.length
    this.#forgetSilence()
    for (const [at, one] of found.entries()) {
      const meaning = one.kind === 'close' ? 'close' : this.#meaning(one)
      if (meaning === 'lifecycle') continue
      this.#conclude(meaning, found.slice(at + 1))
      return
    }
    if (this.#bytes >= maxLifecycle) this.#accept([])
    else this.#forgetHold ??= this.#deps.clock.after(this.#deps.holdMs, () => this.#accept([]))
  }

  /** Lets what is held go on, whatever it means. */
  flush(unseen: readonly Found[] = []): void {
    const held = this.#held
    this.drop()
    this.#listener.pass(held, unseen)
  }

  /** Forgets what is held. */
  drop(): void {
    this.isOver = true
    this.#held = []
    this.#forgetHold?.()
    this.#forgetSilence()
  }

  #meaning(found: Found): EventMeaning {
    if (found.kind !== 'text') return found.kind === 'control' ? 'lifecycle' : 'content'
    const message = payloadOf(found).toString()
    if (tellsOfLimits(message)) this.#judge.limits(message)
    return this.#judge.meaning(message)
  }

  #conclude(meaning: 'close' | 'content' | Outcome, unseen: readonly Found[]): void {
    if (meaning === 'close') {
      this.closedBeforeAnyMessage = this.#isSilent
      this.flush()
    } else if (meaning === 'content' || meaning.kind === 'success') this.#accept(unseen)
    else this.#refuse(meaning, unseen)
  }

  #settle(): void {
    this.#isSilent = false
    this.#judge.accepted()
  }

  #accept(unseen: readonly Found[]): void {
    this.#settle()
    this.flush(unseen)
  }

  #refuse(outcome: Outcome, unseen: readonly Found[]): void {
    this.#isSilent = false
    this.isUndecided = true
    this.#forgetHold?.()
    this.#judge.refused(outcome, (display) => {
      this.isUndecided = false
      if (this.isOver) return
      if (display === 'hide') this.#listener.turnAway()
      else this.flush(unseen)
      this.#listener.decided()
    })
  }
}
