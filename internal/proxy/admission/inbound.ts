import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'

/** Descriptors that are kept free for upstreams, the store and files. */
const keptDescriptors = 256
/** Of the kept descriptors, this many may be connections that are idle or refused; without a bound none would be left for upstreams. */
const spareConnections = 192

/** A request that is under way. */
interface Exchange {
  /** Its client has left. */
  clientGone(): void
}

/** The exchanges that are under way on each client connection; it tells them when their client has left. */
export class Inbound {
  readonly #connections = new Map<Socket, Connection>()
  readonly #most: number
  readonly #idle: (() => void)[] = []
  #count = 0

  /** `most` exchanges at a time; more are turned away before descriptors run out. */
  constructor(most = maxExchanges()) {
    this.#most = most
  }

  /** Whether one more exchange could leave the process without descriptors: each may need two. */
  get isFull(): boolean {
    return this.#count >= this.#most
  }

  /** How many connections of clients may be open; what comes beyond them is closed at once. */
  get maxConnections(): number {
    return this.#most + spareConnections
  }

  get size(): number {
    return this.#count
  }

  /** Counts an exchange until it leaves; false when its connection is closed already, which nobody would tell it. */
  enter(socket: Socket, exchange: Exchange): boolean {
    if (socket.closed) return false
    this.#count++
    let connection = this.#connections.get(socket)
    if (!connection) {
      connection = { exchanges: [] }
      this.#connections.set(socket, connection)
      socket.once('close', () => this.#gone(socket))
    }
    connection.exchanges.push(exchange)
    return true
  }

  leave(socket: Socket, exchange: Exchange): void {
    const exchanges = this.#connections.get(socket)?.exchanges ?? []
    const at = exchanges.lastIndexOf(exchange)
    if (at === -1) return
    if (at === exchanges.length - 1) exchanges.pop()
    else exchanges.splice(at, 1)
    this.#count--
    if (this.#count === 0) for (const tell of this.#idle.splice(0)) tell()
  }

  /** Resolves as soon as no exchange is under way. */
  idle(): Promise<void> {
    if (this.#count === 0) return Promise.resolve()
    return new Promise((resolve) => this.#idle.push(resolve))
  }

  /** Ends whatever is under way. */
  abandon(): void {
    for (const socket of [...this.#connections.keys()]) this.#gone(socket)
  }

  #gone(socket: Socket): void {
    const exchanges = [...(this.#connections.get(socket)?.exchanges ?? [])]
    for (const exchange of exchanges) exchange.clientGone()
    this.#connections.delete(socket)
  }
}

/**
 * A client's connection with what is under way on it: one exchange, or more when requests are pipelined. An array,
 * because a Set that is filled and emptied for each request keeps its elements alive through V8's replaced tables.
 */
interface Connection {
  readonly exchanges: Exchange[]
}

/** Half of the descriptors that the process may open beyond the kept ones; unlimited where that cannot be read. */
function maxExchanges(): number {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
    return soft === undefined
      ? Number.POSITIVE_INFINITY
      : Math.max(16, Math.floor((Number(soft) - keptDescriptors) / 2))
  } catch {
    return Number.POSITIVE_INFINITY
  }
}
