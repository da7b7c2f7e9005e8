import type { LookupFunction } from 'node:net'
import { Readable } from 'node:stream'
import { buildConnector, type Dispatcher, Pool } from 'undici'
import type { Clock } from '../../clock/clock.ts'
import {
  ConnectionsInUse,
  hasUnexpectedCoding,
  InvalidResponse,
  maxHeaderSize,
  maxInformational,
  type OutgoingRequest,
  type ResponseListener,
  type Sending,
  type Transport,
  type TransportLoad,
  type TransportSettings,
  unexpectedTransferCoding,
  WaitLimit,
} from '../../http1/http1.ts'
import type { Connector } from '../../outbound/outbound.ts'

/** What the transport works with beside its settings. */
interface UndiciTransportDeps {
  readonly lookup: LookupFunction
  readonly clock: Clock
  /** A request was refused because all connections stayed in use. */
  onCrowded(): void
  /** Opens connections through a proxy; null: they are made directly. */
  readonly connect: Connector | null
}

/** Connections to one origin through undici's own client: through a proxy, or for a Node that does not expose its parser. */
export class UndiciTransport implements Transport {
  readonly #pool: Pool
  /** Those that wait for a connection, since when: monotonic ms. */
  readonly #waiting = new Map<Handler, number>()
  readonly #waitLimit: WaitLimit
  readonly #clock: Clock

  constructor(origin: string, settings: TransportSettings, { lookup, clock, onCrowded, connect }: UndiciTransportDeps) {
    const { connectMs, headMs, idleMs, connections } = settings
    this.#clock = clock
    this.#waitLimit = new WaitLimit(clock, Math.min(1_000, connectMs), () => {
      const isFull = this.#pool.stats.running >= connections
      for (const [handler, since] of this.#waiting) {
        if (!isFull || clock.mono() - since < connectMs) break
        onCrowded()
        handler.fail(new ConnectionsInUse(new URL(origin).host, connections))
      }
      return this.#waiting.size > 0
    })
    this.#pool = new Pool(origin, {
      connections,
      pipelining: 1,
      allowH2: false,
      headersTimeout: headMs,
      bodyTimeout: idleMs,
      maxHeaderSize,
      connect: namingResets(connect ?? buildConnector({ timeout: connectMs, lookup, allowH2: false })),
    })
  }

  send({ method, path, headers, body }: OutgoingRequest, listener: ResponseListener): void {
    const length = body.held ? body.bytes.length : body.length
    const sent = body.held ? (length === 0 ? null : Readable.from(body.bytes.parts, { objectMode: false })) : body.rest
    // It does not say when the kernel has the bytes: their memory is not used again.
    if (body.held) body.bytes.sending()
    const framed = sent === null || length === null ? headers : [...headers, 'content-length', String(length)]
    const handler: Handler = new Handler(listener, () => this.#waiting.delete(handler))
    this.#waiting.set(handler, this.#clock.mono())
    this.#waitLimit.begin()
    this.#pool.dispatch({ method, path, headers: [...framed], body: sent }, handler)
  }

  get load(): TransportLoad {
    return { open: this.#pool.stats.connected, waiting: this.#waiting.size }
  }

  close(): void {
    void this.#pool.close()
  }

  destroy(): void {
    this.#waitLimit.end()
    void this.#pool.destroy()
  }
}

/**
 * undici takes a reset (by its code) for the end of an answer that only the end of its connection delimits, so that a part
 * would pass for the whole: under another code it is an error like any other.
 */
function namingResets(connect: Connector): Connector {
  return (options, opened) =>
    connect(options, (...result) => {
      const [, socket] = result
      socket?.on('error', (error: NodeJS.ErrnoException) => {
        if (error.code === 'ECONNRESET') error.code = 'ERR_UPSTREAM_RESET'
      })
      opened(...result)
    })
}

/** Nobody waits for this answer any more. */
class Unwanted extends Error {
  override readonly name = 'Unwanted'
}

/** undici's handler on one side, a listener on the other. */
class Handler implements Dispatcher.DispatchHandler, Sending {
  readonly #listener: ResponseListener
  #controller: Dispatcher.DispatchController | null = null
  #informational = 0
  #isOver = false
  readonly #onWaited: () => void

  /** `onWaited` is told when it waits for a connection no more. */
  constructor(listener: ResponseListener, onWaited: () => void) {
    this.#listener = listener
    this.#onWaited = onWaited
    listener.onSend(this, false)
  }

  abort(): void {
    this.#isOver = true
    this.#onWaited()
    this.#controller?.abort(new Unwanted())
  }

  /** There is no answer, or no more of it. */
  fail(error: Error): void {
    if (this.#isOver) return
    this.#onWaited()
    this.#isOver = true
    this.#listener.onError(error)
  }

  resume(): void {
    this.#controller?.resume()
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // Thrown, undici takes the request out of its queue and keeps the connection.
    if (this.#isOver) throw new Unwanted()
    this.#onWaited()
    this.#controller = controller
    this.#listener.onSend(this, true)
  }

  onResponseStart({ rawHeaders }: Dispatcher.DispatchController, status: number): void {
    if (status < 200) {
      if (++this.#informational > maxInformational) throw new InvalidResponse('too many informational answers')
      return
    }
    const headers = rawPairs(rawHeaders)
    for (let at = 0; at < headers.length; at += 2) {
      if (hasUnexpectedCoding(headers[at] as string, headers[at + 1] as string))
        throw new InvalidResponse(unexpectedTransferCoding)
    }
    this.#listener.onHead(status, headers)
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#isOver && !this.#listener.onData(chunk)) controller.pause()
  }

  onResponseEnd(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#listener.onComplete()
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.fail(error)
  }
}

/** Raw headers as undici has them, as text: a byte in each character. */
function rawPairs(raw: Dispatcher.DispatchController['rawHeaders']): string[] {
  if (!Array.isArray(raw)) throw new InvalidResponse('headers that are not raw pairs')
  return raw.map((part) => (typeof part === 'string' ? part : part.toString('latin1')))
}
