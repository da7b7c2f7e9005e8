import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { guarded } from '../guarded.ts'
import { DeadlineWatch } from '../idle.ts'
import { type Acceptor, type AcceptorDeps, times, watchMs } from './acceptor.ts'
import { FastConnection } from './fast-connection.ts'
import type { FastConnectionContext } from './fast-connection-context.ts'
import { rejectionText } from './rejection.ts'

/** For a client to finish its TLS handshake, in ms. */
const handshakeTimeout = 30_000

/** Accepts connections and reads their requests with node's own parser. */
export class FastAcceptor implements Acceptor {
  readonly server: Server
  readonly #connections = new Set<FastConnection>()
  /** What is under the connections that speak TLS, also while they begin to. */
  readonly #carriers = new Set<Socket>()
  readonly #watch: DeadlineWatch

  constructor({ handler, clock, identity, log }: AcceptorDeps) {
    this.#watch = new DeadlineWatch(clock, watchMs, this.#connections)
    const host: FastConnectionContext = {
      clock,
      ...times,
      accept: (request, response, upgrade) => handler.handle(request, response, request.expectation, upgrade),
      rejection: (fault) => rejectionText(handler.rejection(fault)),
      crashed: (error) => log.error({ error }, 'a connection failed inside the proxy'),
    }
    const serve = (socket: Socket) => {
      new FastConnection(socket, host, this.#connections)
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
