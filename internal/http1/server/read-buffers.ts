import { bufferPool, longestPooled } from '../body/buffer-pool.ts'
import type { Memory } from '../body/held-body.ts'

/** Nearly all reads of all connections go into this one. */
const shared = Buffer.allocUnsafeSlow(longestPooled)

/**
 * When so much of a body has come, and more is missing, it is read into pooled buffers, each of which becomes a part of it if a
 * read nearly fills it. One that is only announced to be long takes none.
 */
const longBody = 65_536
const nearlyFull = 49_152

/** Where one connection reads to. */
export class ReadBuffers {
  #own: Buffer | null = null

  /** The buffer for the next read, when so many bytes of a body have not come, and so many have. */
  next(missing: number, taken: number): Buffer {
    if (missing <= longBody || taken < longBody) this.#own = null
    else this.#own ??= bufferPool.take(longestPooled)
    return this.#own ?? shared
  }

  /** Whose the memory of a read is: a pooled buffer is given away with what fills it, everything else is only lent. */
  memoryOf(buffer: Buffer, length: number): Memory {
    if (buffer !== this.#own || length <= nearlyFull) return 'lent'
    this.#own = null
    return 'pooled'
  }
}
