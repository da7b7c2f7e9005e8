import type { Socket } from 'node:net'
import { BodyTimeout, HeadTimeout } from '../errors.ts'
import { IdleTime } from '../idle.ts'
import { readEarlyResponse } from './early-response.ts'
import { RequestWriter, type RequestWriterListener } from './request-writer.ts'
import { type ResponseHead, ResponseParser } from './response-parser.ts'
import type { OutgoingRequest, ResponseListener, Sending } from './transport.ts'

/** What a Connection needs of its pool; durations in ms. */
export interface ConnectionHost {
  readonly headMs: number
  readonly idleMs: number
  /** How often deadlines are looked at. */
  readonly checkMs: number
  /** An answer has ended; the connection may take another request once it has settled. */
  settles(connection: Connection): void
  /** The connection is closed, or will take no other request. */
  leaves(connection: Connection): void
}

/** How long a quiet connection is kept where the server does not say, and how much earlier than it says, in ms: as undici does. */
const keptMs = 4_000
const earlierMs = 2_000
const longestKeptMs = 600_000

/**
 * One connection to an upstream, for one request at a time (no pipelining: RFC 9112, 9.3.2, forbids to repeat a POST
 * that was behind another). Its deadlines are looked at from outside, now and then, so that a request arms no timer.
 */
export class Connection implements Sending, RequestWriterListener {
  readonly #socket: Socket
  readonly #host: ConnectionHost
  readonly #parser = new ResponseParser()
  /** Who waits for the present answer; null: the connection is idle, or over. */
  #listener: ResponseListener | null = null
  readonly #writer: RequestWriter
  /** How much of a body of known length has not come; null: the parser knows. */
  #missing: number | null = null
  #hasHead = false
  #keptMs = keptMs
  readonly #quiet = new IdleTime()
  #isOver = false

  /** Of a socket that is connected. */
  constructor(socket: Socket, host: ConnectionHost) {
    this.#socket = socket
    this.#host = host
    this.#writer = new RequestWriter(socket, this)
    readEarlyResponse(socket)
    socket.on('end', this.#onEnd).on('error', this.#onError).on('close', this.#onClose)
  }

  /** Sends a request, whose head is `text`; only when it rests. */
  send({ method, body }: OutgoingRequest, text: string, listener: ResponseListener): void {
    this.#listener = listener
    this.#quiet.end()
    this.#hasHead = false
    this.#missing = null
    this.#parser.expect(method === 'HEAD')
    listener.onSend(this, true)
    if (this.#listener !== listener) return
    try {
      this.#writer.write(text, body)
    } catch (error) {
      this.#fail(error as Error)
    }
  }

  abort(listener: ResponseListener): void {
    if (this.#listener !== listener) return
    this.#listener = null
    this.#end()
  }

  resume(listener: ResponseListener): void {
    if (this.#listener === listener) this.#socket.resume()
  }

  /** Looks at the deadlines; `now` in monotonic ms. */
  check(now: number): void {
    // The client is the one who is waited for, to read or to send: that has a deadline of its own.
    if (this.#socket.isPaused() || this.#writer.waitsForClient) this.#quiet.end()
    const quietMs = this.#quiet.lastsMs(now)
    if (!this.#listener) {
      // It must not be found too old by its next request.
      if (quietMs + this.#host.checkMs >= this.#keptMs) this.#end()
    } else if (this.#hasHead) {
      if (quietMs >= this.#host.idleMs) this.#fail(new BodyTimeout())
    } else if (quietMs >= this.#host.headMs) this.#fail(new HeadTimeout())
  }

  /** Closes it: at once, whatever is under way. */
  destroy(): void {
    if (this.#listener) this.#fail(new Error('the proxy ends'))
    else this.#end()
  }

  /**
   * Rests or ends, a while after the last answer: by then it has been noticed when the server has closed it, and node has
   * told (later than the answer, over TLS) that the whole request has left. Returns whether it can take a request.
   */
  settle(): boolean {
    if (!this.#isOver && this.#writer.settle()) return true
    this.#end()
    return false
  }

  /** Whether nothing is under way. */
  get isIdle(): boolean {
    return this.#listener === null
  }

  progressed(): void {
    this.#quiet.end()
  }

  broke(error: Error): void {
    this.#fail(error)
  }

  /** Takes what has come; `chunk` is only lent. */
  read(chunk: Buffer): void {
    try {
      this.#take(chunk)
    } catch (error) {
      this.#fail(error as Error)
    }
  }

  #take(chunk: Buffer): void {
    // A head has to come within its time, however many pieces it comes in.
    if (this.#hasHead) this.#quiet.end()
    const listener = this.#listener
    // Nobody asked: whatever this is, the next answer must not be taken for it.
    if (!listener) this.#end()
    else if (this.#missing !== null) this.#takeCounted(chunk, this.#missing, listener)
    else this.#takeParsed(chunk, listener)
  }

  /** A body of known length goes on as it came. */
  #takeCounted(chunk: Buffer, missing: number, listener: ResponseListener): void {
    const hasSurplus = chunk.length > missing
    const length = hasSurplus ? missing : chunk.length
    this.#missing = missing - length
    if (length > 0 && !listener.onData(Buffer.from(chunk.subarray(0, length)))) this.#pause()
    if (this.#missing === 0 && this.#listener === listener) this.#complete(hasSurplus)
  }

  #takeParsed(chunk: Buffer, listener: ResponseListener): void {
    const parser = this.#parser
    const { informational } = parser
    const used = parser.take(chunk)
    if (parser.informational > informational) this.#quiet.end()
    const { head } = parser
    if (head && !this.#hasHead) {
      this.#begin(head, listener)
      if (this.#listener !== listener) return
      if (head.length !== null) {
        this.#takeCounted(chunk.subarray(used), head.length, listener)
        return
      }
    }
    this.#goOn(listener)
  }

  #begin({ status, headers, keepAliveSeconds }: ResponseHead, listener: ResponseListener): void {
    this.#hasHead = true
    // An answer may take long: until its end the body would be kept.
    this.#writer.settle()
    if (keepAliveSeconds !== null) this.#keptMs = Math.min(keepAliveSeconds * 1_000 - earlierMs, longestKeptMs)
    listener.onHead(status, headers)
  }

  /** Tells what the parser has found of a body. */
  #goOn(listener: ResponseListener): void {
    const parser = this.#parser
    const { pieces } = parser
    if (pieces.length > 0) {
      parser.pieces = []
      const body = pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces)
      if (!listener.onData(body)) this.#pause()
      if (this.#listener !== listener) return
    }
    if (parser.isComplete) this.#complete(parser.hasSurplus)
    else if (parser.fault) this.#fail(parser.fault)
  }

  #pause(): void {
    if (this.#listener) this.#socket.pause()
  }

  #complete(hasSurplus: boolean): void {
    const listener = this.#listener
    this.#listener = null
    if (this.#socket.isPaused()) this.#socket.resume()
    if (this.#parser.head?.keepAlive && !hasSurplus && this.#keptMs > 0 && !this.#isOver) this.#host.settles(this)
    else this.#end()
    listener?.onComplete()
  }

  readonly #onEnd = (): void => {
    const listener = this.#listener
    if (!listener) {
      this.#end()
      return
    }
    this.#parser.finish()
    try {
      this.#goOn(listener)
    } catch (error) {
      this.#fail(error as Error)
    }
    if (this.#listener === listener) this.#fail(new Error('the upstream closed the connection'))
  }

  readonly #onError = (error: Error): void => {
    this.#fail(error)
  }

  readonly #onClose = (): void => {
    this.#fail(new Error('the connection was closed'))
    // Not at once: it may be the parser that is calling.
    setImmediate(() => this.#parser.close())
  }

  #fail(error: Error): void {
    const listener = this.#listener
    this.#listener = null
    this.#end()
    listener?.onError(error)
  }

  #end(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#writer.stop()
    this.#host.leaves(this)
    this.#socket.destroy()
  }
}
