import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import type { Clock } from '../../clock/clock.ts'
import { reset } from '../../http1/http1.ts'
import { closeFrame, type Found, FrameReader } from './frames.ts'
import { isFailure } from './late-failure.ts'
import { Opening, type OpeningDeps, type OpeningJudge } from './opening.ts'
import type { TurnCount } from './turn-count.ts'

/** What a tunnel calls with the server's messages, and at its end. */
export interface TunnelListener extends OpeningJudge {
  /** `severed`: the upstream broke off, or closed before a word was said. */
  ended(how: 'finished' | 'severed'): void
}

/** The Close code on which clients come again (RFC 6455, 7.4.1, and the IANA registry of WebSocket close codes). */
export const serviceRestart = 1012
const internalFault = 1011

/** What the two sides get to end by themselves, in ms: the present frame, or the connection after a Close. */
const closeTimeoutMs = 1_000

/** An upstream that has been quiet for so long after its last word, in ms, is taken to have nothing more to say. */
const quietMs = 1_000

/** How we close. */
interface Closing {
  readonly code: number
  readonly reason: string
}

/**
 * The client's side of one WebSocket, in the form in which http-proxy wants it: what is written comes from the server,
 * what is read comes from the client. The first messages of the server are held back until one of them is neither an
 * error nor a mere lifecycle event.
 */
export class WebSocketTunnel extends Duplex {
  readonly #clock: Clock
  readonly #listener: TunnelListener
  readonly #frames = new FrameReader()
  readonly #deps: OpeningDeps
  #opening: Opening
  /** Whether the client has been sent a part of a frame whose rest is held back. */
  #hasPartialFrame = false
  #client: Socket | null = null
  #count: TurnCount | null = null
  #headDropped = false
  #blocked: (() => void) | null = null
  #closing: Closing | null = null
  /** The server has begun the closing handshake, or answered it. */
  #closeSeen = false
  #over = false
  #serverSpokeLast = true
  #spokenAt: number

  constructor(listener: TunnelListener, deps: OpeningDeps) {
    super({ allowHalfOpen: true })
    this.#listener = listener
    this.#clock = deps.clock
    this.#deps = deps
    this.#spokenAt = deps.clock.mono()
    this.#opening = this.#newOpening()
    this.on('error', () => {})
  }

  #newOpening(): Opening {
    const opening = {
      pass: (chunks: readonly Buffer[], unseen: readonly Found[]) => this.#pass(chunks, unseen),
      turnAway: () => this.close(serviceRestart, 'come again: another member serves'),
      decided: () => this.#goOn(),
    }
    return new Opening(this.#listener, opening, this.#deps)
  }

  /** Whether nobody waits for an answer, as far as that can be seen from outside. */
  get isQuiet(): boolean {
    return this.#serverSpokeLast && this.#clock.mono() - this.#spokenAt >= quietMs
  }

  /** From now on the client is `client`, whose 101 has been written; it is paused. The turns are counted with `count`. */
  open(client: Socket, count: TurnCount | null): void {
    this.#client = client
    this.#count = count
    client.on('data', this.#onData).on('end', this.#onEnd).on('drain', this.#onDrain)
    this.#opening.begin()
  }

  /** Closes the client's connection as soon as the server's present frame is whole, and lets the upstream go. */
  close(code: number, reason: string): void {
    if (this.#over || this.#closing) return
    this.#closing = { code, reason }
    if (this.#mayClose()) return
    this.#clock.after(closeTimeoutMs, () => this.#end('finished'))
  }

  /** The upstream is gone without a closing handshake. */
  broken(): void {
    // Otherwise its end comes after what is held back, and is noticed then.
    if (this.#over || this.#opening.isUndecided) return
    this.#flush()
    this.#closing = { code: internalFault, reason: 'the upstream broke off' }
    this.#end('severed')
  }

  /** Nobody wants it any more. */
  abandon(): void {
    if (this.#over) return
    this.#stop()
    this.#client?.destroy()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    if (!this.#headDropped) {
      // http-proxy's own copy of the upstream's 101: the client has been given ours.
      this.#headDropped = true
      done()
      return
    }
    this.#serverSpokeLast = true
    this.#spokenAt = this.#clock.mono()
    this.#take(chunk)
    if (!this.#over && (this.#opening.isUndecided || this.#client?.writableNeedDrain)) this.#blocked = done
    else done()
  }

  override _read(): void {
    if (!this.#over) this.#client?.resume()
  }

  override _final(done: () => void): void {
    if (!this.#over && this.#closeSeen) {
      this.#flush()
      this.#end('finished')
    } else this.broken()
    done()
  }

  setTimeout(): this {
    return this
  }

  setNoDelay(): this {
    return this
  }

  setKeepAlive(): this {
    return this
  }

  #take(chunk: Buffer): void {
    if (this.#over) return
    const found = this.#frames.push(chunk)
    this.#count?.read(found)
    if (this.#opening.isOver) this.#forwardUnlessFailing(chunk, found)
    else this.#opening.take(chunk, found, this.#frames.atBoundary)
    if (found.some(({ kind }) => kind === 'close')) this.#closeSeen = true
    if (this.#closing) this.#mayClose()
  }

  /** Lets chunks go on; `unseen` is what of the last one has not been looked at. */
  #pass(chunks: readonly Buffer[], unseen: readonly Found[]): void {
    for (const chunk of chunks.slice(0, -1)) this.#client?.write(chunk)
    const last = chunks.at(-1)
    if (last) this.#forwardUnlessFailing(last, unseen)
  }

  /** What the server says in the middle goes on, but a failure is held back from its beginning until it is decided what becomes of it. */
  #forwardUnlessFailing(chunk: Buffer, found: readonly Found[]): void {
    const first = found.findIndex((one) => isFailure(one, this.#listener))
    const failing = found[first]
    if (failing?.kind !== 'text') {
      this.#client?.write(chunk)
      return
    }
    this.#hasPartialFrame = failing.at === null
    const at = failing.at ?? 0
    if (at > 0) this.#client?.write(chunk.subarray(0, at))
    this.#opening = this.#newOpening()
    this.#opening.clientSpoke()
    this.#opening.take(chunk.subarray(at), found.slice(first), this.#frames.atBoundary)
  }

  #flush(): void {
    if (!this.#opening.isOver) this.#opening.flush()
  }

  /** Closes if that is possible here: between two frames, or before the first has gone on. */
  #mayClose(): boolean {
    if (this.#opening.isOver && !this.#frames.atBoundary) return false
    this.#end('finished')
    return true
  }

  #end(how: 'finished' | 'severed'): void {
    if (this.#over) return
    const client = this.#client
    // What is held is dropped, a Close of the server's with it.
    const mayWrite = !this.#opening.isOver || (this.#frames.atBoundary && !this.#closeSeen)
    this.#stop()
    if (this.#hasPartialFrame && client) reset(client)
    else this.#closeClient(client, mayWrite ? this.#closing : null)
    this.#listener.ended(this.#opening.closedBeforeAnyMessage ? 'severed' : how)
  }

  #closeClient(client: Socket | null, closing: Closing | null): void {
    if (closing) client?.write(closeFrame(closing.code, closing.reason))
    client?.end()
    client?.resume()
    this.#clock.after(closeTimeoutMs, () => client?.destroy())
  }

  #stop(): void {
    this.#over = true
    this.#count?.end()
    this.#opening.drop()
    this.#client?.off('data', this.#onData).off('end', this.#onEnd).off('drain', this.#onDrain)
    this.#onDrain()
    this.push(null)
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#serverSpokeLast = false
    this.#opening.clientSpoke()
    this.#spokenAt = this.#clock.mono()
    if (!this.push(chunk)) this.#client?.pause()
  }

  readonly #onEnd = (): void => {
    if (this.#closeSeen) this.#end('finished')
    else this.#client?.destroy()
  }

  #goOn(): void {
    this.#hasPartialFrame = false
    if (!this.#client?.writableNeedDrain) this.#onDrain()
  }

  readonly #onDrain = (): void => {
    const done = this.#blocked
    this.#blocked = null
    done?.()
  }
}
