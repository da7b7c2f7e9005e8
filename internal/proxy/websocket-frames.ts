/** What of a server's frame says something about the state of its WebSocket. */
export type Found =
  /** A whole message of text, short enough to be read. */
  | { readonly kind: 'text'; readonly payload: Buffer }
  /** Data that nobody looks into: binary, fragmented, long, or not understood. */
  | { readonly kind: 'data' }
  /** A ping or its answer. */
  | { readonly kind: 'control' }
  /** The closing handshake. */
  | { readonly kind: 'close' }

/** Longer messages of text are not looked into; errors are short. In bytes. */
const mostText = 65_536

const text = 1
const close = 8
const firstControl = 8

/**
 * Follows the frames of a server (RFC 6455, 5.2) as far as it takes to know where one ends and what a short text says.
 * It never changes anything: bytes that are no frames of a server without extensions end the reading for good.
 */
export class FrameReader {
  #head = Buffer.alloc(0)
  /** Bytes of the present frame's payload that have not come; null between frames. */
  #left: number | null = null
  #opcode = 0
  /** The payload so far when it is to be read. */
  #parts: Buffer[] | null = null
  #blind = false

  /** Whether a frame of our own could be put here. */
  get atBoundary(): boolean {
    return !this.#blind && this.#left === null && this.#head.length === 0
  }

  /** What this chunk completes. */
  push(chunk: Buffer): Found[] {
    const found: Found[] = []
    let rest = chunk
    while (rest.length > 0 && !this.#blind) {
      rest = this.#left === null ? this.#readHead(rest, found) : this.#readPayload(rest, this.#left, found)
    }
    return found
  }

  #readHead(chunk: Buffer, found: Found[]): Buffer {
    const bytes = this.#head.length === 0 ? chunk : Buffer.concat([this.#head, chunk.subarray(0, 16)])
    const size = headSize(bytes)
    if (bytes.length < size) {
      this.#head = Buffer.from(bytes)
      return chunk.subarray(chunk.length)
    }
    const rest = chunk.subarray(size - this.#head.length)
    this.#head = Buffer.alloc(0)
    this.#begin(bytes, size, found)
    return rest
  }

  #begin(bytes: Buffer, size: number, found: Found[]): void {
    const first = bytes[0] as number
    const length = lengthIn(bytes, size)
    this.#opcode = first & 0x0f
    // Nobody negotiated what the reserved bits mean, and servers do not mask (RFC 6455, 5.1).
    const strange = (first & 0x70) !== 0 || ((bytes[1] as number) & 0x80) !== 0 || length > Number.MAX_SAFE_INTEGER
    if (strange) {
      this.#blind = true
      found.push({ kind: 'data' })
      return
    }
    const whole = (first & 0x80) !== 0 && this.#opcode === text && length <= mostText
    this.#parts = whole ? [] : null
    if (!whole && this.#opcode < firstControl) found.push({ kind: 'data' })
    this.#left = length
    if (length === 0) this.#end(found)
  }

  #readPayload(chunk: Buffer, left: number, found: Found[]): Buffer {
    const part = chunk.subarray(0, left)
    this.#parts?.push(part)
    this.#left = left - part.length
    if (this.#left === 0) this.#end(found)
    return chunk.subarray(part.length)
  }

  #end(found: Found[]): void {
    this.#left = null
    const parts = this.#parts
    this.#parts = null
    if (this.#opcode === close) found.push({ kind: 'close' })
    else if (this.#opcode >= firstControl) found.push({ kind: 'control' })
    else if (parts)
      found.push({ kind: 'text', payload: parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts) })
  }
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
