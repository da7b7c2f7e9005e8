import type { Clock } from '../../clock/clock.ts'
import { type Dialect, type Injection, isUsageHeader, usageOf } from '../../dialect/dialect.ts'
import type { Lease } from '../../engine/engine.ts'
import { headerIn, type OutgoingResponse, type ResponseListener, type Sending } from '../../http1/http1.ts'
import type { At, Outcome, Usage } from '../../pool/pool.ts'
import { type Failure, failureOf } from '../upstream/failure.ts'
import { putHeader, responseHeaders } from '../upstream/headers.ts'
import { Forward } from './forward.ts'
import { Hold, type HoldListener } from './hold.ts'
import { LateErrors } from './late-errors.ts'
import { Redactor } from './redact.ts'
import { Unpacking, type UnpackingListener } from './unpacking.ts'

/** What an attempt calls: first `decide` or `failed`, and after `pass` either `finished` or `severed`. */
export interface AttemptListener {
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
export interface AttemptContext {
  readonly listener: AttemptListener
  readonly dialect: Dialect
  readonly response: OutgoingResponse
  readonly method: string
  readonly clock: Clock
  /** How long a client may leave bytes unread, in ms. */
  readonly idleMs: number
  /** How long a stream may go without content, in ms, before it counts as begun. */
  readonly holdMs: number
}

/** What to change in an answer that is passed on. */
export interface Presentation {
  /** Raw pairs to add. */
  readonly marks: readonly string[]
  /** A `Retry-After` in seconds in place of the upstream's own; null leaves that alone. */
  readonly retryAfterSeconds: number | null
}

/** Stands for the connection before a request is handed over. */
const notSent: Sending = { abort() {}, resume() {} }

/**
 * One round trip with one member. It holds the answer back until it is understood and tells its listener; the listener
 * then calls `pass` or `discard`.
 */
export class Attempt implements ResponseListener, HoldListener, UnpackingListener {
  readonly lease: Lease
  readonly #injection: Injection
  readonly #context: AttemptContext
  /** When the request was handed over, and when the head of its answer was here: monotonic ms, or 0. */
  startedAt = 0
  headAt = 0
  #hasLeft = false
  #sending: Sending = notSent
  #status = 0
  #headers: string[] = []
  #hold: Hold | null = null
  /** Reads a packed stream on the side. */
  #unpacking: Unpacking | null = null
  #late: LateErrors | null = null
  #redactor: Redactor | null = null
  #forward: Forward | null = null
  #complete = false
  #broken = false
  #over = false

  constructor(lease: Lease, injection: Injection, context: AttemptContext) {
    this.lease = lease
    this.#injection = injection
    this.#context = context
  }

  /** The status of the answer; 0 before there is one. */
  get status(): number {
    return this.#status
  }

  /** Whether the answer that is held back can be shown: not when it broke off, or cannot be searched for our secret. */
  get presentable(): boolean {
    return !this.#broken && (this.#hold?.isReadable ?? true)
  }

  /** Whether the answer is a stream, which may fail late. */
  get isStream(): boolean {
    return this.#hold?.isStream === true
  }

  /** Whether all of it is here, and refuses. */
  get isWholeRefusal(): boolean {
    return this.#complete && !this.#over && this.#hold?.isRefusal === true && this.presentable
  }

  /** The answer's raw headers. */
  get headers(): readonly string[] {
    return this.#headers
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
    const hold = this.#hold
    if (!hold) return
    const headers = responseHeaders(this.#headers)
    // RFC 9110, 8.6; some servers say 0.
    if (this.#status === 204) putHeader(headers, 'content-length', null)
    if (retryAfterSeconds !== null) {
      putHeader(headers, 'retry-after', String(retryAfterSeconds))
      putHeader(headers, 'retry-after-ms', null)
    }
    let cleaned: Buffer | null = null
    if (hold.outcome?.kind !== 'success') cleaned = this.#scrub(hold, headers)
    else if (hold.isStream) this.#late = this.#lateErrors()
    for (const mark of marks) headers.push(mark)
    const { response, clock, idleMs } = this.#context
    const resume = () => this.#sending.resume(this)
    const forward = new Forward(response, { status: this.#status, headers }, { clock, idleMs, resume })
    this.#forward = forward
    if (cleaned) this.#write(forward, cleaned)
    else hold.release((chunk, plain) => this.#over || this.#passOn(forward, chunk, plain))
    if (this.#over) return
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
    const { method, clock } = this.#context
    this.headAt = clock.mono()
    this.#status = status
    this.#headers = headers
    const oauth = this.#injection.kind === 'bearer-token'
    const hold = new Hold({ method, status, headers, oauth }, this.#context, this)
    this.#hold = hold
    if (hold.coding !== null) this.#unpacking = new Unpacking(hold.coding, this)
    hold.begin()
  }

  onData(chunk: Buffer): boolean {
    if (this.#over) return true
    return this.#unpacking ? this.#unpacking.push(chunk) && !this.#waits : this.#take(chunk, chunk)
  }

  understood(outcome: Outcome): void {
    this.#context.listener.decide(this, outcome)
  }

  unpacked(chunk: Buffer, plain: Buffer | null): void {
    if (!this.#over) this.#take(chunk, plain)
  }

  caughtUp(): void {
    if (!this.#over && !this.#waits) this.#sending.resume(this)
  }

  /** Whether nothing more may come for now: for the client, or because it is not understood yet. */
  get #waits(): boolean {
    return this.#forward ? this.#forward.isBlocked : this.#hold?.isFull === true
  }

  onComplete(): void {
    if (this.#unpacking) this.#unpacking.end(() => this.#completed())
    else this.#completed()
  }

  onError(error: Error): void {
    if (this.#unpacking) this.#unpacking.end(() => this.#broke(error))
    else this.#broke(error)
  }

  /** Takes a chunk with what it unpacks to; false when the upstream is to wait. */
  #take(chunk: Buffer, plain: Buffer | null): boolean {
    if (this.#forward) return this.#passOn(this.#forward, chunk, plain)
    this.#hold?.take(chunk, plain)
    return this.#forward !== null || this.#over || !this.#hold?.isFull
  }

  #completed(): void {
    this.#complete = true
    if (this.#over) return
    if (this.#forward) this.#finish(this.#forward)
    else this.#hold?.end(true)
  }

  #broke(error: Error): void {
    if (this.#over || this.#complete) return
    this.#broken = true
    const hold = this.#hold
    if (this.#forward?.isOpened) this.#sever(this.#forward)
    else if (this.#forward || !hold || (hold.outcome === null && !hold.isRefusal)) {
      this.#end()
      this.#context.listener.failed(this, failureOf(error, this.#hasLeft))
    } else hold.end(false)
  }

  /** Takes our secret out of a refusal that repeats it: out of what is here at once, which is returned, of the rest as it comes. */
  #scrub(hold: Hold, headers: string[]): Buffer | null {
    const redactor = new Redactor(this.#injection.secret)
    for (let at = 1; at < headers.length; at += 2) headers[at] = redactor.text(headers[at] as string)
    if (!hold.isRefusal || !this.#complete) {
      this.#redactor = redactor
      return null
    }
    const { bytes, decoded } = hold.clean(redactor)
    hold.release(() => {})
    if (decoded) {
      putHeader(headers, 'content-encoding', null)
      putHeader(headers, 'content-length', String(bytes.length))
    }
    return bytes
  }

  #lateErrors(): LateErrors {
    const { dialect, clock } = this.#context
    return new LateErrors(dialect, () => clock.now(), this.#injection.kind === 'bearer-token')
  }

  #passOn(forward: Forward, chunk: Buffer, plain: Buffer | null): boolean {
    const late = plain === null ? null : (this.#late?.read(plain) ?? null)
    if (late === null) return this.#write(forward, chunk)
    this.#context.listener.late(this, late.outcome)
    if (late.outcome.kind === 'request-fault') return this.#write(forward, chunk)
    // Of a packed chunk no part can be told from the error.
    if (plain === chunk && late.at > 0) this.#write(forward, chunk.subarray(0, late.at))
    this.#sending.abort(this)
    this.#sever(forward)
    return true
  }

  #write(forward: Forward, chunk: Buffer): boolean {
    if (this.#redactor === null) return forward.write(chunk)
    const clean = this.#redactor.chunk(chunk)
    return clean.length === 0 || forward.write(clean)
  }

  #finish(forward: Forward): void {
    const rest = this.#redactor?.end()
    if (rest?.length) forward.write(rest)
    this.#over = true
    this.#unpacking?.stop()
    forward.end()
    this.#context.listener.finished(this)
  }

  /** The client hears of it by a reset: a clean end would make the part look like the whole, and an error event makes agents give up. */
  #sever(forward: Forward): void {
    forward.break()
    this.#end()
    this.#context.listener.severed(this)
  }

  #end(): void {
    this.#over = true
    this.#unpacking?.stop()
    this.#forward?.abandon()
    this.#hold?.release(() => {})
  }
}
