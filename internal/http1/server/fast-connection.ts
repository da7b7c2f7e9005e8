import type { Socket } from 'node:net'
import type { Cancel } from '../../clock/clock.ts'
import type { Memory } from '../body/held-body.ts'
import { guarded } from '../guarded.ts'
import { httpDate } from '../http-date.ts'
import { awaited, ClientDeadline } from './client-deadline.ts'
import type { FastConnectionContext } from './fast-connection-context.ts'
import { FastRequest } from './fast-request.ts'
import { FastResponse, type ResponseContext } from './fast-response.ts'
import { closeLingering } from './lingering-close.ts'
import { ReadBuffers } from './read-buffers.ts'
import { faultOf, type RequestFault } from './rejection.ts'
import type { ParsedHead } from './request-parser.ts'
import { RequestReader, type RequestReaderListener } from './request-reader.ts'
import { type ReadTarget, readAsStream, readIntoBuffers } from './socket-handover.ts'
import { UpgradeClient } from './upgrade-client.ts'

/** At most this many pipelined requests wait behind the one that is being answered; then reading pauses. */
const maxWaiting = 16

/**
 * One connection of a client. Node's own parser reads its requests, and they are answered without the streams of
 * node:http, which cost more than everything else that spillway does for a request. Until it becomes a WebSocket, this class
 * alone writes to it: nothing follows an answer that closes, or a rejection in its place.
 */
export class FastConnection implements ResponseContext, RequestReaderListener, ReadTarget {
  readonly #socket: Socket
  /** Whether what is read is only lent. */
  readonly #isLent: boolean
  readonly #host: FastConnectionContext
  readonly #reader: RequestReader
  readonly #connections: Set<FastConnection>
  readonly persistence: string
  /** Requests whose heads are here, in their order; the first of them is being answered. */
  readonly #requests: FastRequest[] = []
  /** The request that is being answered, or is the next to be, and its answer. */
  #serving: FastRequest | null = null
  #response: FastResponse | null = null
  readonly #buffers = new ReadBuffers()
  #isAnswered = false
  /** The last answer has been given: nothing that comes is a request any more. */
  #isLast = false
  #forgetLinger: Cancel = () => {}
  readonly #deadline = new ClientDeadline()

  /** Adds itself to `connections` for as long as it reads. */
  constructor(socket: Socket, host: FastConnectionContext, connections: Set<FastConnection>) {
    this.#reader = new RequestReader(host.maxHeaderSize, this)
    const lent = readIntoBuffers(guarded(socket), this)
    this.#isLent = lent !== null
    this.#socket = lent ?? socket.on('data', this.#onData)
    this.#host = host
    this.#connections = connections
    this.persistence = `Connection: keep-alive\r\nKeep-Alive: timeout=${Math.floor(host.keepAliveMs / 1_000)}\r\n`
    connections.add(this)
    this.#socket.on('end', this.#onEnd).on('close', this.#onClose)
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
    this.#deadline.renew()
    if (last) this.#finish()
    else this.#next()
  }

  /** Ends what its client has left waiting for too long; `now` in monotonic ms. */
  check(now: number): void {
    const waitsFor = awaited(this.#socket, this.#isLast ? null : this.#reader, this.#serving)
    if (!this.#deadline.isOver(waitsFor, this.#socket, { now, limits: this.#host })) return
    if (waitsFor === 'head' || waitsFor === 'body') this.#reject('timeout')
    else this.destroy()
  }

  /** Ends at once. */
  destroy(): void {
    if (this.#response) this.#response.destroy()
    else this.#socket.destroy()
  }

  buffer(): Buffer {
    return this.#buffers.next(this.#reader.missing, this.#reader.taken)
  }

  take(buffer: Buffer, length: number): void {
    this.#take(buffer.subarray(0, length), this.#buffers.memoryOf(buffer, length))
    // The next read overwrites what the bodies of these may still only have been lent.
    for (const { gathered } of this.#requests) gathered.keep()
  }

  #take(chunk: Buffer, memory: Memory): void {
    // Read on, but only to notice when the client leaves.
    if (this.#isLast) return
    try {
      this.#reader.take(chunk, memory)
      const [first] = this.#requests
      if (first && !this.#serving) {
        this.#serving = first
        this.#admit(first)
      }
      if (this.#reader.end?.why === 'fault') this.#onFault(this.#reader.end.code)
      if (this.#requests.length > maxWaiting || this.#reader.hasGathered(this.#serving)) this.#socket.pause()
    } catch (error) {
      this.#crashed(error)
    }
  }

  begin(head: ParsedHead): FastRequest {
    const request = new FastRequest(head, this.#socket)
    // The next head has a time of its own.
    this.#deadline.renew()
    this.#requests.push(request)
    return request
  }

  ended(request: FastRequest): void {
    request.end()
    // Whoever made the client wait for the rest of the body does so no longer.
    if (this.#requests.length <= maxWaiting && this.#socket.isPaused()) this.#socket.resume()
    if (this.#isAnswered && this.#requests[0] === request) this.#next()
  }

  /** Serves a request as soon as its client has read the answers before it, or they would pile up here. */
  #admit(request: FastRequest): void {
    const socket = this.#socket
    if (socket.destroyed || this.#isLast) return
    if (request.isUpgrade && socket.writableLength > 0) {
      // The socket has to be rid of earlier answers: its successor would not know of them.
      socket.write('', () => this.#admit(request))
    } else if (socket.writableNeedDrain) socket.once('drain', () => this.#admit(request))
    else {
      try {
        if (request.isUpgrade) this.#upgrade(request)
        else this.#accept(request)
      } catch (error) {
        this.#crashed(error)
      }
    }
  }

  #accept(request: FastRequest): void {
    if (request === this.#reader.reading && this.#socket.isPaused()) this.#socket.resume()
    const response = new FastResponse(request, this)
    this.#response = response
    request.handOn()
    this.#host.accept(request, response, null)
  }

  /** Lets the connection become a WebSocket, or be refused. */
  #upgrade(request: FastRequest): void {
    this.#leave()
    this.#socket.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onClose)
    this.#socket.pause()
    const socket = this.#isLent ? readAsStream(this.#socket) : this.#socket
    request.moveTo(socket)
    request.handOn()
    if (request.length === 0) request.end()
    const client = new UpgradeClient(request, this.#reader.behind, this.#host.clock)
    this.#host.accept(request, client.response, client)
  }

  /** Goes on to the next request as soon as the present one is answered and has come completely. */
  #next(): void {
    if (this.#isLast || this.#requests[0] === this.#reader.reading) return
    this.#requests.shift()
    this.#isAnswered = false
    this.#response = null
    const [next] = this.#requests
    this.#serving = next ?? null
    const { end } = this.#reader
    if (next) process.nextTick(() => this.#admit(next))
    else if (end?.why === 'fault') this.#reject(faultOf(end.code))
    else if (this.#socket.isPaused()) this.#socket.resume()
  }

  /** No HTTP has come, which is said in its place: after the answers to what came before. */
  #onFault(code: string): void {
    const { reading } = this.#reader
    if (reading !== null && reading !== this.#serving) {
      this.#reader.abandon()
      this.#requests.pop()
    }
    if (this.isIdle || reading === this.#serving) this.#reject(faultOf(code))
  }

  /** Says what is wrong with a request in place of its answer; then the connection ends. */
  #reject(fault: RequestFault): void {
    const response = this.#serving ? this.#response : null
    if (response && !response.isEnded && response.headersSent) {
      // A part of an answer must not look like the whole.
      response.destroy()
      return
    }
    if (this.#isLast) return
    response?.revoke()
    if (!response?.isEnded) this.#socket.write(this.#host.rejection(fault), 'latin1')
    this.#finish()
  }

  /** Closes the connection behind what has been written. */
  #finish(): void {
    if (this.#isLast) return
    this.#isLast = true
    const socket = this.#socket
    if (this.#requests.length <= 1 && !this.#reader.expectsMore) {
      socket.destroySoon()
      return
    }
    this.#forgetLinger = closeLingering(socket, this.#host.clock)
    // Not at once: whoever was to send the body on is yet to give it up, and holds the client up when he does.
    setImmediate(() => socket.resume())
  }

  #leave(): void {
    this.#forgetLinger()
    this.#connections.delete(this)
    // Not at once: it may be the parser that is calling.
    setImmediate(() => this.#reader.close())
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#take(chunk, 'own')
  }

  readonly #onEnd = (): void => {
    if (this.#response?.isOpenEnded) this.#response.destroy()
    else this.#socket.end()
  }

  readonly #onClose = (): void => {
    this.#leave()
    this.#reader.reading?.abort()
  }

  /** A fault of our own costs this connection, and no other. */
  #crashed(error: unknown): void {
    this.#host.crashed(error)
    this.destroy()
  }
}
