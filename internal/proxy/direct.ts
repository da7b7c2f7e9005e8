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
import { type ParsedHead, RequestParser } from './request-parser.ts'

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
}

/** So many requests may wait behind the one that is being answered before no more are read. */
const mostWaiting = 16

/** How much of a body is gathered, in bytes, while its request waits behind another. */
const mostEarly = 65_536

/**
 * One connection of a client whose requests are plain: HTTP/1.1, a whole head at once, a body of known length. They are
 * parsed by node's own parser and answered without the streams of node:http, which cost more than everything else that
 * spillway does for a request. Whatever is not plain makes node:http take the connection over before anything was done
 * about it, so that there is one strict reading of every other frame and of every error.
 */
export class DirectConnection implements ResponseHost, Reads {
  readonly #socket: Socket
  /** Whether what is read is only lent. */
  readonly #isLent: boolean
  readonly #host: DirectHost
  readonly #parser: RequestParser
  readonly #connections: Set<DirectConnection>
  readonly persistence: string
  /** Requests whose heads are here, in their order; the first of them is being answered. */
  readonly #requests: DirectRequest[] = []
  /** The request whose body is being read. */
  #reading: DirectRequest | null = null
  /** How many bytes of its body have not come. */
  #missing = 0
  /** The request that is being answered, or is the next to be. */
  #serving: DirectRequest | null = null
  #inHead = false
  /** Whose the memory of what is being read is. */
  #memory: Memory = 'own'
  readonly #buffers = new ReadBuffers()
  /** Something has come behind the requests that are under way, or in place of one, that is not for us. */
  #isForeign = false
  #isAnswered = false
  /** The last answer has been given: nothing that comes is a request any more. */
  #isLast = false
  #forgetDeadline: Cancel = () => {}
  readonly #quiet = new Quiet()
  /** How many bytes had left when that was last looked at. */
  #hasRead = 0

  /** Adds itself to `connections` for as long as it reads. */
  constructor(socket: Socket, host: DirectHost, connections: Set<DirectConnection>) {
    const lent = readInto(socket, this)
    this.#isLent = lent !== null
    this.#socket = lent ?? socket.on('data', this.#onData)
    this.#host = host
    this.#connections = connections
    this.persistence = `Connection: keep-alive\r\nKeep-Alive: timeout=${Math.floor(host.keepAliveMs / 1_000)}\r\n`
    this.#parser = new RequestParser(host.maxHeaderSize, {
      requestHead: (head) => this.#head(head),
    })
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
    return this.#buffers.next(this.#missing)
  }

  take(buffer: Buffer, length: number): void {
    this.#memory = this.#buffers.memoryOf(buffer, length)
    this.#onData(buffer.subarray(0, length))
  }

  readonly #onData = (chunk: Buffer): void => {
    // Read on, but only to notice when the client leaves.
    if (this.#isForeign) return
    const isFresh = this.isIdle && !this.#isLast
    this.#take(chunk)
    if (isFresh && (this.#isForeign || this.#inHead)) {
      this.#handOver(chunk)
      return
    }
    // A head in parts behind another request: nobody sends that, so nobody misses its answer.
    if (this.#inHead) this.#isForeign = true
    const [first] = this.#requests
    if (first && !this.#serving) {
      this.#serving = first
      this.#admit(first)
    } else if (this.#isForeign && this.isIdle) this.#finish()
    if (this.#requests.length > mostWaiting || this.#isEarly) this.#socket.pause()
  }

  /** Whether more of a body has come than is gathered for a request that has to wait for the one before it. */
  get #isEarly(): boolean {
    return this.#reading !== null && this.#reading !== this.#serving && this.#reading.gathered.length > mostEarly
  }

  /**
   * A body is counted, not parsed: its length stands in the head, and the parser would make a copy of each piece. What
   * comes behind it is parsed anew, as a request.
   */
  #take(chunk: Buffer): void {
    let rest = chunk
    while (rest.length > 0) {
      if (this.#reading) rest = this.#takeBody(rest)
      else {
        const used = this.#parser.take(rest)
        if (used === -1) this.#isForeign = true
        // Blank lines before a request count as its head, too.
        this.#inHead = !this.#reading && !this.#isForeign
        if (!this.#reading) return
        rest = rest.subarray(used)
        if (this.#missing === 0) this.#bodyEnds()
      }
    }
  }

  /** Takes what belongs to the body that is being read, and returns what comes behind it. */
  #takeBody(bytes: Buffer): Buffer {
    const hasMore = bytes.length > this.#missing
    // A slab is given away as a whole or not at all.
    if (hasMore && this.#memory === 'slab') this.#memory = 'lent'
    const body = hasMore ? bytes.subarray(0, this.#missing) : bytes
    const behind = hasMore ? bytes.subarray(this.#missing) : nothing
    this.#missing -= body.length
    this.#reading?.take(body, this.#memory)
    if (this.#missing === 0) this.#bodyEnds()
    return behind
  }

  #head(head: ParsedHead): boolean {
    const frame = this.#isForeign || this.#isLast ? null : plainFrame(head)
    if (frame) {
      this.#reading = new DirectRequest(head, frame, this.#socket)
      this.#missing = frame.length ?? 0
      this.#requests.push(this.#reading)
    } else this.#isForeign = true
    return frame !== null
  }

  #bodyEnds(): void {
    const request = this.#reading
    if (!request) return
    this.#reading = null
    this.#parser.restart()
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
    if (request === this.#reading && this.#socket.isPaused()) this.#socket.resume()
    const response = new DirectResponse(request, this)
    if (!request.complete) this.#forgetDeadline = clock.after(requestMs, () => this.#onLate(response))
    request.handOn()
    this.#host.accept(request, response)
  }

  /** Goes on to the next request as soon as the present one is answered and has come completely. */
  #next(): void {
    if (this.#isLast || this.#requests[0] === this.#reading) return
    this.#requests.shift()
    this.#isAnswered = false
    const [next] = this.#requests
    this.#serving = next ?? null
    if (next) process.nextTick(() => this.#admit(next))
    else if (this.#isForeign) this.#finish()
    if (!next && this.#socket.isPaused()) this.#socket.resume()
  }

  /** Gives the connection to node:http with the bytes of a request that nothing was done about. */
  #handOver(chunk: Buffer): void {
    if (this.#socket.writableLength > 0) {
      // The socket has to be rid of earlier answers first: its successor would not know of them.
      const kept = Buffer.from(chunk)
      this.#isForeign = true
      this.#socket.pause()
      this.#socket.write('', () => this.#socket.destroyed || this.#handOver(kept))
      return
    }
    this.#leave()
    this.#socket.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onClose).off('error', ignore)
    this.#socket.pause()
    const socket = this.#isLent ? readAsUsual(this.#socket) : this.#socket
    socket.unshift(Buffer.from(chunk))
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
    setImmediate(() => this.#parser.close())
  }

  readonly #onEnd = (): void => {
    this.#socket.end()
  }

  readonly #onClose = (): void => {
    this.#leave()
    this.#reading?.abort()
  }

  /** The body of a request has not come in time. */
  #onLate(response: DirectResponse): void {
    if (!response.headersSent) this.#socket.write(requestTimeout)
    this.#finish()
  }
}

const nothing = Buffer.alloc(0)

const requestTimeout = 'HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n'

/** A connection that breaks is noticed by its close. */
function ignore(): void {}
