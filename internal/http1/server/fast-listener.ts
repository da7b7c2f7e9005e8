import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { DirectConnection, type DirectHost } from './direct.ts'
import { guarded } from './guarded.ts'
import { Objections } from './objections.ts'
import { type PortParts, type RequestPort, times, watchMs } from './port.ts'
import { Watch } from './quiet.ts'

/** For a client to finish its TLS handshake, in ms. */
const handshakeTimeout = 30_000

/** Accepts connections and reads their requests with node's own parser. */
export class DirectPort implements RequestPort {
  readonly server: Server
  readonly #connections = new Set<DirectConnection>()
  /** What is under the connections that speak TLS, also while they begin to. */
  readonly #carriers = new Set<Socket>()
  readonly #watch: Watch

  constructor({ handler, clock, identity, log }: PortParts) {
    const objections = new Objections(() => handler.marks())
    this.#watch = new Watch(clock, watchMs, this.#connections)
    const host: DirectHost = {
      clock,
      ...times,
      accept: (request, response, upgrade) => handler.handle(request, response, request.expectation, upgrade),
      late: () => objections.late(),
      objection: (code) => objections.unreadable(code),
      crashed: (error) => log.error({ error }, 'a connection failed inside the proxy'),
    }
    const serve = (socket: Socket) => {
      new DirectConnection(socket, host, this.#connections)
      this.#watch.begin()
    }
    // Half open, a client that leaves before its handshake would stay for as long as that may take.
    this.server = identity
      ? createTlsServer({ ...identity, noDelay: true, ALPNProtocols: ['http/1.1'], handshakeTimeout })
          .on('connection', (socket: Socket) => this.#carry(socket))
          .on('secureConnection', serve)
          .on('tlsClientError', (_error, socket) => guarded(socket).destroy())
      : createServer({ allowHalfOpen: true, noDelay: true }).on('connection', serve)
  }

  closeIdle(): void {
    for (const connection of [...this.#connections]) if (connection.isIdle) connection.destroy()
  }

  destroy(): void {
    this.#watch.end()
    for (const connection of [...this.#connections]) connection.destroy()
    for (const socket of [...this.#carriers]) socket.destroy()
  }

  #carry(socket: Socket): void {
    this.#carriers.add(guarded(socket))
    socket.once('close', () => this.#carriers.delete(socket))
  }
}
