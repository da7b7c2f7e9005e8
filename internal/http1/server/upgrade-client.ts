import type { Socket } from 'node:net'
import type { Clock } from '../../clock/clock.ts'
import { httpDate } from '../http-date.ts'
import type { FastRequest } from './fast-request.ts'
import { FastResponse, type ResponseContext } from './fast-response.ts'

/** What a client may send before its upgrade is answered, in bytes; the rest waits in its own buffers. */
const maxEarlyBytes = 65_536

/** How long a refused client may take to hang up, in ms: closing at once could lose the answer on its way. */
const lingerMs = 1_000

/** How long a connection is quiet, in ms, before the system asks whether the other side is still there. */
const keepAliveMs = 30_000

/**
 * The connection of a client that asked for an upgrade. Whatever it sends from now on is either the WebSocket's or
 * nobody's: a refusal ends the connection, so nothing behind the request can ever be read as another request.
 */
export class UpgradeClient implements ResponseContext {
  readonly socket: Socket
  /** For a refusal; it closes the connection. */
  readonly response: FastResponse
  readonly persistence = ''
  readonly #clock: Clock
  #early: Buffer[]
  #bytes: number
  #refused = false

  /** `head` is what came behind the request. Earlier requests of the connection have their answers, and nobody else listens to it. */
  constructor(request: FastRequest, head: Buffer, clock: Clock) {
    this.socket = request.socket
    this.#clock = clock
    this.#early = head.length > 0 ? [head] : []
    this.#bytes = head.length
    this.response = new FastResponse(request, this)
    this.socket.setKeepAlive(true, keepAliveMs)
    this.socket.on('end', this.#onEnd).on('data', this.#onData)
    this.socket.resume()
  }

  /** The upgrade is granted: hands the connection over, paused, with what came early put back in front. */
  open(): Socket {
    const { socket } = this
    this.response.revoke()
    socket.pause()
    socket.off('end', this.#onEnd).off('data', this.#onData)
    const early = this.#early
    this.#early = []
    if (early.length > 0) socket.unshift(Buffer.concat(early))
    return socket
  }

  date(): string {
    return httpDate(this.#clock.now())
  }

  answered(): void {
    const { socket } = this
    this.#refused = true
    this.#early = []
    socket.end()
    socket.resume()
    this.#clock.after(lingerMs, () => socket.destroy())
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#refused) return
    this.#early.push(chunk)
    this.#bytes += chunk.length
    if (this.#bytes > maxEarlyBytes) this.socket.pause()
  }

  readonly #onEnd = (): void => {
    if (!this.#refused) this.socket.destroy()
  }
}
