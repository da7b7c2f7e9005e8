import type { LookupFunction } from 'node:net'
import { Readable } from 'node:stream'
import { type Dispatcher, Pool } from 'undici'
import { BadAnswer } from '../failure.ts'
import {
  type AnswerListener,
  codedOnItsWay,
  isCoded,
  maxHeaderSize,
  mostInformational,
  type Sending,
  type Transport,
  type TransportSettings,
  type UpstreamRequest,
} from './port.ts'

/** Connections to one origin through undici's own client, for a node that keeps its parser to itself. */
export class UndiciTransport implements Transport {
  readonly #pool: Pool

  constructor(origin: string, settings: TransportSettings, lookup: LookupFunction) {
    const { connectMs, headMs, idleMs, connections } = settings
    this.#pool = new Pool(origin, {
      connections,
      pipelining: 1,
      allowH2: false,
      headersTimeout: headMs,
      bodyTimeout: idleMs,
      maxHeaderSize,
      connect: { timeout: connectMs, lookup },
    })
  }

  send({ method, path, headers, body }: UpstreamRequest, listener: AnswerListener): void {
    const length = body.held ? body.bytes.length : body.length
    const sent = body.held ? (length === 0 ? null : Readable.from(body.bytes.parts, { objectMode: false })) : body.rest
    // It does not say when the kernel has the bytes: their memory is not used again.
    if (body.held) body.bytes.sending()
    const framed = sent === null || length === null ? headers : [...headers, 'content-length', String(length)]
    this.#pool.dispatch({ method, path, headers: [...framed], body: sent }, new Handler(listener))
  }

  close(): void {
    void this.#pool.close()
  }

  destroy(): void {
    void this.#pool.destroy()
  }
}

/** Nobody waits for this answer any more. */
class Unwanted extends Error {
  override readonly name = 'Unwanted'
}

/** undici's handler on one side, a listener on the other. */
class Handler implements Dispatcher.DispatchHandler, Sending {
  readonly #listener: AnswerListener
  #abort: ((error?: Error) => void) | null = null
  #resume: () => void = () => {}
  #informational = 0
  #isOver = false

  constructor(listener: AnswerListener) {
    this.#listener = listener
    listener.onSend(this, false)
  }

  abort(): void {
    this.#isOver = true
    this.#abort?.(new Unwanted())
  }

  resume(): void {
    this.#resume()
  }

  onConnect(abort: (error?: Error) => void): void {
    // Thrown, undici takes the request out of its queue and keeps the connection.
    if (this.#isOver) throw new Unwanted()
    this.#abort = abort
    this.#listener.onSend(this, true)
  }

  onHeaders(status: number, raw: Buffer[], resume: () => void): boolean {
    if (status < 200) {
      if (++this.#informational > mostInformational) throw new BadAnswer('too many informational answers')
      return true
    }
    this.#resume = resume
    const text = raw.map((part) => part.toString('latin1'))
    for (let at = 0; at < text.length; at += 2) {
      if (isCoded(text[at] as string, text[at + 1] as string)) throw new BadAnswer(codedOnItsWay)
    }
    this.#listener.onHead(status, text)
    return true
  }

  onData(chunk: Buffer): boolean {
    return this.#isOver || this.#listener.onData(chunk)
  }

  onComplete(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#listener.onComplete()
  }

  onError(error: Error): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#listener.onError(error)
  }
}
