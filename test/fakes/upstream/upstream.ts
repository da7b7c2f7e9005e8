/**
 * A fake provider at the network's edge: a real HTTP server that plays what it is told per credential, speaks the
 * OpenAI, Anthropic and Gemini APIs well enough for their official SDKs, and remembers every request it saw.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { type Behaviour, happy } from './behaviour.ts'
import { Recorded } from './recorded.ts'

export * from './behaviour.ts'
export { Recorded } from './recorded.ts'

/** What one credential meets: behaviours that are played once each, in order, and then one that stays. */
export class Script {
  readonly #once: Behaviour[] = []
  #always: Behaviour | null = null

  /** Plays these, one per request, before whatever stays. */
  once(...behaviours: Behaviour[]): this {
    this.#once.push(...behaviours)
    return this
  }

  /** Plays this for every request from now on (after what is left of `once`). */
  always(behaviour: Behaviour): this {
    this.#always = behaviour
    return this
  }

  /** Forgets everything: the happy path again. */
  clear(): this {
    this.#once.length = 0
    this.#always = null
    return this
  }

  next(): Behaviour | null {
    return this.#once.shift() ?? this.#always
  }
}

/** The running fake; `on(secret)` scripts one credential, `on('*')` all that have no script of their own. */
export class FakeUpstream {
  readonly requests: Recorded[] = []
  readonly url: string
  readonly port: number
  readonly #server: Server
  readonly #scripts = new Map<string, Script>()
  readonly #sockets = new Set<Socket>()
  readonly #waiters: { count: number; resolve: () => void }[] = []

  constructor(server: Server) {
    this.#server = server
    const { address, port, family } = server.address() as AddressInfo
    this.port = port
    this.url = `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
      // A reset by the other side is what some tests are about.
      socket.on('error', () => {})
    })
    server.on('request', (request, response) => void this.#serve(request, response))
    server.on('checkContinue', (request, response) => void this.#serve(request, response))
  }

  on(credential: string): Script {
    let script = this.#scripts.get(credential)
    if (!script) {
      script = new Script()
      this.#scripts.set(credential, script)
    }
    return script
  }

  /** The credentials of all requests so far, in the order of their arrival; probes (`GET …/models`) left out. */
  get served(): string[] {
    return this.requests.filter((request) => !request.isProbe).map((request) => request.credential ?? '(none)')
  }

  /** Requests that were received and not answered to their end. */
  get inFlight(): number {
    return this.requests.filter((request) => !request.over).length
  }

  /** TCP connections that are open now. */
  get connections(): number {
    return this.#sockets.size
  }

  /** Resolves as soon as `count` requests have been seen since the start (or since `forget`). */
  received(count: number): Promise<void> {
    if (this.requests.length >= count) return Promise.resolve()
    return new Promise((resolve) => this.#waiters.push({ count, resolve }))
  }

  /** Starts the record again; scripts stay. */
  forget(): void {
    this.requests.length = 0
  }

  /** Drops all connections and stops listening. */
  close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    return new Promise((resolve) => this.#server.close(() => resolve()))
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const recorded = new Recorded(request, response)
    this.requests.push(recorded)
    const script = this.#scripts.get(recorded.credential ?? '') ?? this.#scripts.get('*')
    const behaviour = script?.next() ?? happy
    this.#wake()
    if (!behaviour.early) await recorded.whole
    if (!response.destroyed) await behaviour.play({ request: recorded, response })
  }

  #wake(): void {
    for (const waiter of this.#waiters.splice(0)) {
      if (this.requests.length >= waiter.count) waiter.resolve()
      else this.#waiters.push(waiter)
    }
  }
}

/** Starts a fake upstream on a free port of the loopback. */
export function fakeUpstream(host: '127.0.0.1' | '::1' = '127.0.0.1'): Promise<FakeUpstream> {
  const server = createServer({ keepAliveTimeout: 30_000, requestTimeout: 0 })
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, host, () => resolve(new FakeUpstream(server)))
  })
}
