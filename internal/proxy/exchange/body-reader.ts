import { Readable } from 'node:stream'
import type { ClientRequest } from './client.ts'
import type { Frame } from './framing.ts'
import { guarded } from './guarded.ts'
import { HeldBody } from './held-body.ts'

/** A request's body as it goes upstream. */
export type RequestBody =
  /** Held completely, so that it can be sent again. */
  | { readonly held: true; readonly bytes: HeldBody }
  /** On its way: it can be sent once, and nobody can look into it. */
  | { readonly held: false; readonly rest: Readable; readonly length: number | null }

/**
 * Bytes that all held bodies together may take. Once a quarter is in use, no body gets more than a quarter of what is left:
 * so a few long ones cannot take the replay of all the short ones away.
 */
export class BodyBudget {
  #used = 0
  total: number

  constructor(total: number) {
    this.total = total
  }

  get used(): number {
    return this.#used
  }

  /** Reserves `bytes` more for a body that has `taken` some, and is `size` long in the end as far as is known; false when they are not there. */
  take(bytes: number, taken = 0, size = 0): boolean {
    const others = this.#used - taken
    const left = this.total - others
    const most = others < this.total / 4 ? left : left / 4
    if (Math.max(size, taken + bytes) > most) return false
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
 * single attempt. The budget is asked for what is held, as it comes: what is only announced takes nothing from anybody.
 */
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
    const { gathered, complete } = this.#request
    const fits = (this.#length ?? 0) <= this.#most && this.#reserve()
    if (!fits) this.#stream()
    else if (gathered && complete) this.#end()
    else if (gathered) this.#request.gather?.(() => this.#onPiece())
    else if (this.#length === 0) this.#ready()
    else this.#listen()
  }

  /** Gives the memory back to the budget: the body is not needed any more, nor what is still to come of it. */
  release(): void {
    this.#done = true
    this.#giveBack(this.#taken)
    this.#request.gather?.(null)
    this.#held.release()
  }

  /** Takes what is held from the budget, as far as that has not been done; false when it is too much. */
  #reserve(): boolean {
    if (this.#held.length > this.#most) return false
    const more = this.#held.memory - this.#taken
    if (more <= 0) return true
    if (!this.#budget.take(more, this.#taken, this.#length ?? 0)) return false
    this.#taken += more
    return true
  }

  #giveBack(bytes: number): void {
    const given = Math.min(bytes, this.#taken)
    this.#taken -= given
    this.#budget.give(given)
  }

  #listen(): void {
    const listeners = {
      data: (chunk: Buffer) => {
        if (this.#done) return
        this.#held.add(chunk)
        if (!this.#reserve()) this.#stream()
      },
      end: () => this.#done || this.#end(),
    }
    this.#listeners = listeners
    this.#request.on('data', listeners.data).on('end', listeners.end)
  }

  #onPiece(): void {
    if (this.#done) return
    if (!this.#reserve()) this.#stream()
    else if (this.#request.complete) this.#end()
  }

  #end(): void {
    if (this.#request.rawTrailers.length === 0) this.#ready()
    else {
      this.#done = true
      this.#receiver.bodyHasTrailers()
    }
  }

  #ready(): void {
    this.#done = true
    this.#receiver.bodyReady({ held: true, bytes: this.#held })
  }

  #stream(): void {
    this.#done = true
    this.#request.gather?.(null)
    if (this.#listeners) this.#request.off('data', this.#listeners.data).off('end', this.#listeners.end)
    const rest = new Rest(this.#request, [...this.#held.parts], (bytes) => this.#giveBack(bytes))
    this.#held = new HeldBody(0)
    this.#receiver.bodyReady({ held: false, rest, length: this.#length })
  }
}

/** What of a body is here already, followed by what is still to come, with backpressure towards the client. */
class Rest extends Readable {
  readonly #request: ClientRequest
  /** In their order, what has come and is not wanted yet. */
  readonly #here: Buffer[]
  readonly #onTaken: (bytes: number) => void
  #isWanted = false
  #hasEnded = false

  /** `onTaken` is told how many of the bytes that are here already are no longer. */
  constructor(request: ClientRequest, here: Buffer[], onTaken: (bytes: number) => void) {
    super({ highWaterMark: 65_536 })
    this.#request = request
    this.#here = here
    this.#onTaken = onTaken
    guarded(this)
    request.on('data', this.#onData).on('end', this.#onEnd).on('error', this.#onError).pause()
  }

  override _read(): void {
    this.#isWanted = true
    while (this.#isWanted && this.#here.length > 0) {
      const part = this.#here.shift() as Buffer
      this.#onTaken(part.length)
      this.#isWanted = this.push(part)
    }
    if (!this.#isWanted) return
    if (this.#hasEnded) this.push(null)
    else this.#request.resume()
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#request.off('data', this.#onData).off('end', this.#onEnd).off('error', this.#onError)
    this.#request.on('error', ignore).pause()
    callback(error)
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#isWanted) this.#isWanted = this.push(chunk)
    else this.#here.push(chunk)
    if (!this.#isWanted) this.#request.pause()
  }

  readonly #onEnd = (): void => {
    this.#hasEnded = true
    if (this.#here.length === 0) this.push(null)
  }

  readonly #onError = (error: Error): void => {
    this.destroy(error)
  }
}

/** A request that breaks off when nobody reads it any more is no error of ours. */
function ignore(): void {}
