import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { Socket } from 'node:net'
import type { Clock } from '../../clock/clock.ts'
import { guarded } from '../guarded.ts'
import type { Expectation } from '../messages.ts'
import { type Acceptor, type AcceptorDeps, type RequestHandler, times } from './acceptor.ts'
import { closeLingering } from './lingering-close.ts'
import { faultOf, rejectionText } from './rejection.ts'

/**
 * Requests through node:http, for a Node that does not expose its parser. A connection serves one request, and nothing
 * takes it out of node's hands, WebSockets neither: so there is nothing behind a request that could be misread.
 */
export class NodeAcceptor implements Acceptor {
  readonly server: Server
  readonly #handler: RequestHandler
  /** To the one request of each connection. */
  readonly #answers = new WeakMap<Socket, ServerResponse>()

  constructor({ handler, clock, identity }: AcceptorDeps) {
    this.#handler = handler
    const { maxHeaderSize, headMs: headersTimeout } = times
    const options = { maxHeaderSize, headersTimeout, requestTimeout: 0, requireHostHeader: false }
    const handle = (expectation: Expectation) => (request: IncomingMessage, response: ServerResponse) => {
      if (this.#answers.has(request.socket)) return
      this.#answers.set(request.socket, response)
      response.shouldKeepAlive = false
      limitSilence(request)
      handler.handle(request, response, expectation)
    }
    this.server = (identity ? createTlsServer({ ...options, ...identity }) : createServer(options))
      .on(identity ? 'secureConnection' : 'connection', (socket: Socket) => closeGently(guarded(socket), clock))
      .on('request', handle('none'))
      .on('checkContinue', handle('continue'))
      .on('checkExpectation', handle('other'))
      .on('clientError', (error, socket) => this.#object(error, socket as Socket))
  }

  closeIdle(): void {
    this.server.closeIdleConnections()
  }

  destroy(): void {
    this.server.closeAllConnections()
  }

  #object(error: NodeJS.ErrnoException, socket: Socket): void {
    const answer = this.#answers.get(socket)
    if (answer) {
      // Its own end closes the connection, unless the rest of its request is what cannot be read.
      if (!answer.writableEnded) socket.destroy()
    } else if (socket.writable) {
      socket.write(rejectionText(this.#handler.rejection(faultOf(error.code))), 'latin1')
      socket.destroySoon()
    }
  }
}

/** A body may take as long as it likes, but not be silent for long. */
function limitSilence(request: IncomingMessage): void {
  const { socket } = request
  if (request.complete) return
  socket.setTimeout(times.silentMs, () => request.complete || request.isPaused() || socket.destroy())
}

/** What node calls when the last answer has been written: closed at once, a reset for what still comes could overtake it. */
function closeGently(socket: Socket, clock: Clock): void {
  socket.destroySoon = () => {
    closeLingering(socket, clock)
  }
}
