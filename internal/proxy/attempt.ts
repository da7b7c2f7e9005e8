import type { Cancel, Clock } from '../clock/clock.ts'
import { type Dialect, type Injection, isUsageHeader, usageOf } from '../dialect/dialect.ts'
import type { Lease } from '../engine/engine.ts'
import type { At, Outcome, Usage } from '../pool/pool.ts'
import type { ClientResponse } from './client.ts'
import { type Failure, failureOf } from './failure.ts'
import { Forward } from './forward.ts'
import { headerIn, putHeader, responseHeaders } from './headers.ts'
import { mostHeld, Reading } from './reading.ts'
import { Scrubber } from './scrub.ts'
import { LateErrors } from './stream.ts'
import type { AnswerListener, Sending } from './upstream/port.ts'

/** Who an attempt tells what has come of it: first `decide` or `failed`, and after `pass` how that ended. */
export interface AttemptOwner {
  /** The answer is understood and held back: call `pass` or `discard`. */
  decide(attempt: Attempt, outcome: Outcome): void
  /** There is no answer, or none of what was to be passed on has reached the client. */
  failed(attempt: Attempt, failure: Failure): void
  /** An error event in a stream that is passed on. */
  late(attempt: Attempt, outcome: Outcome): void
  /** The answer has been passed on to its end. */
  finished(attempt: Attempt): void
  /** The upstream broke off in the middle of what was passed on; the client's connection is gone too. */
  severed(attempt: Attempt): void
}

/** What all attempts of a request share. */
export interface Surroundings {
  readonly owner: AttemptOwner
  readonly dialect: Dialect
  readonly response: ClientResponse
  readonly method: string
  readonly clock: Clock
  /** How long a client may leave bytes unread, in ms. */
  readonly idleMs: number
}

/** What to change in an answer that is passed on. */
export interface Presentation {
  /** Raw pairs to add. */
  readonly marks: readonly string[]
  /** A `Retry-After` in seconds in place of the upstream's own; null leaves that alone. */
  readonly retryAfterSeconds: number | null
}

/** How long an answer is held back, in ms, before it counts as begun. */
const longestHoldMs = 2_000

/** Before a request is handed over. */
const nowhere: Sending = { abort() {}, resume() {} }

/**
 * One round trip with one member: the upstream's connection on one side, its owner on the other. It holds an answer back
 * until it is understood; what happens then is the owner's decision.
 */
export class Attempt implements AnswerListener {
  readonly lease: Lease
  readonly #injection: Injection
  readonly #around: Surroundings
  /** When the request was handed over, and when the head of its answer was here: monotonic ms, or 0. */
  startedAt = 0
  headAt = 0
  #hasLeft = false
  #sending: Sending = nowhere
  #status = 0
  #headers: string[] = []
  #reading: Reading | null = null
  #parts: Buffer[] = []
  #bytes = 0
  #late: LateErrors | null = null
  #scrubber: Scrubber | null = null
  #forward: Forward | null = null
  #forgetDeadline: Cancel = () => {}
  #outcome: Outcome | null = null
  #complete = false
  #broken = false
  #over = false

  constructor(lease: Lease, injection: Injection, around: Surroundings) {
    this.lease = lease
    this.#injection = injection
    this.#around = around
  }

  /** The status of the answer; 0 before there is one. */
  get status(): number {
    return this.#status
  }

  /** Whether the answer that is held back can be shown: not when it broke off, or cannot be searched for our secret. */
  get presentable(): boolean {
    if (this.#broken) return false
    if (this.#outcome?.kind === 'success' || !this.#reading?.isRefusal) return true
    return !this.#reading.body(this.#held).unreadable
  }

  /** What the answer's headers say of the member's limits; empty when they say nothing. */
  usage(now: At): readonly Usage[] {
    const names: string[] = []
    for (let at = 0; at < this.#headers.length; at += 2) {
      const name = this.#headers[at] as string
      if (isUsageHeader(name)) names.push(name.toLowerCase())
    }
    return names.length === 0 ? [] : usageOf((name) => headerIn(this.#headers, name), names, now)
  }

  /** Gives the answer to the client, from the first byte that was held back. */
  pass({ marks, retryAfterSeconds }: Presentation): void {
    const headers = responseHeaders(this.#headers)
    // RFC 9110, 8.6; some servers say 0.
    if (this.#status === 204) putHeader(headers, 'content-length', null)
    if (retryAfterSeconds !== null) {
      putHeader(headers, 'retry-after', String(retryAfterSeconds))
      putHeader(headers, 'retry-after-ms', null)
    }
    if (this.#outcome?.kind !== 'success') this.#scrub(headers)
    else if (this.#reading?.isStream) this.#late = this.#lateErrors()
    for (const mark of marks) headers.push(mark)
    const { response, clock, idleMs } = this.#around
    const forward = new Forward(
      response,
      { status: this.#status, headers },
      { clock, idleMs, resume: () => this.#sending.resume(this) },
    )
    this.#forward = forward
    for (const chunk of this.#parts) this.#passOn(forward, chunk)
    this.#parts = []
    if (this.#complete) this.#finish(forward)
    else this.#sending.resume(this)
  }

  /** The answer is not wanted: unless it is complete, its connection is closed. */
  discard(): void {
    const running = !this.#over && !this.#complete
    this.#end()
    if (running) this.#sending.abort(this)
  }

  onSend(sending: Sending, hasLeft: boolean): void {
    this.#sending = sending
    this.#hasLeft = hasLeft
  }

  onHead(status: number, headers: string[]): void {
    const { method, dialect, clock } = this.#around
    this.headAt = clock.mono()
    this.#status = status
    this.#headers = headers
    const oauth = this.#injection.kind === 'bearer-token'
    const reading = new Reading({ method, status, headers, oauth }, dialect)
    this.#reading = reading
    this.#settle(reading.begin(clock.now()))
    if (reading.hasDeadline) this.#forgetDeadline = clock.after(longestHoldMs, () => this.#conclude())
  }

  onData(chunk: Buffer): boolean {
    if (this.#over) return true
    if (this.#forward) return this.#passOn(this.#forward, chunk)
    this.#parts.push(chunk)
    this.#bytes += chunk.length
    if (!this.#outcome && this.#reading) this.#settle(this.#reading.next(this.#held, this.#around.clock.now()))
    return this.#forward !== null || this.#over || this.#bytes < mostHeld
  }

  onComplete(): void {
    this.#complete = true
    if (this.#over) return
    if (this.#forward) this.#finish(this.#forward)
    else this.#conclude()
  }

  onError(error: Error): void {
    if (this.#over || this.#complete) return
    this.#broken = true
    if (this.#forward?.isOpened) {
      this.#forward.break()
      this.#end()
      this.#around.owner.severed(this)
    } else if (this.#forward || (this.#outcome === null && !this.#reading?.isRefusal)) {
      this.#end()
      this.#around.owner.failed(this, failureOf(error, this.#hasLeft))
    } else this.#conclude()
  }

  get #held() {
    return { parts: this.#parts, bytes: this.#bytes, complete: this.#complete }
  }

  /** Decides by what is here, unless it is decided already. */
  #conclude(): void {
    if (this.#outcome || this.#over || !this.#reading) return
    this.#settle(this.#reading.conclude(this.#held, this.#around.clock.now()))
  }

  #settle(outcome: Outcome | null): void {
    if (outcome === null) return
    this.#outcome = outcome
    this.#forgetDeadline()
    this.#around.owner.decide(this, outcome)
  }

  /** Takes our secret out of a refusal that repeats it: out of what is here at once, of the rest as it comes. */
  #scrub(headers: string[]): void {
    const scrubber = new Scrubber(this.#injection.secret)
    for (let at = 1; at < headers.length; at += 2) headers[at] = scrubber.text(headers[at] as string)
    if (!this.#reading?.isRefusal || !this.#complete) {
      this.#scrubber = scrubber
      return
    }
    const { bytes, decoded } = this.#reading.body(this.#held).clean(scrubber)
    this.#parts = [bytes]
    if (!decoded) return
    putHeader(headers, 'content-encoding', null)
    putHeader(headers, 'content-length', String(bytes.length))
  }

  #lateErrors(): LateErrors {
    const { dialect, clock } = this.#around
    return new LateErrors(dialect, () => clock.now())
  }

  #passOn(forward: Forward, chunk: Buffer): boolean {
    const late = this.#late?.read(chunk)
    if (late) this.#around.owner.late(this, late)
    if (this.#scrubber === null) return forward.write(chunk)
    const clean = this.#scrubber.chunk(chunk)
    return clean.length === 0 || forward.write(clean)
  }

  #finish(forward: Forward): void {
    const rest = this.#scrubber?.end()
    if (rest?.length) forward.write(rest)
    this.#over = true
    forward.end()
    this.#around.owner.finished(this)
  }

  #end(): void {
    this.#over = true
    this.#forgetDeadline()
    this.#forward?.abandon()
    this.#parts = []
  }
}
