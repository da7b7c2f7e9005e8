import type { Memory } from '../body/held-body.ts'
import type { FastRequest } from './fast-request.ts'
import { type ParsedHead, RequestParser } from './request-parser.ts'

const nothing = Buffer.alloc(0)

/** What a RequestReader calls with the requests of a connection, in the order of their bytes. */
export interface RequestReaderListener {
  /** The request of that head. */
  begin(head: ParsedHead): FastRequest
  /** The whole of a request has come. */
  ended(request: FastRequest): void
}

/** Why no further request is read from the connection. */
export type ReadingEnd =
  /** That request was the last of its connection. */
  | { readonly why: 'closed' }
  /** It asks for another protocol: what follows is that, or nobody's. */
  | { readonly why: 'upgrade' }
  /** What came is no HTTP; node's code for it. */
  | { readonly why: 'fault'; readonly code: string }

const closed: ReadingEnd = { why: 'closed' }
const upgrade: ReadingEnd = { why: 'upgrade' }

/** How much of a body is gathered, in bytes, while its request waits behind another. */
const maxEarlyBytes = 65_536

/**
 * Cuts what comes on a connection into requests. A body of known length is counted, not parsed: the parser would make a
 * copy of each piece. What comes behind it is parsed anew, as a request.
 */
export class RequestReader {
  readonly #listener: RequestReaderListener
  readonly #parser: RequestParser
  #reading: FastRequest | null = null
  #missing = 0
  #end: ReadingEnd | null = null
  /** What has come behind a request that asks for another protocol. */
  behind = nothing
  /** Whether anything has come that nobody will look at. */
  hasSurplus = false

  constructor(maxHeaderSize: number, listener: RequestReaderListener) {
    this.#listener = listener
    this.#parser = new RequestParser(maxHeaderSize, {
      requestHead: (head) => this.#head(head),
      requestBody: (piece) => this.#reading?.take(piece, 'own'),
      requestEnd: (trailers) => this.#trailed(trailers),
    })
  }

  /** The request whose body is being read. */
  get reading(): FastRequest | null {
    return this.#reading
  }

  /** Why no more requests are read; null while they are. */
  get end(): ReadingEnd | null {
    return this.#end
  }

  /** Whether a part of a head has come. */
  get isInHead(): boolean {
    return this.#reading === null && this.#end === null && this.#parser.isInHead
  }

  /** Whether more has come than is gathered for a request that has to wait for the one before it, `serving`. */
  hasGathered(serving: FastRequest | null): boolean {
    if (this.behind.length > maxEarlyBytes) return true
    return this.#reading !== null && this.#reading !== serving && this.#reading.gathered.length > maxEarlyBytes
  }

  /** Whether something comes, as far as can be seen, that nobody will read. */
  get expectsMore(): boolean {
    return this.#reading !== null || this.hasSurplus || (this.#end !== null && this.#end.why !== 'closed')
  }

  /** How many bytes of a body of known length have not come. */
  get missing(): number {
    return this.#missing
  }

  /** How many bytes of it have come. */
  get taken(): number {
    return (this.#reading?.length ?? 0) - this.#missing
  }

  /** The request whose body is being read is none after all. */
  abandon(): void {
    this.#reading = null
  }

  /** Reads what has come; `chunk` may only be lent. */
  take(chunk: Buffer, memory: Memory): void {
    let rest = chunk
    // A pooled buffer is given away as a whole or not at all.
    const whose = memory === 'pooled' && chunk.length > this.#missing ? 'lent' : memory
    while (rest.length > 0 && this.#end === null) {
      rest = this.#missing > 0 && this.#reading ? this.#takeBody(this.#reading, rest, whose) : this.#parse(rest)
    }
    if (rest.length === 0) return
    if (this.#end?.why === 'upgrade') this.behind = Buffer.concat([this.behind, rest])
    else this.hasSurplus = true
  }

  close(): void {
    this.#parser.close()
  }

  /** Parses, and returns what comes behind the head at which the parser stopped. */
  #parse(bytes: Buffer): Buffer {
    const parser = this.#parser
    const used = parser.take(bytes)
    if (parser.fault !== null) {
      if (this.#end === null) this.#end = { why: 'fault', code: parser.fault }
      else this.hasSurplus = true
      return nothing
    }
    const reading = this.#reading
    // Behind a body in chunks whose request asked for another protocol: that was not granted, and HTTP goes on.
    if (reading === null && parser.hasStopped) parser.restart()
    else if (reading && !reading.isChunked && this.#missing === 0 && this.#end === null) this.#ended(reading)
    return used === bytes.length ? nothing : bytes.subarray(used)
  }

  #head(head: ParsedHead): boolean {
    // The parser goes on to what follows a body in chunks, whatever that body's request said.
    if (this.#end !== null) {
      this.hasSurplus = true
      return false
    }
    const request = this.#listener.begin(head)
    if (request.isUpgrade) {
      this.#end = upgrade
      return false
    }
    this.#reading = request
    this.#missing = request.length ?? 0
    // Where the body of such a request ends, nobody can say.
    if (typeof request.frame === 'string') this.#end = closed
    return request.isChunked
  }

  /** Takes what belongs to the body, and returns what comes behind it. */
  #takeBody(request: FastRequest, bytes: Buffer, memory: Memory): Buffer {
    const hasMore = bytes.length > this.#missing
    const body = hasMore ? bytes.subarray(0, this.#missing) : bytes
    const behind = hasMore ? bytes.subarray(this.#missing) : nothing
    this.#missing -= body.length
    request.take(body, memory)
    if (this.#missing === 0) this.#ended(request)
    return behind
  }

  #trailed(trailers: readonly string[]): void {
    const request = this.#reading
    if (!request?.isChunked) return
    request.rawTrailers = trailers
    this.#reading = null
    this.#finished(request)
  }

  #ended(request: FastRequest): void {
    this.#reading = null
    this.#parser.restart()
    this.#finished(request)
  }

  #finished(request: FastRequest): void {
    if (!request.keepAlive) this.#end ??= closed
    this.#listener.ended(request)
  }
}
