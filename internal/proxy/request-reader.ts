import type { DirectRequest } from './direct-request.ts'
import type { Memory } from './held-body.ts'
import { type ParsedHead, RequestParser } from './request-parser.ts'

const nothing = Buffer.alloc(0)

/** Who is told of the requests of a connection, in the order of their bytes. */
export interface ReaderOwner {
  /** The request of that head; null when it is not plain, or nobody is served any more. */
  begin(head: ParsedHead): DirectRequest | null
  /** The whole of a request has come. */
  ended(request: DirectRequest): void
}

/**
 * Cuts what comes on a connection into requests. A body is counted, not parsed: its length stands in the head, and the
 * parser would make a copy of each piece. What comes behind it is parsed anew, as a request.
 */
export class RequestReader {
  readonly #owner: ReaderOwner
  readonly #parser: RequestParser
  #reading: DirectRequest | null = null
  #missing = 0
  #isForeign = false
  /** What has come that is no plain request, or one in part, and all that has followed. */
  behind = nothing

  constructor(maxHeaderSize: number, owner: ReaderOwner) {
    this.#owner = owner
    this.#parser = new RequestParser(maxHeaderSize, { requestHead: (head) => this.#head(head) })
  }

  /** The request whose body is being read. */
  get reading(): DirectRequest | null {
    return this.#reading
  }

  /** Whether anything has: whatever comes now is only kept. */
  get isForeign(): boolean {
    return this.#isForeign
  }

  /** How many bytes of its body have not come. */
  get missing(): number {
    return this.#missing
  }

  take(chunk: Buffer, memory: Memory): void {
    if (this.#isForeign) {
      this.#keep(chunk)
      return
    }
    let rest = chunk
    // A slab is given away as a whole or not at all.
    const whose = memory === 'slab' && chunk.length > this.#missing ? 'lent' : memory
    while (rest.length > 0) {
      if (this.#reading) rest = this.#takeBody(this.#reading, rest, whose)
      else {
        const used = this.#parser.take(rest)
        if (!this.#reading) {
          this.#isForeign = true
          this.#keep(rest)
          return
        }
        rest = rest.subarray(used)
        if (this.#missing === 0) this.#end(this.#reading)
      }
    }
  }

  #keep(bytes: Buffer): void {
    this.behind = Buffer.concat([this.behind, bytes])
  }

  close(): void {
    this.#parser.close()
  }

  #head(head: ParsedHead): boolean {
    // What is not for us is parsed to its end, and what follows it, too.
    const request = this.#isForeign ? null : this.#owner.begin(head)
    if (request === null) {
      this.#isForeign = true
      return false
    }
    this.#reading = request
    this.#missing = request.frame.length ?? 0
    return true
  }

  /** Takes what belongs to the body, and returns what comes behind it. */
  #takeBody(request: DirectRequest, bytes: Buffer, memory: Memory): Buffer {
    const hasMore = bytes.length > this.#missing
    const body = hasMore ? bytes.subarray(0, this.#missing) : bytes
    const behind = hasMore ? bytes.subarray(this.#missing) : nothing
    this.#missing -= body.length
    request.take(body, memory)
    if (this.#missing === 0) this.#end(request)
    return behind
  }

  #end(request: DirectRequest): void {
    this.#reading = null
    this.#parser.restart()
    this.#owner.ended(request)
  }
}
