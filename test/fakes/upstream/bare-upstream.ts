/**
 * An upstream that is bare TCP, and the connections to it: for stories about bytes that no HTTP server would send. A
 * script decides what is written, with all that has come on the connection so far.
 */
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { expect } from 'vitest'
import { type Clock, systemClock } from '../../../internal/clock/clock.ts'
import { HeldBody } from '../../../internal/http1/body/held-body.ts'
import type { RequestBody } from '../../../internal/http1/body/request-body.ts'
import { ConnectionPool } from '../../../internal/http1/client/connection-pool.ts'
import type {
  OutgoingRequest,
  ResponseListener,
  Sending,
  Transport,
  TransportSettings,
} from '../../../internal/http1/client/transport.ts'
import { addressGuard } from '../../../internal/net/net.ts'
import { guardedLookup } from '../../../internal/proxy/upstream/address.ts'
import { opener } from '../../../internal/proxy/upstream/opener.ts'
import { UndiciTransport } from '../../../internal/proxy/upstream/undici-transport.ts'

export type Script = (socket: Socket, text: string) => void

/** One of the ways to an upstream. */
export type Make = (origin: string, settings: TransportSettings, clock: Clock) => Transport

const lookup = guardedLookup(addressGuard(['127.0.0.0/8']))
const usual: TransportSettings = { connectMs: 2_000, headMs: 20_000, idleMs: 20_000, connections: 4 }

export const direct: Make = (origin, settings, clock) =>
  new ConnectionPool(origin, settings, { open: opener(origin, { ...settings, lookup }), clock, onCrowded() {} })
export const throughUndici: Make = (origin, settings, clock) =>
  new UndiciTransport(origin, settings, { lookup, clock, onCrowded() {}, connect: null })

export const none: RequestBody = { held: true, bytes: new HeldBody() }
export const hello = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'

/** Answers each request without a body. */
export function always(answer: string): Script {
  return (socket, text) => {
    if (text.endsWith('\r\n\r\n')) socket.write(answer, 'latin1')
  }
}

/** Everything that is told of one answer. */
export class Told implements ResponseListener {
  sending: Sending | null = null
  hasLeft = false
  status = 0
  headers: string[] = []
  body = ''
  flows = true
  readonly begun: Promise<void>
  readonly over: Promise<Error | null>
  #begin: () => void = () => {}
  #end: (error: Error | null) => void = () => {}

  constructor() {
    this.begun = new Promise((resolve) => {
      this.#begin = resolve
    })
    this.over = new Promise((resolve) => {
      this.#end = resolve
    })
  }

  onSend(sending: Sending, hasLeft: boolean): void {
    this.sending = sending
    this.hasLeft = hasLeft
  }

  onHead(status: number, headers: string[]): void {
    this.status = status
    this.headers = headers
    this.#begin()
  }

  onData(chunk: Buffer): boolean {
    this.body += chunk.toString('latin1')
    return this.flows
  }

  onComplete(): void {
    this.#end(null)
  }

  onError(error: Error): void {
    this.#begin()
    this.#end(error)
  }
}

export class BareUpstream {
  readonly server: Server
  readonly transport: Transport
  /** The connections that were made, and what has come on each. */
  readonly sockets: Socket[]
  readonly received: string[]

  constructor(parts: Pick<BareUpstream, 'server' | 'transport' | 'sockets' | 'received'>) {
    this.server = parts.server
    this.transport = parts.transport
    this.sockets = parts.sockets
    this.received = parts.received
  }

  static async start(
    make: Make,
    script: Script,
    settings: Partial<TransportSettings> = {},
    clock: Clock = systemClock(),
  ): Promise<BareUpstream> {
    const sockets: Socket[] = []
    const received: string[] = []
    const server = createServer((socket) => {
      const at = sockets.push(socket) - 1
      received[at] = ''
      socket.on('error', () => {})
      socket.on('data', (bytes: Buffer) => {
        received[at] += bytes.toString('latin1')
        script(socket, received[at] ?? '')
      })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const transport = make(`http://127.0.0.1:${port}`, { ...usual, ...settings }, clock)
    return new BareUpstream({ server, transport, sockets, received })
  }

  send(request: Partial<OutgoingRequest> = {}): Told {
    const told = new Told()
    this.transport.send({ method: 'GET', path: '/x', headers: ['a', 'b'], body: none, ...request }, told)
    return told
  }

  /** Sends, waits for the end, and gives what was told. */
  async asked(request: Partial<OutgoingRequest> = {}) {
    const told = this.send(request)
    const error = await told.over
    return { status: told.status, body: told.body, headers: told.headers, error }
  }

  /** Resolves when the first connection is over. */
  ended(): Promise<void> {
    return expect.poll(() => this.sockets[0]?.readableEnded || this.sockets[0]?.destroyed).toBe(true)
  }

  close(): void {
    this.transport.destroy()
    for (const socket of this.sockets) socket.destroy()
    this.server.close()
  }
}
