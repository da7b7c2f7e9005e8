import type { Cancel, Clock } from '../../clock/clock.ts'
import type { Dialect } from '../../dialect/dialect.ts'
import type { Outcome } from '../../pool/pool.ts'
import { putHeader } from '../upstream/headers.ts'
import { type AnswerHead, maxHeld, Reading } from './reading.ts'
import type { Redactor } from './redact.ts'

/** How long all of a refusal may take to come, in ms, before it is judged by what is here of it. */
const longestRefusalMs = 2_000

/** Both sides measure from their own beginning: what comes just with the end of the time still counts. */
const tolerance = 1.01

/** What a Hold works with beside the answer. */
export interface HoldDeps {
  readonly dialect: Dialect
  readonly clock: Clock
  /** How long a stream may go without content, in ms, before it counts as begun. */
  readonly holdMs: number
}

/** What a Hold calls with the meaning of the answer. */
export interface HoldListener {
  /** Called once, as soon as it is. */
  understood(outcome: Outcome): void
}

/** Holds an answer back until the dialect says what it means, or its time or its room is used up. */
export class Hold {
  readonly #reading: Reading
  readonly #deps: HoldDeps
  readonly #listener: HoldListener
  #parts: Buffer[] = []
  /** What the parts unpack to, where they are packed. */
  #plain: (Buffer | null)[] | null = null
  #bytes = 0
  #isComplete = false
  #outcome: Outcome | null = null
  #forgetDeadline: Cancel = () => {}

  constructor(head: AnswerHead, deps: HoldDeps, listener: HoldListener) {
    this.#reading = new Reading(head, deps.dialect)
    this.#deps = deps
    this.#listener = listener
  }

  /** What the answer means; null as long as that is not known. */
  get outcome(): Outcome | null {
    return this.#outcome
  }

  get isComplete(): boolean {
    return this.#isComplete
  }

  get isStream(): boolean {
    return this.#reading.isStream
  }

  get isRefusal(): boolean {
    return this.#reading.isRefusal
  }

  /** The coding in which a stream is to be unpacked for its events; null where it is none, or plain. */
  get coding(): string | null {
    return this.#reading.streamCoding
  }

  /** Whether so much is held that nothing more may come for now. */
  get isFull(): boolean {
    return this.#bytes >= (this.#outcome === null ? this.#reading.maxHeld : maxHeld)
  }

  /** Whether it can be searched for our secret. */
  get isReadable(): boolean {
    return this.#outcome?.kind === 'success' || !this.isRefusal || !this.#reading.body(this.#held).unreadable
  }

  /** Looks at the head. */
  begin(): void {
    const { clock, holdMs } = this.#deps
    this.#settle(this.#reading.begin(clock.now()))
    if (!this.#reading.hasDeadline) return
    const longestMs = this.isStream ? holdMs * tolerance : longestRefusalMs
    this.#forgetDeadline = clock.after(longestMs, () => this.#conclude())
  }

  /** Takes the next chunk; `plain` is what it unpacks to, or null when it cannot be unpacked. */
  take(chunk: Buffer, plain: Buffer | null): void {
    this.#parts.push(chunk)
    this.#bytes += chunk.length
    if (plain !== chunk) this.#plain ??= []
    this.#plain?.push(plain)
    if (this.#outcome) return
    if (plain === null) this.#conclude()
    else this.#settle(this.#reading.next(plain, this.#held, this.#deps.clock.now()))
  }

  /** Nothing more comes; `isComplete` unless the upstream broke off. */
  end(isComplete: boolean): void {
    this.#isComplete = isComplete
    this.#conclude()
  }

  /** Gives what is held, chunk by chunk with what it unpacks to, and holds it no longer. */
  release(give: (chunk: Buffer, plain: Buffer | null) => void): void {
    const [parts, plain] = [this.#parts, this.#plain]
    this.#parts = []
    this.#plain = null
    this.#forgetDeadline()
    for (const [at, chunk] of parts.entries()) give(chunk, plain === null ? chunk : (plain[at] ?? null))
  }

  /** Takes our secret out of a refusal that is here as a whole: returns its body, with headers to match, and holds it no longer; null: the rest is to come. */
  clean(redactor: Redactor, headers: string[]): Buffer | null {
    if (!this.isRefusal || !this.#isComplete) return null
    const { bytes, decoded } = this.#reading.body(this.#held).clean(redactor)
    this.release(() => {})
    if (decoded) {
      putHeader(headers, 'content-encoding', null)
      putHeader(headers, 'content-length', String(bytes.length))
    }
    return bytes
  }

  get #held() {
    return { parts: this.#parts, bytes: this.#bytes, complete: this.#isComplete }
  }

  /** Decides by what is here, unless it is decided already. */
  #conclude(): void {
    if (this.#outcome === null) this.#settle(this.#reading.conclude(this.#held, this.#deps.clock.now()))
  }

  #settle(outcome: Outcome | null): void {
    if (outcome === null) return
    this.#outcome = outcome
    this.#forgetDeadline()
    this.#listener.understood(outcome)
  }
}
