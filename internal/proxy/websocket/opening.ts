import type { Cancel, Clock } from '../../clock/clock.ts'
import type { EventMeaning } from '../../dialect/dialect.ts'
import type { Outcome } from '../../pool/pool.ts'
import { mostLifecycle } from '../attempt/stream.ts'
import { type Found, payloadOf } from './frames.ts'
import type { Fate } from './verdict.ts'

/** Who says what the first words of a server mean. */
export interface OpeningJudge {
  /** What a message of the server means. */
  meaning(message: string): EventMeaning
  /** Something went on that is no refusal, or nothing was said for a while; may be told again. */
  accepted(): void
  /** The server refused before anything went on: nothing goes on until `decide` is called. */
  refused(outcome: Outcome, decide: (fate: Fate) => void): void
}

/** What becomes of the first words. */
export interface OpeningFate {
  /** They go on; what came after the decisive one is to be looked at still. */
  pass(chunks: readonly Buffer[], unseen: readonly Found[]): void
  /** They are hidden, and the client is sent elsewhere. */
  turnAway(): void
  /** The server may go on after a refusal was decided. */
  decided(): void
}

/** When it is held back, and for how long: as for streams over HTTP. */
export interface OpeningTerms {
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
  readonly #fate: OpeningFate
  readonly #terms: OpeningTerms
  #held: Buffer[] = []
  #bytes = 0
  #forgetHold: Cancel | null = null
  #forgetSilence: Cancel = () => {}
  /** Neither side has spoken, nor has it been open for long: whoever closes now is the first to say anything. */
  #isMute = true
  /** Whether that was the server. */
  isClosedMute = false
  /** Whether it is being decided what becomes of a refusal. */
  isUndecided = false
  /** Whether the first words have gone on, or been dropped. */
  isOver = false

  constructor(judge: OpeningJudge, fate: OpeningFate, terms: OpeningTerms) {
    this.#judge = judge
    this.#fate = fate
    this.#terms = terms
  }

  /** The client has its 101. */
  begin(): void {
    this.#forgetSilence = this.#terms.clock.after(longestSilenceMs, () => this.#settle())
  }

  /** The client speaks: a Close of the server's may be its answer. */
  clientSpoke(): void {
    this.#isMute = false
  }

  /** Bytes of the server with what they complete; `whole`: no frame is cut in two by their end. */
  take(chunk: Buffer, found: readonly Found[], whole: boolean): void {
    if (whole && this.#held.length === 0 && found.every(({ kind }) => kind === 'control')) {
      // Pings say nothing, and have to be answered in time: they neither end the hold nor wait for it.
      this.#fate.pass([chunk], [])
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
    if (this.#bytes >= mostLifecycle) this.#accept([])
    else this.#forgetHold ??= this.#terms.clock.after(this.#terms.holdMs, () => this.#accept([]))
  }

  /** Lets what is held go on, whatever it means. */
  flush(unseen: readonly Found[] = []): void {
    const held = this.#held
    this.drop()
    this.#fate.pass(held, unseen)
  }

  /** Forgets what is held. */
  drop(): void {
    this.isOver = true
    this.#held = []
    this.#forgetHold?.()
    this.#forgetSilence()
  }

  #meaning(found: Found): EventMeaning {
    if (found.kind === 'text') return this.#judge.meaning(payloadOf(found).toString())
    return found.kind === 'control' ? 'lifecycle' : 'content'
  }

  #conclude(meaning: 'close' | 'content' | Outcome, unseen: readonly Found[]): void {
    if (meaning === 'close') {
      this.isClosedMute = this.#isMute
      this.flush()
    } else if (meaning === 'content' || meaning.kind === 'success') this.#accept(unseen)
    else this.#refuse(meaning, unseen)
  }

  #settle(): void {
    this.#isMute = false
    this.#judge.accepted()
  }

  #accept(unseen: readonly Found[]): void {
    this.#settle()
    this.flush(unseen)
  }

  #refuse(outcome: Outcome, unseen: readonly Found[]): void {
    this.#isMute = false
    this.isUndecided = true
    this.#forgetHold?.()
    this.#judge.refused(outcome, (fate) => {
      this.isUndecided = false
      if (this.isOver) return
      if (fate === 'hide') this.#fate.turnAway()
      else this.flush(unseen)
      this.#fate.decided()
    })
  }
}
