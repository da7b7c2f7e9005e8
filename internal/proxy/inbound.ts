import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import type { Exchange } from './exchange.ts'

/** Descriptors that are kept free for upstreams, the store and files. */
const keptDescriptors = 256

/** The exchanges that are under way on each client connection; it tells them when their client has left. */
export class Inbound {
  readonly #live = new Map<Socket, Set<Exchange>>()
  readonly #most: number
  readonly #idle: (() => void)[] = []
  #count = 0

  /** `most` exchanges at a time; more are turned away before descriptors run out. */
  constructor(most = mostExchanges()) {
    this.#most = most
  }

  /** Whether one more exchange could leave the process without descriptors: each may need two. */
  get isFull(): boolean {
    return this.#count >= this.#most
  }

  get size(): number {
    return this.#count
  }

  enter(socket: Socket, exchange: Exchange): void {
    this.#count++
    const known = this.#live.get(socket)
    if (known) {
      known.add(exchange)
      return
    }
    this.#live.set(socket, new Set([exchange]))
    socket.once('close', () => this.#gone(socket))
  }

  leave(socket: Socket, exchange: Exchange): void {
    if (!this.#live.get(socket)?.delete(exchange)) return
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
    for (const socket of this.#live.keys()) this.#gone(socket)
  }

  #gone(socket: Socket): void {
    const exchanges = [...(this.#live.get(socket) ?? [])]
    for (const exchange of exchanges) exchange.clientGone()
    this.#live.delete(socket)
  }
}

/** Half of the descriptors that the process may open beyond the kept ones; unlimited where that cannot be read. */
function mostExchanges(): number {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
    return soft === undefined
      ? Number.POSITIVE_INFINITY
      : Math.max(16, Math.floor((Number(soft) - keptDescriptors) / 2))
  } catch {
    return Number.POSITIVE_INFINITY
  }
}
