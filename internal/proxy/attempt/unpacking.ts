import type { Transform } from 'node:stream'
import { codingOf } from '../upstream/codings.ts'

/** So many bytes wait to be unpacked before the upstream has to wait. */
const maxWaiting = 65_536

/** What one chunk may unpack to, in bytes; more is no stream of events but an attack, and nobody looks into it any more. */
const maxUnpacked = 16_777_216

const nothing = Buffer.alloc(0)

/** Who is told what the chunks unpack to. */
export interface UnpackingListener {
  /** A chunk as it came with what it completes; null in place of that: the rest cannot be unpacked. */
  unpacked(chunk: Buffer, plain: Buffer | null): void
  /** Nothing waits any more. */
  caughtUp(): void
}

/** Unpacks a stream beside it, in order: what goes on to the client are the chunks as they came, each once it has been read. */
export class Unpacking {
  readonly #coding: string
  readonly #listener: UnpackingListener
  #unpacker: Transform | null = null
  #queue: Buffer[] = []
  #waiting = 0
  #plain: Buffer[] = []
  #plainLength = 0
  #isBlind = false
  #isOver = false
  #then: (() => void) | null = null

  /** Of a coding that is known. */
  constructor(coding: string, listener: UnpackingListener) {
    this.#coding = coding
    this.#listener = listener
  }

  /** Takes the next chunk; false when the upstream is to wait until `caughtUp`. */
  push(chunk: Buffer): boolean {
    this.#waiting += chunk.length
    if (this.#queue.push(chunk) === 1) this.#next()
    return this.#waiting < maxWaiting
  }

  /** Calls `then` when all that has come so far is told; no more comes. */
  end(then: () => void): void {
    if (this.#queue.length === 0) then()
    else this.#then = then
  }

  /** Tells nothing more. */
  stop(): void {
    this.#isOver = true
    this.#queue = []
    this.#unpacker?.destroy()
  }

  #next(): void {
    const chunk = this.#queue[0] as Buffer
    const unpacker = this.#isBlind ? null : (this.#unpacker ?? this.#begin(chunk[0] ?? 0))
    if (unpacker === null) this.#told(null)
    // One that fails says so by its error alone.
    else unpacker.write(chunk, () => this.#isBlind || this.#told(this.#taken()))
  }

  #begin(first: number): Transform | null {
    const unpacker = codingOf(this.#coding)?.unpacker(first) ?? null
    this.#unpacker = unpacker
    unpacker?.on('error', () => this.#goBlind())
    unpacker?.on('data', (plain: Buffer) => {
      if (this.#isBlind) return
      this.#plain.push(plain)
      this.#plainLength += plain.length
      if (this.#plainLength > maxUnpacked) this.#goBlind()
    })
    return unpacker
  }

  /** From now on nobody looks into it. */
  #goBlind(): void {
    if (this.#isBlind) return
    this.#isBlind = true
    this.#plain = []
    this.#unpacker?.destroy()
    if (this.#queue.length > 0) this.#told(null)
  }

  #taken(): Buffer {
    const [first = nothing] = this.#plain
    const plain = this.#plain.length <= 1 ? first : Buffer.concat(this.#plain)
    this.#plain = []
    this.#plainLength = 0
    return plain
  }

  /** Tells what has become of the first chunk that waits, and goes on to the next. */
  #told(plain: Buffer | null): void {
    const chunk = this.#queue.shift()
    if (this.#isOver || !chunk) return
    this.#waiting -= chunk.length
    this.#listener.unpacked(chunk, plain)
    if (this.#isOver) return
    if (this.#queue.length > 0) this.#next()
    else if (this.#then) this.#then()
    else this.#listener.caughtUp()
  }
}
