import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, Server as NetServer, type Socket } from 'node:net'
import type { Cancel, Clock } from '../clock/clock.ts'
import { DirectConnection, type DirectHost } from './direct.ts'
import type { Expectation, Handler } from './handler.ts'
import type { Inbound } from './inbound.ts'
import { Objections } from './objections.ts'
import { Watch } from './quiet.ts'
import { canParseRequests } from './request-parser.ts'
import { UpgradeClient } from './upgrade-client.ts'
import { withoutOffer } from './upgrade-offer.ts'
import { asksForWebSocket } from './websocket-handshake.ts'

/** The certificate and key of the data port, as PEM. */
export interface ServerIdentity {
  readonly cert: string
  readonly key: string
}

/** A port that could not be opened. */
class ListenError extends Error {
  override readonly name = 'ListenError'
  readonly code: string
  readonly hint: string

  constructor(cause: NodeJS.ErrnoException, host: string, port: number) {
    super(`cannot listen on ${host}:${port}: ${reasons[cause.code ?? ''] ?? cause.message}`, { cause })
    this.code = cause.code ?? 'EUNKNOWN'
    this.hint = hints[this.code] ?? 'Choose another address with server.listen.'
  }
}

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is in use',
  EACCES: 'this port needs more rights',
  EADDRNOTAVAIL: 'the address is not one of this machine',
}
const hints: Readonly<Record<string, string>> = {
  EADDRINUSE: 'Stop what runs there, or choose another port with --listen HOST:PORT.',
  EACCES: 'Choose a port from 1024 on.',
}

/** Head of a request, in bytes; agents send about 2 KB. */
const maxHeaderSize = 32_768

/** Longer than the 90 s for which HTTP clients keep idle connections, so that they and not we decide when to close. */
const keepAliveTimeout = 100_000

/** Quiet connections are looked for this often, in ms. */
const watchMs = 5_000

/** For the whole of a request, in ms: large bodies over slow lines. */
const requestTimeout = 300_000

/** For a client that does not read what it asked for, in ms. */
const unreadTimeout = 300_000

/** While draining, the port and idle connections stay open this long, in ms, for a request that is on its way already. */
const graceMs = 500

/** What it takes to break off one exchange, in ms: with 10,000 of them open, it is a part of the time for a drain. */
const closingEachMs = 0.15

type RequestHandler = Pick<Handler, 'handle' | 'marks'>

/** The data port. */
export class DataServer {
  readonly #server: Server
  readonly #inbound: Inbound
  readonly #clock: Clock
  /** What node does with a connection. */
  readonly #serve: (this: Server, socket: Socket) => void
  /** The connections that are read without node:http. */
  readonly #direct = new Set<DirectConnection>()
  readonly #watch: Watch
  readonly #objections: Objections
  #stopClosing: Cancel = () => {}

  constructor(handler: RequestHandler, inbound: Inbound, clock: Clock, identity: ServerIdentity | null) {
    const options = { maxHeaderSize, keepAliveTimeout, requestTimeout, insecureHTTPParser: false, noDelay: true }
    this.#server = identity ? createTlsServer({ ...options, ...identity }) : createServer(options)
    this.#server.maxConnections = inbound.mostConnections
    this.#inbound = inbound
    this.#clock = clock
    this.#watch = new Watch(clock, watchMs, this.#direct)
    const objections = new Objections(() => handler.marks())
    this.#objections = objections
    const handle = (expectation: Expectation) => (request: IncomingMessage, response: ServerResponse) => {
      objections.noteRequest(response)
      handler.handle(request, response, expectation)
    }
    this.#server
      .on('request', handle('none'))
      .on('checkContinue', handle('continue'))
      .on('checkExpectation', handle('other'))
      .on('upgrade', (request, _socket, head) => this.#upgrade(request, head, handler))
      .on('connect', (_request: IncomingMessage, socket) => socket.end(objections.connect()))
      .on('clientError', (error, socket) => objections.unreadable(error, socket as Socket))
    this.#serve = this.#readDirectly(handler, identity ? 'secureConnection' : 'connection')
  }

  /** Puts itself between a new connection and node, and returns what node would have done with it. */
  #readDirectly(handler: RequestHandler, event: string) {
    const server = this.#server
    const [serve] = server.listeners(event) as [(this: Server, socket: Socket) => void]
    if (!canParseRequests) return serve
    const host: DirectHost = {
      clock: this.#clock,
      maxHeaderSize,
      keepAliveMs: keepAliveTimeout,
      requestMs: requestTimeout,
      unreadMs: unreadTimeout,
      accept: (request, response) => handler.handle(request, response, 'none'),
      handOver: (socket) => serve.call(server, socket),
      late: () => this.#objections.late(),
    }
    server.removeListener(event, serve)
    server.on(event, (socket: Socket) => {
      new DirectConnection(socket, host, this.#direct)
      this.#watch.begin()
    })
    return serve
  }

  #upgrade(request: IncomingMessage, head: Buffer, handler: RequestHandler): void {
    const { socket } = request
    this.#objections.afterAnswers(socket, () => {
      if (asksForWebSocket(request.rawHeaders)) {
        const client = new UpgradeClient(request, head, this.#clock)
        this.#objections.noteRequest(client.response)
        handler.handle(request, client.response, 'none', client)
        return
      }
      // Another offer is ignored (RFC 9110, 7.8): node reads the request again as one without it.
      if (head.length > 0) socket.unshift(head)
      socket.unshift(withoutOffer(request))
      this.#serve.call(this.#server, socket)
    })
  }

  /** Opens the port (0: a free one) and resolves with where it listens; rejects with a ListenError. */
  listen(host: string, port: number): Promise<{ host: string; port: number }> {
    return new Promise((resolve, reject) => {
      const failed = (error: NodeJS.ErrnoException) => reject(new ListenError(error, host, port))
      this.#server.once('error', failed)
      this.#server.listen(port, host, () => {
        this.#server.off('error', failed)
        resolve({ host, port: (this.#server.address() as AddressInfo).port })
      })
    })
  }

  /**
   * Takes what is on its way still, then accepts no more, and resolves when what is under way has ended, or after `withinMs`
   * with what was left destroyed.
   */
  async drain(withinMs: number): Promise<void> {
    const closingMs = Math.min(withinMs / 5, this.#inbound.size * closingEachMs)
    const late = this.#after(withinMs - closingMs)
    const aWhile = Math.min(graceMs, withinMs)
    this.#closeIdle(aWhile)
    // Clients that have not heard of it go on connecting, and whoever asks for readiness is to be told.
    await Promise.race([this.#inbound.idle(), this.#after(aWhile)])
    // node's own close() would at once close idle connections on which a request may be arriving.
    const closed = new Promise<void>((resolve) => NetServer.prototype.close.call(this.#server, () => resolve()))
    await Promise.race([this.#inbound.idle().then(() => closed), late])
    this.close()
  }

  #after(ms: number): Promise<void> {
    return new Promise((resolve) => this.#clock.after(ms, resolve))
  }

  /** Closes the connections on which nothing is under way, and goes on to do so. */
  #closeIdle(everyMs: number): void {
    this.#stopClosing = this.#clock.after(everyMs, () => {
      this.#server.closeIdleConnections()
      for (const connection of [...this.#direct]) if (connection.isIdle) connection.destroy()
      this.#closeIdle(everyMs)
    })
  }

  /** Closes the port and destroys every connection; what is under way ends as if its client had left. */
  close(): void {
    this.#inbound.abandon()
    this.#watch.end()
    this.#stopClosing()
    this.#server.close()
    this.#server.closeAllConnections()
    for (const connection of [...this.#direct]) connection.destroy()
  }
}
