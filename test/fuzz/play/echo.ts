import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/**
 * A byte that goes to and fro over the loopback. On a busy machine the kernel delivers what was sent before it late, while
 * a process that only looks sees nothing happen: when the byte is back, so is what was sent before.
 */
export class Echo {
  readonly #server: Server
  readonly #socket: Socket
  readonly #peer: Socket

  private constructor(server: Server, socket: Socket, peer: Socket) {
    this.#server = server
    this.#socket = socket
    this.#peer = peer
    peer.on('data', (bytes) => peer.write(bytes))
  }

  static async start(): Promise<Echo> {
    const server = createServer({ noDelay: true })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve))
    const socket = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', noDelay: true })
    return new Echo(server, socket, await accepted)
  }

  roundTrip(): Promise<void> {
    return new Promise((resolve) => {
      this.#socket.once('data', () => resolve())
      this.#socket.write('e')
    })
  }

  close(): Promise<void> {
    this.#socket.destroy()
    this.#peer.destroy()
    return new Promise((resolve) => this.#server.close(() => resolve()))
  }
}
