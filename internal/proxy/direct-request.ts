import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import type { ClientRequest } from './client.ts'
import type { Frame } from './framing.ts'
import type { ParsedHead } from './request-parser.ts'

/** A request whose head is here and whose body, of a known length, comes as plain events rather than through a stream. */
export class DirectRequest implements ClientRequest {
  readonly method: string
  readonly url: string
  readonly httpVersion = '1.1'
  readonly httpVersionMinor = 1
  readonly rawHeaders: readonly string[]
  readonly rawTrailers: readonly string[] = []
  readonly socket: Socket
  readonly frame: Frame
  /** Whether its connection may serve another request after it. */
  readonly keepAlive: boolean
  /** What came before the request was handed on. */
  readonly arrived: Buffer[] = []
  complete = false
  /** Most requests are complete when they begin, and nobody has to be told anything. */
  #events: EventEmitter | null = null
  #handedOn = false
  #ended = false

  constructor({ method, url, headers, keepAlive }: ParsedHead, frame: Frame, socket: Socket) {
    this.method = method
    this.url = url
    this.rawHeaders = headers
    this.keepAlive = keepAlive
    this.frame = frame
    this.socket = socket
  }

  /** From now on what comes is told to whoever listens. */
  handOn(): void {
    this.#handedOn = true
  }

  take(bytes: Buffer): void {
    if (this.#handedOn) this.#events?.emit('data', bytes)
    else this.arrived.push(bytes)
  }

  /** All of the body has come. */
  end(): void {
    this.complete = true
    if (this.#handedOn) this.#tellEnd()
  }

  /** The client has left; a request that is complete does not mind. */
  abort(): void {
    if (!this.complete && this.#events?.listenerCount('error'))
      this.#events.emit('error', new Error('the client has left'))
  }

  on(event: string, listener: Listener): this {
    this.#events ??= new EventEmitter()
    this.#events.on(event, listener)
    return this
  }

  once(event: string, listener: Listener): this {
    this.#events ??= new EventEmitter()
    this.#events.once(event, listener)
    return this
  }

  off(event: string, listener: Listener): this {
    this.#events?.off(event, listener)
    return this
  }

  pause(): this {
    this.socket.pause()
    return this
  }

  resume(): this {
    if (this.complete) process.nextTick(() => this.#tellEnd())
    else this.socket.resume()
    return this
  }

  #tellEnd(): void {
    if (this.#ended) return
    this.#ended = true
    this.#events?.emit('end')
  }
}

// biome-ignore lint/suspicious/noExplicitAny: what an event carries is its listener's affair.
type Listener = (...what: any[]) => void
