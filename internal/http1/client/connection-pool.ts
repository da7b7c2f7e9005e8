import type { Socket } from 'node:net'
import type { Clock } from '../../clock/clock.ts'
import { ConnectionsInUse } from '../errors.ts'
import { guarded } from '../guarded.ts'
import { DeadlineWatch } from '../idle.ts'
import { Connection, type ConnectionHost } from './connection.ts'
import { requestText } from './request-head.ts'
import { RequestQueue } from './request-queue.ts'
import type {
  ConnectionPoolDeps,
  OpenConnection,
  OutgoingRequest,
  ResponseListener,
  Transport,
  TransportLoad,
  TransportSettings,
} from './transport.ts'
import { WaitLimit } from './wait-limit.ts'

/** The deadlines of all connections are looked at this often, in ms, or four times within the shortest of them. */
const longestCheckMs = 1_000
const shortestCheckMs = 25

/** All connections are read into this one, so that an answer costs no memory of the size of the largest read. */
const readBuffer = Buffer.allocUnsafeSlow(65_536)

/** Receives the bytes of a socket, and hands them to its Connection once there is one. */
class Reader {
  connection: Connection | null = null

  read(bytes: number, buffer: Buffer): boolean {
    this.connection?.read(buffer.subarray(0, bytes))
    return true
  }
}

/**
 * The connections to one origin, over HTTP/1.1 with Node's own parser. It keeps idle connections, queues requests above the
 * limit, and refuses those that wait longer than `connectMs`. `open` makes the sockets.
 */
export class ConnectionPool implements Transport, ConnectionHost {
  readonly headMs: number
  readonly idleMs: number
  readonly checkMs: number
  readonly #most: number
  readonly #origin: URL
  readonly #settings: TransportSettings
  readonly #openConnection: OpenConnection
  /** The latest TLS session, to resume. */
  #session: Buffer | undefined
  readonly #connections = new Set<Connection>()
  /** The last of them rested last: the others may grow old. */
  readonly #idle: Connection[] = []
  /** Those that have ended an answer since the event loop polled last, and in the turn before. */
  #settling: Connection[] = []
  #settled: Connection[] = []
  readonly #waiting = new RequestQueue()
  readonly #waitLimit: WaitLimit
  readonly #clock: Clock
  readonly #onCrowded: () => void
  #connecting = 0
  readonly #watch: DeadlineWatch
  #isClosed = false

  constructor(origin: string, settings: TransportSettings, deps: ConnectionPoolDeps) {
    this.#origin = new URL(origin)
    this.headMs = settings.headMs
    this.idleMs = settings.idleMs
    this.#most = settings.connections
    const shortest = Math.min(settings.headMs, settings.idleMs) / 4
    this.checkMs = Math.min(Math.max(shortest, shortestCheckMs), longestCheckMs)
    this.#watch = new DeadlineWatch(deps.clock, this.checkMs, this.#connections)
    this.#waitLimit = new WaitLimit(deps.clock, this.checkMs, () => this.#refuseLate())
    this.#clock = deps.clock
    this.#onCrowded = deps.onCrowded
    this.#settings = settings
    this.#openConnection = deps.open
  }

  get load(): TransportLoad {
    return { open: this.#connections.size + this.#connecting, waiting: this.#waiting.size }
  }

  send(request: OutgoingRequest, listener: ResponseListener): void {
    const text = requestText(request, this.#origin.host)
    const connection = this.#idle.pop()
    if (connection) {
      connection.send(request, text, listener)
      return
    }
    listener.onSend(this.#waiting.add({ request, text, listener, since: this.#clock.mono() }), false)
    this.#openEnough()
    if (this.#isFull) this.#waitLimit.begin()
  }

  close(): void {
    this.#isClosed = true
    for (const connection of [...this.#connections]) if (connection.isIdle) connection.destroy()
  }

  destroy(): void {
    this.#isClosed = true
    this.#waitLimit.end()
    const ended = new Error('the proxy ends')
    for (let next = this.#waiting.next(); next; next = this.#waiting.next()) next.listener.onError(ended)
    for (const connection of [...this.#connections]) connection.destroy()
  }

  /**
   * A server may have closed a connection behind its answer without having said so, and what would tell us is in the
   * kernel: it has been read when the event loop has polled once more.
   */
  settles(connection: Connection): void {
    if (this.#settling.length + this.#settled.length === 0) setImmediate(this.#turn)
    this.#settling.push(connection)
  }

  readonly #turn = (): void => {
    const settled = this.#settled
    this.#settled = this.#settling
    this.#settling = []
    if (this.#settled.length > 0) setImmediate(this.#turn)
    for (const connection of settled) if (connection.settle()) this.#rests(connection)
    this.#openEnough()
  }

  /** Opens connections until as many will soon take a request as requests wait, or there are as many as may be. */
  #openEnough(): void {
    while (this.#lacks) this.#open()
  }

  get #lacks(): boolean {
    const coming = this.#connecting + this.#settling.length + this.#settled.length
    return this.#waiting.size > coming && !this.#isFull
  }

  get #isFull(): boolean {
    return this.#connections.size + this.#connecting >= this.#most
  }

  /** Refuses those for whom no connection has become free in time; returns whether others wait. */
  #refuseLate(): boolean {
    const since = this.#clock.mono() - this.#settings.connectMs
    // While connections are opened, that has a deadline of its own.
    while (this.#isFull && this.#connecting === 0) {
      const late = this.#waiting.next(since)
      if (late === null) break
      this.#onCrowded()
      late.listener.onError(new ConnectionsInUse(this.#origin.host, this.#most))
    }
    return this.#waiting.size > 0
  }

  #rests(connection: Connection): void {
    const next = this.#waiting.next()
    if (next) connection.send(next.request, next.text, next.listener)
    else if (this.#isClosed) connection.destroy()
    else this.#idle.push(connection)
  }

  leaves(connection: Connection): void {
    this.#connections.delete(connection)
    const at = this.#idle.lastIndexOf(connection)
    if (at !== -1) this.#idle.splice(at, 1)
    this.#openEnough()
    if (this.#connections.size === 0) this.#watch.end()
  }

  #open(): void {
    const reader = new Reader()
    const onread = { buffer: readBuffer, callback: (bytes: number, buffer: Buffer) => reader.read(bytes, buffer) }
    this.#connecting++
    const opened = (error: Error | null, socket: Socket | null) => {
      this.#connecting--
      if (socket) this.#opened(socket, reader)
      else this.#failed(error ?? new Error('no connection'))
    }
    try {
      this.#openConnection({ session: this.#session, onread }, opened)
    } catch (error) {
      queueMicrotask(() => opened(error as Error, null))
    }
  }

  #failed(error: Error): void {
    this.#waiting.next()?.listener.onError(error)
    this.#openEnough()
  }

  #opened(socket: Socket, reader: Reader): void {
    guarded(socket).on('session', (session: Buffer) => {
      this.#session = session
    })
    const connection = new Connection(socket, this)
    reader.connection = connection
    this.#connections.add(connection)
    this.#watch.begin()
    this.#rests(connection)
  }
}
