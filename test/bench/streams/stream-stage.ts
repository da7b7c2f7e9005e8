import type { ChildProcess } from 'node:child_process'
import { ask, residentBytes } from '../process.ts'
import type { Running } from '../variants.ts'
import { queuedBytes } from './queued.ts'
import type { StreamOrder } from './stream-load.ts'
import type { OriginOrder, OriginReport } from './stream-origin.ts'

/** The proxy, the origin and the readers of open streams, and how to talk to them. */
export class Stage {
  readonly proxy: Running
  readonly pid: number
  readonly #origin: { readonly port: number; readonly process: ChildProcess }
  readonly #load: ChildProcess

  constructor(proxy: Running, origin: { readonly port: number; readonly process: ChildProcess }, load: ChildProcess) {
    this.proxy = proxy
    this.pid = proxy.pids()[0] ?? 0
    this.#origin = origin
    this.#load = load
  }

  get residentBytes(): number {
    return residentBytes(this.pid)
  }

  load<T>(order: StreamOrder): Promise<T> {
    return ask<T>(this.#load, order)
  }

  origin(kind: OriginOrder['kind']): Promise<OriginReport> {
    return ask<OriginReport>(this.#origin.process, { kind })
  }

  /** Opens that many streams more; resolves with how many came a second. */
  async open(count: number): Promise<number> {
    const { port } = this.proxy
    const { seconds } = await this.load<{ seconds: number }>({
      kind: 'open',
      count,
      port,
      request: requestOf(this.proxy, 'stream'),
    })
    return count / seconds
  }

  /** Asks for a flood and reads nothing of it; resolves with a look at who holds what of it. */
  async stall(): Promise<() => Promise<Held>> {
    const { port } = this.proxy
    const reader = await this.load<{ port: number }>({ kind: 'stall', port, request: requestOf(this.proxy, 'flood') })
    return async () => {
      const { flood } = await this.origin('report')
      if (!flood) throw new Error('the origin was not asked for a flood')
      const kernelBytes = queuedBytes([
        [reader.port, port],
        [flood.port, this.#origin.port],
      ])
      return { kernelBytes, proxyBytes: flood.takenBytes - kernelBytes }
    }
  }
}

/** What is under way between the origin that sends and the reader that does not read. */
export interface Held {
  readonly kernelBytes: number
  readonly proxyBytes: number
}

function requestOf({ path, headers }: Running, what: string): string {
  const body = JSON.stringify({ model: 'gpt-5', messages: [], stream: true })
  const fields = Object.entries({ host: '127.0.0.1', ...headers, 'content-length': String(body.length) })
  return `POST ${path}?${what} HTTP/1.1\r\n${fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`
}
