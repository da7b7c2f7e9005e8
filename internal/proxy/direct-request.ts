import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import type { ClientRequest } from './client.ts'
import type { Frame } from './framing.ts'
import { HeldBody, type Memory } from './held-body.ts'
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
  readonly gathered: HeldBody
  complete = false
  /** Most requests are complete when they begin, and nobody has to be told anything. */
  #events: EventEmitter | null = null
  /** Who is told that something has been gathered; nobody gathers for null. */
  #told: (() => void) | null = () => {}
  #isHandedOn = false
  #ended = false

  constructor({ method, url, headers, keepAlive }: ParsedHead, frame: Frame, socket: Socket) {
    this.method = method
    this.url = url
    this.rawHeaders = headers
    this.keepAlive = keepAlive
    this.frame = frame
    this.socket = socket
    this.gathered = new HeldBody(frame.length)
  }

  /** From now on what comes is told to whoever listens, unless it is to be gathered. */
  handOn(): void {
    this.#isHandedOn = true
    this.#told = null
  }

  gather(told: (() => void) | null): void {
    this.#told = told
  }

  take(bytes: Buffer, memory: Memory): void {
    if (this.#told) {
      this.gathered.add(bytes, memory)
      this.#told()
    } else if (this.#events) this.#events.emit('data', memory === 'lent' ? Buffer.from(bytes) : bytes)
  }

  /** All of the body has come. */
  end(): void {
    this.complete = true
    if (this.#isHandedOn) this.#tellEnd()
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
    // Behind it only the next request comes, or the client's leaving.
    if (!this.complete) this.socket.pause()
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
