import { type AddressInfo, Server as NetServer } from 'node:net'
import { type Cancel, type Clock, within } from '../../clock/clock.ts'
import type { Acceptor, AcceptorDeps } from './acceptor.ts'
import { FastAcceptor } from './fast-acceptor.ts'
import { NodeAcceptor } from './node-acceptor.ts'
import { canParseRequests } from './request-parser.ts'

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

/** While draining, the port and idle connections stay open this long, in ms, for a request that is on its way already. */
const graceMs = 500

/** What it takes to break off one exchange, in ms: with 10,000 of them open, it is a part of the time for a drain. */
const closingEachMs = 0.15

/** What is under way on the connections of a server. */
export interface InFlight {
  /** How many connections of clients may be open; what comes beyond them is closed at once. */
  readonly maxConnections: number
  /** How many requests are under way. */
  readonly size: number
  /** Resolves as soon as none is. */
  idle(): Promise<void>
  /** Ends whatever is under way. */
  abandon(): void
}

/** A port for HTTP/1.1, plain or over TLS, from its opening to its drain. */
export class HttpServer {
  readonly #acceptor: Acceptor
  readonly #inFlight: InFlight
  readonly #clock: Clock
  #stopClosing: Cancel = () => {}

  /** `isDirect`: whether requests are read with node's own parser. */
  constructor(deps: AcceptorDeps, inFlight: InFlight, isDirect = canParseRequests) {
    this.#acceptor = isDirect ? new FastAcceptor(deps) : new NodeAcceptor(deps)
    this.#acceptor.server.maxConnections = inFlight.maxConnections
    // A connection that could not be accepted is gone, and is no reason to end.
    this.#acceptor.server.on('error', (error) => {
      if (this.#acceptor.server.listening) deps.log.error({ error }, 'a connection could not be accepted')
    })
    this.#inFlight = inFlight
    this.#clock = deps.clock
  }

  /** Opens the port (0: a free one) and resolves with where it listens; rejects with a ListenError. */
  listen(host: string, port: number): Promise<{ host: string; port: number }> {
    const { server } = this.#acceptor
    return new Promise((resolve, reject) => {
      const failed = (error: NodeJS.ErrnoException) => reject(new ListenError(error, host, port))
      server.once('error', failed)
      server.listen(port, host, () => {
        server.off('error', failed)
        resolve({ host, port: (server.address() as AddressInfo).port })
      })
    })
  }

  /**
   * Takes what is on its way still, then accepts no more, and resolves when what is under way has ended, or after `withinMs`
   * with what was left destroyed.
   */
  async drain(withinMs: number): Promise<void> {
    const closingMs = Math.min(withinMs / 5, this.#inFlight.size * closingEachMs)
    const late = this.#after(withinMs - closingMs)
    const aWhile = Math.min(graceMs, withinMs)
    this.#closeIdle(aWhile)
    // Clients that have not heard of it go on connecting, and whoever asks for readiness is to be told.
    await within(this.#clock, aWhile, this.#inFlight.idle(), undefined)
    // node's own close() would at once close idle connections on which a request may be arriving.
    const closed = new Promise<void>((resolve) =>
      NetServer.prototype.close.call(this.#acceptor.server, () => resolve()),
    )
    await Promise.race([this.#inFlight.idle().then(() => closed), late])
    this.close()
  }

  #after(ms: number): Promise<void> {
    return new Promise((resolve) => this.#clock.after(ms, resolve))
  }

  /** Closes the connections on which nothing is under way, and goes on to do so. */
  #closeIdle(everyMs: number): void {
    this.#stopClosing = this.#clock.after(everyMs, () => {
      this.#acceptor.closeIdle()
      this.#closeIdle(everyMs)
    })
  }

  /** Closes the port and destroys every connection; what is under way ends as if its client had left. */
  close(): void {
    this.#inFlight.abandon()
    this.#stopClosing()
    this.#acceptor.server.close()
    this.#acceptor.destroy()
  }
}
