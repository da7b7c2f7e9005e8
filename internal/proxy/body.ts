import { Readable } from 'node:stream'
import type { ClientRequest } from './client.ts'
import type { Frame } from './framing.ts'
import { HeldBody } from './held-body.ts'

/** A request's body as it goes upstream. */
export type RequestBody =
  /** Held completely, so that it can be sent again. */
  | { readonly held: true; readonly bytes: HeldBody }
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

/** Reads a request's body into memory if it is small enough and the budget allows, else hands it on as a stream with a single attempt. */
export class BodyReader {
  readonly #request: ClientRequest
  readonly #receiver: BodyReceiver
  readonly #budget: BodyBudget
  readonly #most: number
  readonly #length: number | null
  #taken = 0
  #held: HeldBody
  /** What takes a body that is told as `data`. */
  #listeners: { data: (chunk: Buffer) => void; end: () => void } | null = null
  #done = false

  constructor(request: ClientRequest, frame: Frame, limits: { budget: BodyBudget; most: number }, to: BodyReceiver) {
    this.#request = request
    this.#receiver = to
    this.#budget = limits.budget
    this.#most = limits.most
    this.#length = frame.length
    this.#held = request.gathered ?? new HeldBody(frame.length)
  }

  /** Begins to read; the receiver may be called before this returns. */
  start(): void {
    const { gathered } = this.#request
    const fits = this.#length === null || this.#reserve(this.#length)
    if (!fits) this.#stream()
    else if (this.#held.length === this.#length) this.#ready()
    else if (gathered) this.#request.gather?.(() => this.#onPiece())
    else this.#listen()
  }

  /** Gives the memory back to the budget: the body is not needed any more, nor what is still to come of it. */
  release(): void {
    this.#done = true
    this.#budget.give(this.#taken)
    this.#taken = 0
    this.#request.gather?.(null)
    this.#held.release()
  }

  #reserve(bytes: number): boolean {
    if (this.#taken + bytes > this.#most || !this.#budget.take(bytes)) return false
    this.#taken += bytes
    return true
  }

  #listen(): void {
    const listeners = { data: (chunk: Buffer) => this.#onData(chunk), end: () => this.#onEnd() }
    this.#listeners = listeners
    this.#request.on('data', listeners.data)
    if (this.#length === null) this.#request.on('end', listeners.end)
  }

  #onData(chunk: Buffer): void {
    if (this.#done) return
    this.#held.add(chunk)
    if (this.#length === null) {
      if (!this.#reserve(chunk.length)) this.#stream()
    } else if (this.#held.length === this.#length) this.#ready()
  }

  #onPiece(): void {
    if (!this.#done && this.#held.length === this.#length) this.#ready()
  }

  #onEnd(): void {
    if (this.#done) return
    if (this.#request.rawTrailers.length > 0) {
      this.#done = true
      this.#receiver.bodyHasTrailers()
    } else this.#ready()
  }

  #ready(): void {
    this.#done = true
    this.#receiver.bodyReady({ held: true, bytes: this.#held })
  }

  #stream(): void {
    this.#done = true
    if (this.#listeners) this.#request.off('data', this.#listeners.data).off('end', this.#listeners.end)
    const rest = new Rest(this.#request, [...this.#held.parts])
    this.#held = new HeldBody(0)
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
