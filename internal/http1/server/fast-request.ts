import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { HeldBody, type Memory } from '../body/held-body.ts'
import { type Frame, type FramingFault, frameOf } from '../framing.ts'
import { guarded } from '../guarded.ts'
import { asksForWebSocket, headerIn, type RawHeaders } from '../headers.ts'
import type { Expectation, IncomingRequest } from '../messages.ts'
import type { ParsedHead } from './request-parser.ts'

const none: readonly string[] = []

/** A request whose head is here and whose body comes as plain events rather than through a stream. */
export class FastRequest implements IncomingRequest {
  readonly method: string
  readonly url: string
  readonly httpVersion: string
  readonly rawHeaders: readonly string[]
  rawTrailers = none
  readonly frame: Frame | FramingFault
  /** How long the body is; null where chunks delimit it, 0 also where nothing does. */
  readonly length: number | null
  readonly expectation: Expectation
  /** Whether the connection is to become a WebSocket. */
  readonly isUpgrade: boolean
  /** Whether its connection may serve another request after it. */
  readonly keepAlive: boolean
  readonly gathered: HeldBody
  complete = false
  #socket: Socket
  /** Most requests are complete when they begin, and nobody has to be told anything. */
  #events: EventEmitter | null = null
  /** Who is told that something has been gathered; nobody gathers for null. */
  #told: (() => void) | null = () => {}
  #isHandedOn = false
  #ended = false

  constructor({ method, url, version, headers, keepAlive, upgrade }: ParsedHead, socket: Socket) {
    this.method = method
    this.url = url
    this.httpVersion = version
    this.rawHeaders = headers
    const frame = frameOf(headers, version)
    this.frame = frame
    this.length = typeof frame === 'string' ? 0 : frame.length
    const options = optionsIn(headers)
    this.expectation = version === '1.0' ? 'none' : options.expectation
    // Any other protocol is ignored (RFC 9110, 7.8), the body of such a request is framed as ever.
    this.isUpgrade = upgrade && options.isWebSocket && typeof frame === 'object'
    this.keepAlive = keepAlive && method !== 'CONNECT' && !this.isUpgrade
    this.#socket = socket
    this.gathered = new HeldBody(this.length)
  }

  get socket(): Socket {
    return this.#socket
  }

  get httpVersionMinor(): number {
    return this.httpVersion === '1.0' ? 0 : 1
  }

  /** Whether chunks delimit the body. */
  get isChunked(): boolean {
    return this.length === null
  }

  /** The connection goes on with another socket around it. */
  moveTo(socket: Socket): void {
    this.#socket = socket
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
    if (!this.#isHandedOn) return
    this.#told?.()
    this.#tellEnd()
  }

  /** The client has left; a request that is complete does not mind. */
  abort(): void {
    if (!this.complete) this.#events?.emit('error', new Error('the client has left'))
  }

  on(event: string, listener: Listener): this {
    this.#events ??= guarded(new EventEmitter())
    this.#events.on(event, listener)
    return this
  }

  once(event: string, listener: Listener): this {
    this.#events ??= guarded(new EventEmitter())
    this.#events.once(event, listener)
    return this
  }

  off(event: string, listener: Listener): this {
    this.#events?.off(event, listener)
    return this
  }

  pause(): this {
    // Behind it only the next request comes, or the client's leaving.
    if (!this.complete) this.#socket.pause()
    return this
  }

  resume(): this {
    if (this.complete) process.nextTick(() => this.#tellEnd())
    else this.#socket.resume()
    return this
  }

  #tellEnd(): void {
    if (this.#ended) return
    this.#ended = true
    this.#events?.emit('end')
  }
}

/** What a head asks for beside an answer: a 100, or a WebSocket. */
interface RequestOptions {
  readonly expectation: Expectation
  readonly isWebSocket: boolean
}

const nothing: RequestOptions = { expectation: 'none', isWebSocket: false }

function optionsIn(headers: RawHeaders): RequestOptions {
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at] as string
    if (name.length !== 6 && name.length !== 7) continue
    const lower = name.toLowerCase()
    if (lower === 'expect' || lower === 'upgrade') {
      return { expectation: expectationIn(headers), isWebSocket: asksForWebSocket(headers) }
    }
  }
  return nothing
}

function expectationIn(headers: RawHeaders): Expectation {
  const expected = headerIn(headers, 'expect')
  if (expected === undefined) return 'none'
  return expected.trim().toLowerCase() === '100-continue' ? 'continue' : 'other'
}

// biome-ignore lint/suspicious/noExplicitAny: what an event carries is its listener's affair.
type Listener = (...what: any[]) => void
