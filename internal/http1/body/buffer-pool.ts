/** Lengths of pooled buffers: a body takes the shortest that holds it, so that less than half of one is wasted. */
const lengths = [16_384, 32_768, 65_536] as const

/** The longest buffer of the pool, in bytes. */
export const longestPooled = 65_536

/** So many of each length are kept for the next bodies. */
const maxKept = 128

/**
 * Memory for bodies that is used again. What is allocated for each body lies outside of V8's heap, and its coming and
 * going alone makes V8 collect the whole heap every few megabytes.
 */
class PooledBuffers {
  readonly #free = new Map<number, Buffer[]>(lengths.map((length) => [length, []]))

  /** A pooled buffer of at least that many bytes, or the longest; what is in it is from somebody else. */
  take(bytes: number): Buffer {
    const length = lengths.find((each) => each >= bytes) ?? longestPooled
    return this.#free.get(length)?.pop() ?? Buffer.allocUnsafeSlow(length)
  }

  /** Takes the pooled buffer back that `part` is a part of. Nobody may look at it any more, nor the kernel have to read it. */
  give(part: Buffer): void {
    const free = this.#free.get(part.buffer.byteLength)
    if (free && free.length < maxKept) free.push(Buffer.from(part.buffer))
  }
}

export const bufferPool = new PooledBuffers()
