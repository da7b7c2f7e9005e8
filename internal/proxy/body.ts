import { Readable } from 'node:stream'
import type { ClientRequest } from './client.ts'
import type { Frame } from './framing.ts'

/** A request's body as it goes upstream. */
export type RequestBody =
  /** Held completely, so that it can be sent again; null when there is none. */
  | { readonly held: true; readonly bytes: Buffer | null }
  /** On its way: it can be sent once, and nobody can look into it. */
  | { readonly held: false; readonly rest: Readable; readonly length: number | null }

/** Bytes that all held bodies together may take. */
export class BodyBudget {
  #used = 0
  total: number

  constructor(total: number) {
    this.total = total
  }

  get used(): number {
    return this.#used
  }

  /** Reserves `bytes`; false when they are not there. */
  take(bytes: number): boolean {
    if (this.#used + bytes > this.total) return false
    this.#used += bytes
    return true
  }

  give(bytes: number): void {
    this.#used -= bytes
  }
}

/** Who waits for a body. */
export interface BodyReceiver {
  bodyReady(body: RequestBody): void
  /** The body came with trailers (RFC 9110, 6.5): nothing that could be passed on. */
  bodyHasTrailers(): void
}

/**
 * Reads a request's body into memory if it is small enough and the budget allows, else hands it on as a stream with a
 * single attempt. A body of known length costs one allocation, and none when it comes in one piece, as most do.
 */
export class BodyReader {
  readonly #request: ClientRequest
  readonly #receiver: BodyReceiver
  readonly #budget: BodyBudget
  readonly #most: number
  readonly #length: number | null
  #taken = 0
  #filled = 0
  #whole: Buffer | null = null
  #parts: Buffer[] = []
  #done = false

  constructor(request: ClientRequest, frame: Frame, limits: { budget: BodyBudget; most: number }, to: BodyReceiver) {
    this.#request = request
    this.#receiver = to
    this.#budget = limits.budget
    this.#most = limits.most
    this.#length = frame.length
  }

  /** Begins to read; the receiver may be called before this returns. */
  start(): void {
    if (this.#length === 0) this.#ready(null)
    else if (this.#length !== null && !this.#reserve(this.#length)) this.#stream()
    else this.#listen()
  }

  /** Gives the memory back to the budget: the body is not needed any more. Calling it twice does nothing. */
  release(): void {
    this.#budget.give(this.#taken)
    this.#taken = 0
    this.#whole = null
    this.#parts = []
  }

  #listen(): void {
    for (const chunk of this.#request.arrived ?? []) this.#onData(chunk)
    if (this.#done) return
    this.#request.on('data', this.#onData)
    if (this.#length === null) this.#request.on('end', this.#onEnd)
  }

  #reserve(bytes: number): boolean {
    if (this.#taken + bytes > this.#most || !this.#budget.take(bytes)) return false
    this.#taken += bytes
    return true
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#done) return
    if (this.#length === null) this.#gather(chunk)
    else this.#fill(chunk, this.#length)
  }

  #fill(chunk: Buffer, length: number): void {
    if (chunk.length === length) {
      this.#ready(chunk)
      return
    }
    this.#whole ??= Buffer.allocUnsafe(length)
    chunk.copy(this.#whole, this.#filled)
    this.#filled += chunk.length
    if (this.#filled === length) this.#ready(this.#whole)
  }

  #gather(chunk: Buffer): void {
    this.#parts.push(chunk)
    if (!this.#reserve(chunk.length)) this.#stream()
  }

  readonly #onEnd = (): void => {
    if (this.#done) return
    if (this.#request.rawTrailers.length > 0) {
      this.#done = true
      this.#receiver.bodyHasTrailers()
    } else this.#ready(this.#parts.length === 1 ? (this.#parts[0] ?? null) : Buffer.concat(this.#parts))
  }

  #ready(bytes: Buffer | null): void {
    this.#done = true
    this.#parts = []
    this.#receiver.bodyReady({ held: true, bytes: bytes === null || bytes.length === 0 ? null : bytes })
  }

  #stream(): void {
    this.#done = true
    this.#request.off('data', this.#onData).off('end', this.#onEnd)
    const rest = new Rest(this.#request, [...(this.#request.arrived ?? []), ...this.#parts])
    this.#parts = []
    this.#receiver.bodyReady({ held: false, rest, length: this.#length })
  }
}

/** What of a body is here already, followed by what is still to come, with backpressure towards the client. */
class Rest extends Readable {
  readonly #request: ClientRequest
  readonly #here: Buffer[]
  #listening = false

  constructor(request: ClientRequest, here: Buffer[]) {
    super({ highWaterMark: 65_536 })
    this.#request = request
    this.#here = here
    request.pause()
  }

  override _read(): void {
    for (let part = this.#here.shift(); part; part = this.#here.shift()) {
      if (!this.push(part)) return
    }
    if (!this.#listening) this.#listen()
    this.#request.resume()
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#request.off('data', this.#onData).off('end', this.#onEnd).off('error', this.#onError)
    this.#request.on('error', ignore).pause()
    callback(error)
  }

  #listen(): void {
    this.#listening = true
    this.#request.on('data', this.#onData).on('end', this.#onEnd).on('error', this.#onError)
  }

  readonly #onData = (chunk: Buffer): void => {
    if (!this.push(chunk)) this.#request.pause()
  }

  readonly #onEnd = (): void => {
    this.push(null)
  }

  readonly #onError = (error: Error): void => {
    this.destroy(error)
  }
}

/** A request that breaks off when nobody reads it any more is no error of ours. */
function ignore(): void {}
