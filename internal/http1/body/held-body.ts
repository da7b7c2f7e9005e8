import { bufferPool, longestPooled } from './buffer-pool.ts'

/** Up to this length a body gets memory of its own; a pooled buffer would take more than it saves. */
const smallBody = 8_192

/** A shorter piece is copied behind the one before it: alone, its bookkeeping would take more memory than its bytes. */
const smallPiece = 16_384

/** Who owns the memory of a piece: the body (`own`), the caller until `keep` (`lent`), or the buffer pool, from which it is given to the body (`pooled`). */
export type Memory = 'own' | 'lent' | 'pooled'

/**
 * A body that is here completely, or is being gathered, in pieces. Its memory is used again for other bodies, once it is
 * released and no connection has to send from it any more; where that is not known, it is left to the garbage collector.
 */
export class HeldBody {
  #parts: Buffer[] = []
  /** All of a small body that is only lent. */
  #lent: Buffer | null = null
  /** All of a small body, a byte in each character: V8 makes and forgets strings much more cheaply than buffers. */
  #text: string | null = null
  /** Those of the parts that lie in pooled buffers. */
  #pooledParts: Buffer[] = []
  #buffer: Buffer | null = null
  /** How much of the pooled buffer is in use. */
  #used = 0
  #length = 0
  readonly #expected: number
  #sending = 0
  #isReleased = false

  /** `expected`: how long it will be, as far as that is known. */
  constructor(expected: number | null = null) {
    this.#expected = expected ?? Number.POSITIVE_INFINITY
  }

  get length(): number {
    return this.#length
  }

  /** How many bytes of memory it takes, as far as that is not its own bookkeeping. */
  get memory(): number {
    return this.#buffer ? this.#length + this.#buffer.length - this.#used : this.#length
  }

  add(piece: Buffer, memory: Memory = 'own'): void {
    if (memory === 'lent') this.#addLent(piece)
    else if (memory === 'own' && piece.length < smallPiece && this.#parts.length + this.#used > 0) this.#append(piece)
    else {
      this.#closeBuffer()
      this.#parts.push(piece)
      if (memory === 'pooled') this.#pooledParts.push(piece)
    }
    this.#length += piece.length
  }

  /** Makes what is only lent its own. */
  keep(): void {
    if (this.#lent === null) return
    this.#text = this.#lent.toString('latin1')
    this.#lent = null
  }

  /** All of it, a byte in each character, if it is kept so; otherwise null. */
  get text(): string | null {
    this.keep()
    return this.#text
  }

  /** The pieces in their order; they are not changed any more. Throws when they have been given to another body. */
  get parts(): readonly Buffer[] {
    if (this.#isReleased && this.#sending === 0) throw new Error('this body has been released')
    if (this.text !== null) {
      this.#parts = [Buffer.from(this.text, 'latin1')]
      this.#text = null
    }
    this.#closeBuffer()
    return this.#parts
  }

  /** All of it; null when it is empty. */
  whole(): Buffer | null {
    const { parts } = this
    if (parts.length <= 1) return parts[0] ?? null
    return Buffer.concat(parts, this.#length)
  }

  /** A connection sends from it, until `sent`; a connection that breaks never says so. */
  sending(): void {
    this.#sending++
  }

  /** A connection has sent all of it: the kernel has its copy. */
  sent(): void {
    this.#sending--
    this.#recycle()
  }

  /** Nobody needs it any more, but connections that send from it. */
  release(): void {
    if (this.#isReleased) return
    this.#isReleased = true
    this.#lent = null
    this.#text = null
    this.#closeBuffer()
    this.#recycle()
  }

  #recycle(): void {
    if (!this.#isReleased || this.#sending > 0) return
    for (const part of this.#pooledParts) bufferPool.give(part)
    this.#pooledParts = []
    this.#parts = []
  }

  #addLent(piece: Buffer): void {
    if (this.#expected > smallBody) this.#append(piece)
    else if (piece.length === this.#expected) this.#lent = piece
    else {
      // All of it at once: of many tiny pieces each would take more than its bytes.
      if (this.#length === 0) this.#buffer = Buffer.allocUnsafeSlow(this.#expected)
      this.#append(piece)
    }
  }

  #append(piece: Buffer): void {
    let from = 0
    while (from < piece.length) {
      this.#buffer ??= bufferPool.take(this.#nextLength(piece.length - from))
      const copied = piece.copy(this.#buffer, this.#used, from)
      from += copied
      this.#used += copied
      if (this.#used === this.#buffer.length) this.#closeBuffer()
    }
  }

  /** How long the next pooled buffer is to be for a piece of that length: no more is taken on trust than has come. */
  #nextLength(length: number): number {
    const missing = this.#expected - this.#length
    return Math.min(Math.max(length, Math.min(missing, this.#length)), longestPooled)
  }

  #closeBuffer(): void {
    const buffer = this.#buffer
    if (!buffer) return
    const filled = buffer.subarray(0, this.#used)
    this.#buffer = null
    // A pooled buffer with little in it would go on taking its whole length.
    if (this.#used * 2 < buffer.length) {
      const copy = Buffer.allocUnsafeSlow(filled.length)
      filled.copy(copy)
      this.#parts.push(copy)
      bufferPool.give(buffer)
    } else {
      this.#parts.push(filled)
      this.#pooledParts.push(filled)
    }
    this.#used = 0
  }
}
