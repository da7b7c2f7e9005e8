import { BodyStream, type Frame, HeldBody, type IncomingRequest, type RequestBody } from '../../http1/http1.ts'
import type { BodyBudget } from './body-budget.ts'

/** What a BodyReader calls, once, with its result. */
export interface BodyListener {
  bodyReady(body: RequestBody): void
  /** The body came with trailers (RFC 9110, 6.5): nothing that could be passed on. */
  bodyHasTrailers(): void
}

/**
 * Reads a request's body into memory if it is small enough and the budget allows, else hands it on as a stream with a
 * single attempt. The budget is asked for what is held, as it comes: what is only announced takes nothing from anybody.
 */
export class BodyReader {
  readonly #request: IncomingRequest
  readonly #receiver: BodyListener
  readonly #budget: BodyBudget
  readonly #most: number
  readonly #length: number | null
  #taken = 0
  #held: HeldBody
  /** What takes a body that is told as `data`. */
  #listeners: { data: (chunk: Buffer) => void; end: () => void } | null = null
  #done = false

  constructor(request: IncomingRequest, frame: Frame, limits: { budget: BodyBudget; most: number }, to: BodyListener) {
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
    const rest = new BodyStream(this.#request, [...this.#held.parts], (bytes) => this.#giveBack(bytes))
    this.#held = new HeldBody(0)
    this.#receiver.bodyReady({ held: false, rest, length: this.#length })
  }
}
