import type { Socket } from 'node:net'
import type { Cancel, Clock } from '../clock/clock.ts'
import { DirectRequest } from './direct-request.ts'
import { DirectResponse, type ResponseHost } from './direct-response.ts'
import type { Memory } from './held-body.ts'
import { httpDate } from './http-date.ts'
import { type Reads, readAsUsual, readInto } from './lent-socket.ts'
import { plainFrame } from './plain-frame.ts'
import { Quiet } from './quiet.ts'
import { ReadBuffers } from './read-buffers.ts'
import type { ParsedHead } from './request-parser.ts'
import { type ReaderOwner, RequestReader } from './request-reader.ts'

/** What connections that are read directly share. */
export interface DirectHost {
  readonly clock: Clock
  readonly maxHeaderSize: number
  /** A quiet connection without a request is closed after this time, in ms. */
  readonly keepAliveMs: number
  /** The body of a request has to be here after this time, in ms. */
  readonly requestMs: number
  /** A client that has not read for this time is closed, in ms. */
  readonly unreadMs: number
  accept(request: DirectRequest, response: DirectResponse): void
  /** Lets node:http serve the connection, with what has been read of it back in place. */
  handOver(socket: Socket): void
  /** The answer to a request whose body has not come in time. */
  late(): string
}

/** So many requests may wait behind the one that is being answered before no more are read. */
const mostWaiting = 16

/** How much of a body is gathered, in bytes, while its request waits behind another. */
const mostEarly = 65_536

/**
 * One connection of a client whose requests are plain: HTTP/1.1, a whole head at once, a body of known length. They are
 * parsed by node's own parser and answered without the streams of node:http, which cost more than everything else that
 * spillway does for a request. Whatever is not plain makes node:http take the connection over, as soon as the requests
 * before it are answered, so that there is one strict reading of every other frame and of every error.
 */
export class DirectConnection implements ResponseHost, ReaderOwner, Reads {
  readonly #socket: Socket
  /** Whether what is read is only lent. */
  readonly #isLent: boolean
  readonly #host: DirectHost
  readonly #reader: RequestReader
  readonly #connections: Set<DirectConnection>
  readonly persistence: string
  /** Requests whose heads are here, in their order; the first of them is being answered. */
  readonly #requests: DirectRequest[] = []
  /** The request that is being answered, or is the next to be. */
  #serving: DirectRequest | null = null
  readonly #buffers = new ReadBuffers()
  #isAnswered = false
  /** The last answer has been given: nothing that comes is a request any more. */
  #isLast = false
  #forgetDeadline: Cancel = () => {}
  readonly #quiet = new Quiet()
  /** How many bytes had left when that was last looked at. */
  #hasRead = 0

  /** Adds itself to `connections` for as long as it reads. */
  constructor(socket: Socket, host: DirectHost, connections: Set<DirectConnection>) {
    this.#reader = new RequestReader(host.maxHeaderSize, this)
    const lent = readInto(socket, this)
    this.#isLent = lent !== null
    this.#socket = lent ?? socket.on('data', (chunk) => this.#take(chunk, 'own'))
    this.#host = host
    this.#connections = connections
    this.persistence = `Connection: keep-alive\r\nKeep-Alive: timeout=${Math.floor(host.keepAliveMs / 1_000)}\r\n`
    connections.add(this)
    this.#socket.on('end', this.#onEnd).on('close', this.#onClose).on('error', ignore)
  }

  /** Whether no request is under way. */
  get isIdle(): boolean {
    return this.#requests.length === 0
  }

  date(): string {
    return httpDate(this.#host.clock.now())
  }

  answered(last: boolean): void {
    this.#isAnswered = true
    this.#quiet.end()
    if (last) this.#finish()
    else this.#next()
  }

  /** Ends when it has been idle for too long, or its client has not read for too long; `now` in monotonic ms. */
  check(now: number): void {
    const { bytesWritten, writableLength } = this.#socket
    const hasRead = bytesWritten - writableLength
    if (hasRead !== this.#hasRead || (writableLength === 0 && this.#isBusy)) this.#quiet.end()
    this.#hasRead = hasRead
    const most = writableLength > 0 ? this.#host.unreadMs : this.#host.keepAliveMs
    if (this.#quiet.lastsMs(now) >= most) this.#socket.destroy()
  }

  /** Whether an answer is still to be given. */
  get #isBusy(): boolean {
    return this.#requests.length > 0 && !(this.#isLast && this.#isAnswered)
  }

  /** Ends at once. */
  destroy(): void {
    this.#socket.destroy()
  }

  buffer(): Buffer {
    return this.#buffers.next(this.#reader.missing)
  }

  take(buffer: Buffer, length: number): void {
    try {
      this.#take(buffer.subarray(0, length), this.#buffers.memoryOf(buffer, length))
    } finally {
      // The next read overwrites what the bodies of these may still only have been lent.
      for (const { gathered } of this.#requests) gathered.keep()
    }
  }

  #take(chunk: Buffer, memory: Memory): void {
    // Read on, but only to notice when the client leaves.
    if (this.#isLast) return
    this.#reader.take(chunk, memory)
    const [first] = this.#requests
    if (first && !this.#serving) {
      this.#serving = first
      this.#admit(first)
    } else if (this.#reader.isForeign && this.isIdle) this.#handOver()
    if (this.#requests.length > mostWaiting || this.#isEarly) this.#socket.pause()
  }

  /** Whether more has come than is gathered for a request that has to wait for the one before it. */
  get #isEarly(): boolean {
    const { reading, behind } = this.#reader
    if (behind.length > mostEarly) return true
    return reading !== null && reading !== this.#serving && reading.gathered.length > mostEarly
  }

  begin(head: ParsedHead): DirectRequest | null {
    const frame = this.#isLast ? null : plainFrame(head)
    if (frame === null) return null
    const request = new DirectRequest(head, frame, this.#socket)
    this.#requests.push(request)
    return request
  }

  ended(request: DirectRequest): void {
    this.#forgetDeadline()
    request.end()
    // Whoever made the client wait for the rest of the body does so no longer.
    if (this.#requests.length <= mostWaiting && this.#socket.isPaused()) this.#socket.resume()
    if (this.#isAnswered && this.#requests[0] === request) this.#next()
  }

  /** Serves a request as soon as its client has read the answers before it, or they would pile up here. */
  #admit(request: DirectRequest): void {
    if (this.#socket.writableNeedDrain) this.#socket.once('drain', () => this.#admit(request))
    else if (!this.#socket.destroyed) this.#accept(request)
  }

  #accept(request: DirectRequest): void {
    const { clock, requestMs } = this.#host
    if (request === this.#reader.reading && this.#socket.isPaused()) this.#socket.resume()
    const response = new DirectResponse(request, this)
    if (!request.complete) this.#forgetDeadline = clock.after(requestMs, () => this.#onLate(response))
    request.handOn()
    this.#host.accept(request, response)
  }

  /** Goes on to the next request as soon as the present one is answered and has come completely. */
  #next(): void {
    if (this.#isLast || this.#requests[0] === this.#reader.reading) return
    this.#requests.shift()
    this.#isAnswered = false
    const [next] = this.#requests
    this.#serving = next ?? null
    if (next) process.nextTick(() => this.#admit(next))
    else if (this.#reader.isForeign) this.#handOver()
    else if (this.#socket.isPaused()) this.#socket.resume()
  }

  /** Gives the connection to node:http with the bytes that nothing was done about. */
  #handOver(): void {
    if (this.#socket.writableLength > 0) {
      // The socket has to be rid of earlier answers first: its successor would not know of them.
      this.#socket.pause()
      this.#socket.write('', () => this.#socket.destroyed || this.#handOver())
      return
    }
    this.#leave()
    this.#socket.removeAllListeners('data').off('end', this.#onEnd).off('close', this.#onClose).off('error', ignore)
    this.#socket.pause()
    const socket = this.#isLent ? readAsUsual(this.#socket) : this.#socket
    socket.unshift(this.#reader.behind)
    this.#host.handOver(socket)
    socket.resume()
  }

  #finish(): void {
    this.#isLast = true
    this.#socket.destroySoon()
  }

  #leave(): void {
    this.#forgetDeadline()
    this.#connections.delete(this)
    // Not at once: it may be the parser that is calling.
    setImmediate(() => this.#reader.close())
  }

  readonly #onEnd = (): void => {
    this.#socket.end()
  }

  readonly #onClose = (): void => {
    this.#leave()
    this.#reader.reading?.abort()
  }

  /** The body of a request has not come in time. */
  #onLate(response: DirectResponse): void {
    if (!response.headersSent) this.#socket.write(this.#host.late())
    this.#finish()
  }
}

/** A connection that breaks is noticed by its close. */
function ignore(): void {}
