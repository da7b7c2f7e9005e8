/** A frame or message of the server, as far as it matters here: text, other content, a control frame, or a Close. */
export type Found =
  /** A whole message of text; `at`: where in the chunk its first frame begins, null if that was in an earlier chunk. */
  | { readonly kind: 'text'; readonly parts: readonly Buffer[]; readonly length: number; readonly at: number | null }
  /** Data that nobody looks into: binary, very long, or not understood. */
  | { readonly kind: 'data' }
  /** A ping or its answer. */
  | { readonly kind: 'control' }
  /** The closing handshake. */
  | { readonly kind: 'close' }

/** Longer messages of text are not looked into, in bytes. */
const maxText = 4_194_304

const text = 1
const close = 8
const firstControl = 8

/** The payload of a message in one piece. */
export function payloadOf({ parts }: Extract<Found, { kind: 'text' }>): Buffer {
  return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts)
}

/**
 * Follows the frames of a server (RFC 6455, 5.2) as far as it takes to know where one ends and what a message of text
 * says, also one in fragments. It never changes anything: bytes that are no frames of a server without extensions end the
 * reading for good.
 */
export class FrameReader {
  #head = Buffer.alloc(0)
  /** Bytes of the present frame's payload that have not come; null between frames. */
  #left: number | null = null
  #opcode = 0
  #isFinal = true
  /** The message of text so far; null when it is not read. */
  #message: Buffer[] | null = null
  #length = 0
  #at: number | null = null
  /** How long the present chunk is. */
  #chunk = 0
  #blind = false

  /** Whether a frame of our own could be put here. */
  get atBoundary(): boolean {
    return !this.#blind && this.#left === null && this.#head.length === 0
  }

  /** What this chunk completes. */
  push(chunk: Buffer): Found[] {
    const found: Found[] = []
    let rest = chunk
    this.#chunk = chunk.length
    this.#at = null
    while (rest.length > 0 && !this.#blind) {
      rest = this.#left === null ? this.#readHead(rest, found) : this.#readPayload(rest, this.#left, found)
    }
    return found
  }

  #readHead(chunk: Buffer, found: Found[]): Buffer {
    const startsHere = this.#head.length === 0
    const bytes = startsHere ? chunk : Buffer.concat([this.#head, chunk.subarray(0, 16)])
    const size = headSize(bytes)
    if (bytes.length < size) {
      this.#head = Buffer.from(bytes)
      return chunk.subarray(chunk.length)
    }
    const rest = chunk.subarray(size - this.#head.length)
    this.#head = Buffer.alloc(0)
    this.#begin({ bytes, size, at: startsHere ? this.#chunk - chunk.length : null }, found)
    return rest
  }

  #begin({ bytes, size, at }: FrameHead, found: Found[]): void {
    const first = bytes[0] as number
    const length = lengthIn(bytes, size)
    this.#opcode = first & 0x0f
    this.#isFinal = (first & 0x80) !== 0
    // Nobody negotiated what the reserved bits mean, and servers do not mask (RFC 6455, 5.1).
    const strange = (first & 0x70) !== 0 || ((bytes[1] as number) & 0x80) !== 0 || length > Number.MAX_SAFE_INTEGER
    if (strange) {
      this.#blind = true
      found.push({ kind: 'data' })
      return
    }
    if (this.#opcode < firstControl) this.#beginData(length, at, found)
    this.#left = length
    if (length === 0) this.#end(found)
  }

  #beginData(length: number, at: number | null, found: Found[]): void {
    const isContinued = this.#opcode === 0
    if (!isContinued) {
      this.#message = this.#opcode === text ? [] : null
      this.#length = 0
      this.#at = at
    }
    this.#length += length
    if (this.#length > maxText) this.#message = null
    if (this.#message === null) found.push({ kind: 'data' })
  }

  #readPayload(chunk: Buffer, left: number, found: Found[]): Buffer {
    const part = chunk.subarray(0, left)
    if (this.#opcode < firstControl) this.#message?.push(part)
    this.#left = left - part.length
    if (this.#left === 0) this.#end(found)
    return chunk.subarray(part.length)
  }

  #end(found: Found[]): void {
    this.#left = null
    if (this.#opcode === close) found.push({ kind: 'close' })
    else if (this.#opcode >= firstControl) found.push({ kind: 'control' })
    else if (this.#isFinal && this.#message) {
      found.push({ kind: 'text', parts: this.#message, length: this.#length, at: this.#at })
      this.#message = null
    }
  }
}

/** The head of a frame, of so many bytes; `at`: where in the chunk it begins. */
interface FrameHead {
  readonly bytes: Buffer
  readonly size: number
  readonly at: number | null
}

/** A server's Close frame with a status (RFC 6455, 7.4) and a reason of at most 123 bytes. */
export function closeFrame(code: number, reason: string): Buffer {
  const words = Buffer.from(reason).subarray(0, 123)
  const head = Buffer.from([0x80 | close, 2 + words.length, code >> 8, code & 0xff])
  return Buffer.concat([head, words])
}

/** How long the head of a frame is; 2 when that cannot be seen yet. */
function headSize(bytes: Buffer): number {
  const length = (bytes[1] ?? 0) & 0x7f
  if (length === 126) return 4
  return length === 127 ? 10 : 2
}

function lengthIn(bytes: Buffer, size: number): number {
  if (size === 4) return bytes.readUInt16BE(2)
  return size === 10 ? Number(bytes.readBigUInt64BE(2)) : (bytes[1] as number) & 0x7f
}
