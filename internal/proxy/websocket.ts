import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import type { Clock } from '../clock/clock.ts'
import type { Outcome } from '../pool/pool.ts'
import { closeFrame, type Found, FrameReader } from './websocket-frames.ts'
import { Opening, type OpeningJudge } from './websocket-opening.ts'

/** Whom a WebSocket tells what its server says, and how it ended. */
export interface WebSocketOwner extends OpeningJudge {
  /** An error in the middle. */
  late(outcome: Outcome): void
  /** `severed`: the upstream broke off, or closed before a word was said. */
  ended(how: 'finished' | 'severed'): void
}

/** RFC 6455, 7.4.1, and the IANA registry: the client is asked to come again. */
export const serviceRestart = 1012
const internalFault = 1011

/** What the two sides get to end by themselves, in ms: the present frame, or the connection after a Close. */
const lastWordsMs = 1_000

/** An upstream that has been quiet for so long after its last word, in ms, is taken to have nothing more to say. */
const quietMs = 1_000

/**
 * The client's side of one WebSocket, in the form in which http-proxy wants it: what is written comes from the server,
 * what is read comes from the client. The first messages of the server are held back until one of them is neither an
 * error nor a mere lifecycle event.
 */
export class WebSocketTunnel extends Duplex {
  readonly #clock: Clock
  readonly #owner: WebSocketOwner
  readonly #frames = new FrameReader()
  readonly #opening: Opening
  #client: Socket | null = null
  #headDropped = false
  #blocked: (() => void) | null = null
  #closing: { readonly code: number; readonly reason: string } | null = null
  /** The server has begun the closing handshake, or answered it. */
  #closeSeen = false
  #over = false
  #serverSpokeLast = true
  #spokenAt: number

  constructor(owner: WebSocketOwner, clock: Clock) {
    super({ allowHalfOpen: true })
    this.#owner = owner
    this.#clock = clock
    this.#spokenAt = clock.mono()
    const fate = {
      pass: (chunks: readonly Buffer[], unseen: readonly Found[]) => this.#pass(chunks, unseen),
      turnAway: () => this.close(serviceRestart, 'come again: another member serves'),
      decided: () => this.#goOn(),
    }
    this.#opening = new Opening(owner, fate, clock)
    this.on('error', () => {})
  }

  /** Whether nobody waits for an answer, as far as that can be seen from outside. */
  get isQuiet(): boolean {
    return this.#serverSpokeLast && this.#clock.mono() - this.#spokenAt >= quietMs
  }

  /** From now on the client is `client`, whose 101 has been written; it is paused. */
  open(client: Socket): void {
    this.#client = client
    client.on('data', this.#onData).on('end', this.#onEnd).on('drain', this.#onDrain)
    this.#opening.begin()
  }

  /** Closes the client's connection as soon as the server's present frame is whole, and lets the upstream go. */
  close(code: number, reason: string): void {
    if (this.#over || this.#closing) return
    this.#closing = { code, reason }
    if (this.#mayClose()) return
    this.#clock.after(lastWordsMs, () => this.#end('finished'))
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
    if (this.#opening.isOver) this.#pass([chunk], found)
    else this.#opening.take(chunk, found, this.#frames.atBoundary)
    if (found.some(({ kind }) => kind === 'close')) this.#closeSeen = true
    if (this.#closing) this.#mayClose()
  }

  #pass(chunks: readonly Buffer[], found: readonly Found[]): void {
    for (const chunk of chunks) this.#client?.write(chunk)
    this.#look(found)
  }

  /** Looks for errors in what has gone on. */
  #look(found: readonly Found[]): void {
    for (const one of found) {
      if (one.kind !== 'text' || !one.payload.includes('"error"')) continue
      const meaning = this.#owner.meaning(one.payload.toString())
      if (typeof meaning === 'object' && meaning.kind !== 'success') this.#owner.late(meaning)
    }
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
    if (this.#closing && mayWrite) {
      client?.write(closeFrame(this.#closing.code, this.#closing.reason))
    }
    client?.end()
    client?.resume()
    this.#clock.after(lastWordsMs, () => client?.destroy())
    this.#owner.ended(this.#opening.isClosedMute ? 'severed' : how)
  }

  #stop(): void {
    this.#over = true
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
    if (!this.#client?.writableNeedDrain) this.#onDrain()
  }

  readonly #onDrain = (): void => {
    const done = this.#blocked
    this.#blocked = null
    done?.()
  }
}
