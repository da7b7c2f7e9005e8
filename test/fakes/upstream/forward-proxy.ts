/** An HTTP proxy on the loopback, as offices have them: leads wherever it is asked to by CONNECT, and remembers whither. */
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'

export class ForwardProxy {
  /** The targets that were asked for, as `host:port`. */
  readonly tunnels: string[] = []
  /** The `Proxy-Authorization` of each. */
  readonly asked: (string | undefined)[] = []
  /** Answers with this in place of a tunnel; 0: never answers. */
  refusal: number | null = null
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #known = new Set<string>()

  constructor(server: Server) {
    this.#server = server
    server.on('connection', (socket: Socket) => this.#keep(socket))
    server.on('connect', (request, socket: Socket, head: Buffer) => {
      const target = request.url ?? ''
      this.tunnels.push(target)
      this.asked.push(request.headers['proxy-authorization'])
      if (this.refusal === 0) return
      if (this.refusal !== null) return void socket.end(`HTTP/1.1 ${this.refusal} No\r\ncontent-length: 0\r\n\r\n`)
      const { hostname, port } = new URL(`http://${target}`)
      const onward = connect(Number(port) || 80, this.#leadsTo(hostname.replace(/^\[|\]$/g, '')), () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
        onward.write(head)
        onward.pipe(socket).pipe(onward)
      })
      this.#keep(onward)
      onward.on('error', () => socket.destroy())
      socket.on('close', () => onward.destroy())
      onward.on('close', () => socket.destroy())
    })
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** A name that the proxy finds on this machine, beside all under `.test`. */
  knows(name: string): void {
    this.#known.add(name)
  }

  close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    return new Promise((resolve) => this.#server.close(() => resolve()))
  }

  #leadsTo(name: string): string {
    return name.endsWith('.test') || this.#known.has(name) ? '127.0.0.1' : name
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('close', () => this.#sockets.delete(socket)).on('error', () => {})
  }
}

/** A proxy on a free port. */
export function forwardProxy(): Promise<ForwardProxy> {
  const server = createServer((_request, response) => response.writeHead(405).end())
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(new ForwardProxy(server))))
}
