import { Readable } from 'node:stream'
import { guarded } from '../guarded.ts'
import type { IncomingRequest } from '../messages.ts'

/** A stream of a body: first the part that has come, then the rest as it comes, with backpressure towards the client. */
export class BodyStream extends Readable {
  readonly #request: IncomingRequest
  /** In their order, what has come and is not wanted yet. */
  readonly #here: Buffer[]
  readonly #onTaken: (bytes: number) => void
  #isWanted = false
  #hasEnded = false

  /** `onTaken` is told how many of the bytes that are here already are no longer. */
  constructor(request: IncomingRequest, here: Buffer[], onTaken: (bytes: number) => void) {
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
