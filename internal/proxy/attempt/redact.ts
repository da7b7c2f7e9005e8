const star = 42

/**
 * Masks a secret in bytes that go to a client, star by star, so that no length changes. Made for error bodies, where
 * upstreams repeat what they were sent; it also finds the secret percent-encoded and across the borders of chunks.
 */
export class Redactor {
  readonly #needles: readonly Buffer[]
  readonly #longest: number
  /** The end of what has come, which may be the beginning of a secret. */
  #tail: Buffer = Buffer.alloc(0)

  constructor(secret: string) {
    const spellings = new Set([secret, encodeURIComponent(secret)])
    this.#needles = [...spellings].filter((text) => text !== '').map((text) => Buffer.from(text))
    this.#longest = Math.max(1, ...this.#needles.map((needle) => needle.length))
  }

  /** Whether the secret is in `bytes`. */
  finds(bytes: Buffer): boolean {
    return this.#needles.some((needle) => bytes.includes(needle))
  }

  /** The whole of something, masked; the same object when there was nothing to mask. */
  whole(bytes: Buffer): Buffer {
    return this.finds(bytes) ? this.#masked(Buffer.from(bytes)) : bytes
  }

  #text(value: string): string {
    const bytes = Buffer.from(value, 'latin1')
    return this.finds(bytes) ? this.#masked(bytes).toString('latin1') : value
  }

  /** Masks the values of raw headers in place. */
  headers(headers: string[]): void {
    for (let at = 1; at < headers.length; at += 2) headers[at] = this.#text(headers[at] as string)
  }

  /** What of a stream can go on now; the rest comes with the next chunk or with `end`. */
  chunk(bytes: Buffer): Buffer {
    const all = this.#masked(Buffer.concat([this.#tail, bytes]))
    const keep = Math.min(all.length, this.#longest - 1)
    this.#tail = all.subarray(all.length - keep)
    return all.subarray(0, all.length - keep)
  }

  /** What was still kept back. */
  end(): Buffer {
    const rest = this.#tail
    this.#tail = Buffer.alloc(0)
    return rest
  }

  #masked(bytes: Buffer): Buffer {
    for (const needle of this.#needles) {
      for (let at = bytes.indexOf(needle); at !== -1; at = bytes.indexOf(needle, at)) {
        bytes.fill(star, at, at + needle.length)
      }
    }
    return bytes
  }
}
