/**
 * A fake provider that speaks WebSocket at the network's edge: it refuses or accepts an upgrade per credential, says
 * what it is told, and remembers what it saw.
 */
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'

/** What a credential meets: an accepted socket, or raw bytes in place of an answer. */
export type Greeting =
  | { readonly accept: (socket: WebSocket, connection: Duplex) => void }
  | { readonly raw: (request: IncomingMessage, socket: Duplex) => void }

/** An upgrade as the upstream saw it. */
export interface SeenUpgrade {
  readonly url: string
  readonly rawHeaders: readonly string[]
  readonly secret: string
}

/** Accepts and says nothing by itself; what it hears it says again. */
export const echo: Greeting = {
  accept: (socket) => socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary })),
}

/** Accepts and says these at once, then echoes. */
export function says(...messages: (object | string | Buffer)[]): Greeting {
  return {
    accept(socket) {
      for (const message of messages) {
        const isPlain = typeof message === 'string' || Buffer.isBuffer(message)
        socket.send(isPlain ? message : JSON.stringify(message))
      }
      socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
    },
  }
}

/** Refuses over HTTP. */
export function refuses(
  status: number,
  body: object | string,
  headers: Readonly<Record<string, string>> = {},
): Greeting {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return {
    raw(_request, socket) {
      const all = { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)), ...headers }
      const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
      socket.write(`HTTP/1.1 ${status} Refused\r\n${lines.join('')}\r\n${text}`)
    },
  }
}

/** The running fake. */
export class WebSocketUpstream {
  readonly url: string
  readonly seen: SeenUpgrade[] = []
  /** The accepted sockets, in order. */
  readonly accepted: WebSocket[] = []
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #greetings = new Map<string, Greeting>()

  constructor(server: Server) {
    this.#server = server
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const wss = new WebSocketServer({ noServer: true })
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.on('error', () => {}).on('close', () => this.#sockets.delete(socket))
    })
    server.on('request', (_request, response) => response.writeHead(404).end())
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      const secret = (request.headers.authorization ?? '').replace(/^Bearer /, '')
      this.seen.push({ url: request.url ?? '', rawHeaders: request.rawHeaders, secret })
      const greeting = this.#greetings.get(secret) ?? echo
      if ('raw' in greeting) {
        socket.resume().on('end', () => socket.end())
        greeting.raw(request, socket)
        return
      }
      wss.handleUpgrade(request, socket, head, (accepted) => {
        this.accepted.push(accepted)
        accepted.on('error', () => {})
        greeting.accept(accepted, socket)
      })
    })
  }

  /** What the credential with this secret meets from now on. */
  on(secret: string, greeting: Greeting): this {
    this.#greetings.set(secret, greeting)
    return this
  }

  /** TCP connections that are open now. */
  get connections(): number {
    return this.#sockets.size
  }

  /** Whom it served or refused, in order. */
  get secrets(): string[] {
    return this.seen.map(({ secret }) => secret)
  }

  close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    return new Promise((resolve) => this.#server.close(() => resolve()))
  }
}

/** Starts a fake on a free port of the loopback. */
export function webSocketUpstream(): Promise<WebSocketUpstream> {
  const server = createServer()
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => resolve(new WebSocketUpstream(server)))
  })
}
