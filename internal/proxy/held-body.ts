/** A shorter piece is copied behind the one before it: alone, its bookkeeping would take more memory than its bytes. */
const smallPiece = 16_384
const slabSize = 65_536

/**
 * A body that is here completely, or is being gathered, in the pieces in which it came. Long bodies are never copied
 * into one buffer: each of those would be memory outside of V8's heap, whose growth alone makes it collect the whole heap.
 */
export class HeldBody {
  readonly #parts: Buffer[] = []
  #slab: Buffer | null = null
  /** How much of the slab is in use. */
  #used = 0
  #length = 0

  get length(): number {
    return this.#length
  }

  add(piece: Buffer): void {
    this.#length += piece.length
    if (piece.length < smallPiece && this.#parts.length + this.#used > 0) this.#append(piece)
    else {
      this.#closeSlab()
      this.#parts.push(piece)
    }
  }

  /** The pieces in their order; they are not changed any more. */
  get parts(): readonly Buffer[] {
    this.#closeSlab()
    return this.#parts
  }

  /** All of it; null when it is empty. */
  whole(): Buffer | null {
    const { parts } = this
    if (parts.length <= 1) return parts[0] ?? null
    return Buffer.concat(parts, this.#length)
  }

  #append(piece: Buffer): void {
    if (this.#slab && this.#used + piece.length > this.#slab.length) this.#closeSlab()
    this.#slab ??= Buffer.allocUnsafeSlow(slabSize)
    piece.copy(this.#slab, this.#used)
    this.#used += piece.length
  }

  #closeSlab(): void {
    if (this.#slab) {
      const filled = this.#slab.subarray(0, this.#used)
      // A slab with little in it would go on taking its whole size.
      this.#parts.push(this.#used < smallPiece ? Buffer.from(filled) : filled)
    }
    this.#slab = null
    this.#used = 0
  }
}
