import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'

/** What a StreamedBody calls while it is sent. */
export interface StreamedBodyListener {
  /** A part has gone out. */
  progressed(): void
  /** The whole has gone out. */
  sent(): void
  /** The body broke off, or was not as long as it said. */
  broke(error: Error): void
}

/** Sends a body as it comes, in a frame of its length or in chunks, no faster than the upstream takes it. */
export class StreamedBody {
  readonly #from: Readable
  readonly #to: Socket
  readonly #listener: StreamedBodyListener
  /** How much may still come; null: chunks. */
  #missing: number | null
  #isOver = false

  constructor(from: Readable, length: number | null, to: Socket, listener: StreamedBodyListener) {
    this.#from = from
    this.#to = to
    this.#listener = listener
    this.#missing = length
    to.on('drain', this.#onDrain)
    from.on('error', this.#onError).on('end', this.#onEnd).on('close', this.#onClose).on('data', this.#onData)
  }

  /** Sends no more; the body is its owner's to destroy. */
  stop(): void {
    this.#isOver = true
    this.#to.off('drain', this.#onDrain)
    this.#from.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onClose).pause()
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#isOver) return
    this.#listener.progressed()
    if (!this.#write(chunk)) this.#from.pause()
  }

  #write(chunk: Buffer): boolean {
    if (this.#missing === null) {
      this.#to.cork()
      this.#to.write(`${chunk.length.toString(16)}\r\n`, 'latin1')
      this.#to.write(chunk)
      const flows = this.#to.write('\r\n', 'latin1')
      this.#to.uncork()
      return flows
    }
    this.#missing -= chunk.length
    if (this.#missing >= 0) return this.#to.write(chunk)
    this.#breakOff(new Error('the body is longer than it said'))
    return true
  }

  readonly #onDrain = (): void => {
    this.#listener.progressed()
    this.#from.resume()
  }

  readonly #onEnd = (): void => {
    if (this.#isOver) return
    if (this.#missing !== null && this.#missing > 0) {
      this.#breakOff(new Error('the body is shorter than it said'))
      return
    }
    if (this.#missing === null) this.#to.write('0\r\n\r\n', 'latin1')
    this.stop()
    this.#listener.sent()
  }

  /** Stays to its end: a body that breaks off when nobody sends it any more is no error. */
  readonly #onError = (error: Error): void => {
    if (!this.#isOver) this.#breakOff(error)
  }

  readonly #onClose = (): void => {
    if (!this.#isOver) this.#breakOff(new Error('the body broke off'))
  }

  #breakOff(error: Error): void {
    this.stop()
    this.#listener.broke(error)
  }
}
