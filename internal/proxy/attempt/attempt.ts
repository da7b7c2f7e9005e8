import type { Clock } from '../../clock/clock.ts'
import type { Dialect, Injection } from '../../dialect/dialect.ts'
import type { Lease } from '../../engine/engine.ts'
import type { OutgoingResponse, ResponseListener, Sending } from '../../http1/http1.ts'
import type { At, Outcome, Usage } from '../../pool/pool.ts'
import { type Failure, failureOf } from '../upstream/failure.ts'
import { putHeader } from '../upstream/headers.ts'
import { AnswerCount } from './answer-count.ts'
import { Forward } from './forward.ts'
import { Hold, type HoldListener } from './hold.ts'
import { LateErrors } from './late-errors.ts'
import { type Presentation, presentedHeaders } from './presentation.ts'
import { usageIn } from './reading.ts'
import { Redactor } from './redact.ts'
import { Relay, type RelayListener } from './relay.ts'
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

/** Stands for the connection before a request is handed over. */
const notSent: Sending = { abort() {}, resume() {} }

/**
 * One round trip with one member. It holds the answer back until it is understood and tells its listener; the listener
 * then calls `pass` or `discard`.
 */
export class Attempt implements ResponseListener, HoldListener, UnpackingListener, RelayListener {
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
  #relay: Relay | null = null
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
    return usageIn(this.#headers, now)
  }

  /** Gives the answer to the client, from the first byte that was held back. */
  pass({ marks, retryAfterSeconds, counting }: Presentation): void {
    const hold = this.#hold
    if (!hold) return
    const headers = presentedHeaders(this.#headers, retryAfterSeconds)
    // RFC 9110, 8.6; some servers say 0.
    if (this.#status === 204) putHeader(headers, 'content-length', null)
    const isSuccess = hold.outcome?.kind === 'success'
    const redactor = isSuccess ? null : new Redactor(this.#injection.secret)
    redactor?.headers(headers)
    const cleaned = redactor && hold.clean(redactor, headers)
    for (const mark of marks) headers.push(mark)
    const { dialect, response, clock, idleMs } = this.#context
    const deps = { clock, idleMs, resume: () => this.#sending.resume(this) }
    const forward = new Forward(response, { status: this.#status, headers }, deps)
    const oauth = this.#injection.kind === 'bearer-token'
    const late = isSuccess && hold.isStream ? new LateErrors(dialect, () => clock.now(), oauth) : null
    const count = isSuccess && counting ? new AnswerCount(this.#headers, counting) : null
    const relay = new Relay(forward, this, { late, redactor: cleaned ? null : redactor, count })
    this.#relay = relay
    if (cleaned) relay.write(cleaned)
    else hold.release((chunk, plain) => this.#over || relay.pass(chunk, plain))
    if (this.#over) return
    if (this.#complete) this.#finish(relay)
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
    return this.#relay ? this.#relay.isBlocked : this.#hold?.isFull === true
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
    if (this.#relay) return this.#relay.pass(chunk, plain)
    this.#hold?.take(chunk, plain)
    return this.#relay !== null || this.#over || !this.#hold?.isFull
  }

  #completed(): void {
    this.#complete = true
    if (this.#over) return
    if (this.#relay) this.#finish(this.#relay)
    else this.#hold?.end(true)
  }

  #broke(error: Error): void {
    if (this.#over || this.#complete) return
    this.#broken = true
    const hold = this.#hold
    if (this.#relay?.isOpened) this.#sever(this.#relay)
    else if (this.#relay || !hold || (hold.outcome === null && !hold.isRefusal)) {
      this.#end()
      this.#context.listener.failed(this, failureOf(error, this.#hasLeft))
    } else hold.end(false)
  }

  late(outcome: Outcome): void {
    this.#context.listener.late(this, outcome)
  }

  failedLate(): void {
    this.#sending.abort(this)
    if (this.#relay) this.#sever(this.#relay)
  }

  #finish(relay: Relay): void {
    this.#over = true
    this.#unpacking?.stop()
    relay.end()
    this.#context.listener.finished(this)
  }

  #sever(relay: Relay): void {
    relay.break()
    this.#end()
    this.#context.listener.severed(this)
  }

  #end(): void {
    this.#over = true
    this.#unpacking?.stop()
    this.#relay?.abandon()
    this.#hold?.release(() => {})
  }
}
