import { connect, createServer, type Server, type Socket } from 'node:net'

/** A TCP relay before a server, for tests that cut, delay and refuse. */
export interface Relay {
  readonly port: number
  /** How long bytes of the server are kept back, in ms. */
  delayMs: number
  /** While true, new connections are refused, and nothing of those that are open comes through. */
  partitioned: boolean
  /** Ends every connection with a reset. */
  cut(): void
  close(): Promise<void>
}

export async function relayTo(target: number): Promise<Relay> {
  const open = new Set<Socket>()
  const relay = { port: 0, delayMs: 0, partitioned: false, cut, close }
  const server: Server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1')
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(from)
      from.on('data', (bytes) => {
        if (relay.partitioned) return
        if (from === upstream && relay.delayMs > 0) setTimeout(() => to.write(bytes), relay.delayMs)
        else to.write(bytes)
      })
      from.on('error', () => to.destroy())
      from.on('close', () => {
        open.delete(from)
        to.destroy()
      })
    }
    if (relay.partitioned) upstream.pause()
  })
  function cut(): void {
    for (const socket of open) socket.resetAndDestroy()
  }
  async function close(): Promise<void> {
    cut()
    await new Promise((resolve) => server.close(resolve))
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  relay.port = typeof address === 'object' && address ? address.port : 0
  return relay
}
