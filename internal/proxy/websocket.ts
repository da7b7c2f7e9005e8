import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import type { Cancel, Clock } from '../clock/clock.ts'
import type { EventMeaning } from '../dialect/dialect.ts'
import type { Outcome } from '../pool/pool.ts'
import { closeFrame, type Found, FrameReader } from './websocket-frames.ts'
import type { Fate } from './websocket-verdict.ts'

/** Whom a WebSocket tells what its server says, and how it ended. */
export interface WebSocketOwner {
  /** What a message of the server means. */
  meaning(message: string): EventMeaning
  /** Something went on that is no refusal, or nothing was said for a while; may be told again. */
  accepted(): void
  /** The server refused before anything went on: nothing goes on until `decide` is called. */
  refused(outcome: Outcome, decide: (fate: Fate) => void): void
  /** An error in the middle. */
  late(outcome: Outcome): void
  /** `severed`: the upstream broke off, or closed before a word was said. */
  ended(how: 'finished' | 'severed'): void
}

/** RFC 6455, 7.4.1, and the IANA registry: the client is asked to come again. */
export const serviceRestart = 1012
const internalFault = 1011

/** How long the beginning of a server's words is held back: as for streams over HTTP. */
const longestHoldMs = 2_000
const mostHeld = 65_536

/**
 * A server that has said nothing for so long after its 101, in ms, is taken to serve: it has accepted the key, it may be
 * waiting for a person to type, and while a member is being tested others wait for it.
 */
const longestSilenceMs = 2_000

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
  #client: Socket | null = null
  #headDropped = false
  #held: Buffer[] | null = []
  #heldBytes = 0
  #forgetHold: Cancel | null = null
  #forgetSilence: Cancel = () => {}
  /** It is being decided what becomes of a refusal. */
  #undecided = false
  /** Neither side has spoken, nor has it been open for long: whoever closes now is the first to say anything. */
  #isMute = true
  /** That was the server. */
  #isClosedMute = false
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
    this.#forgetSilence = this.#clock.after(longestSilenceMs, () => this.#settle())
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
    if (this.#over || this.#undecided) return
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
    if (!this.#over && (this.#undecided || this.#client?.writableNeedDrain)) this.#blocked = done
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
    if (this.#held) this.#hold(this.#held, chunk, found)
    else this.#pass(chunk, found)
    if (found.some(({ kind }) => kind === 'close')) this.#closeSeen = true
    if (this.#closing) this.#mayClose()
  }

  #hold(held: Buffer[], chunk: Buffer, found: readonly Found[]): void {
    if (held.length === 0 && this.#frames.atBoundary && found.every(({ kind }) => kind === 'control')) {
      // Pings say nothing, and have to be answered in time: they neither end the hold nor wait for it.
      this.#client?.write(chunk)
      return
    }
    held.push(chunk)
    this.#heldBytes += chunk.length
    this.#forgetSilence()
    for (const [at, one] of found.entries()) {
      const rest = found.slice(at + 1)
      if (one.kind === 'close') {
        this.#isClosedMute = this.#isMute
        this.#flush()
        return
      }
      const meaning = this.#meaning(one)
      if (meaning === 'lifecycle') continue
      if (typeof meaning === 'object' && meaning.kind !== 'success') this.#refuse(meaning, rest)
      else this.#accept(rest)
      return
    }
    if (this.#heldBytes >= mostHeld) this.#accept([])
    else this.#forgetHold ??= this.#clock.after(longestHoldMs, () => this.#accept([]))
  }

  #meaning(found: Found): EventMeaning {
    if (found.kind === 'text') return this.#owner.meaning(found.payload.toString())
    return found.kind === 'control' ? 'lifecycle' : 'content'
  }

  #settle(): void {
    this.#isMute = false
    this.#owner.accepted()
  }

  #accept(rest: readonly Found[]): void {
    this.#settle()
    this.#flush()
    this.#look(rest)
  }

  #refuse(outcome: Outcome, rest: readonly Found[]): void {
    this.#isMute = false
    this.#undecided = true
    this.#forgetHold?.()
    this.#owner.refused(outcome, (fate) => {
      this.#undecided = false
      if (this.#over) return
      if (fate === 'hide') this.close(serviceRestart, 'come again: another member serves')
      else {
        this.#flush()
        this.#look(rest)
      }
      if (!this.#client?.writableNeedDrain) this.#onDrain()
    })
  }

  #pass(chunk: Buffer, found: readonly Found[]): void {
    this.#client?.write(chunk)
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
    const held = this.#held
    this.#held = null
    this.#forgetHold?.()
    for (const chunk of held ?? []) this.#client?.write(chunk)
  }

  /** Closes if that is possible here: between two frames, or before the first has gone on. */
  #mayClose(): boolean {
    if (!this.#held && !this.#frames.atBoundary) return false
    this.#held = []
    this.#end('finished')
    return true
  }

  #end(how: 'finished' | 'severed'): void {
    if (this.#over) return
    const client = this.#client
    // What is held is dropped, a Close of the server's with it.
    const mayWrite = this.#held !== null || (this.#frames.atBoundary && !this.#closeSeen)
    this.#stop()
    if (this.#closing && mayWrite) {
      client?.write(closeFrame(this.#closing.code, this.#closing.reason))
    }
    client?.end()
    client?.resume()
    this.#clock.after(lastWordsMs, () => client?.destroy())
    this.#owner.ended(this.#isClosedMute ? 'severed' : how)
  }

  #stop(): void {
    this.#over = true
    this.#forgetHold?.()
    this.#forgetSilence()
    this.#held = null
    this.#client?.off('data', this.#onData).off('end', this.#onEnd).off('drain', this.#onDrain)
    this.#onDrain()
    this.push(null)
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#serverSpokeLast = false
    this.#isMute = false
    this.#spokenAt = this.#clock.mono()
    if (!this.push(chunk)) this.#client?.pause()
  }

  readonly #onEnd = (): void => {
    if (this.#closeSeen) this.#end('finished')
    else this.#client?.destroy()
  }

  readonly #onDrain = (): void => {
    const done = this.#blocked
    this.#blocked = null
    done?.()
  }
}
