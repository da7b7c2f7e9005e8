/** What becomes of an answer as it is read. */
export interface Answering {
  head(status: number): void
  /** A part of the body, its chunked framing taken off. */
  body(bytes: Buffer): void
  end(): void
}

const lf = 10
const headEnd = Buffer.from('\r\n\r\n')

type Awaited = 'head' | 'body' | 'chunk size' | 'chunk' | 'end of chunk' | 'end'

/**
 * Reads the answers of one keep-alive connection. Written by hand because it only has to understand the proxies under
 * test and must cost the core of the load generator little; what it does not understand throws.
 */
export class AnswerReader {
  readonly #answering: Answering
  #awaits: Awaited = 'head'
  #early = ''
  #left = 0

  constructor(answering: Answering) {
    this.#answering = answering
  }

  push(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) at = this.#step(bytes, at)
  }

  #step(bytes: Buffer, at: number): number {
    if (this.#awaits === 'head') return this.#head(bytes, at)
    if (this.#awaits === 'body' || this.#awaits === 'chunk') return this.#body(bytes, at)
    const end = bytes.indexOf(lf, at)
    const line = this.#early + bytes.toString('latin1', at, end === -1 ? bytes.length : end)
    this.#early = end === -1 ? line : ''
    if (end === -1) return bytes.length
    this.#line(line.trimEnd())
    return end + 1
  }

  #head(bytes: Buffer, at: number): number {
    if (this.#early !== '') return this.#splitHead(bytes, at)
    const end = bytes.indexOf(headEnd, at)
    if (end === -1) {
      this.#early = bytes.toString('latin1', at)
      return bytes.length
    }
    this.#begin(bytes.toString('latin1', at, end))
    return end + 4
  }

  /** The end of the head may itself be split: rare enough to be looked for slowly. */
  #splitHead(bytes: Buffer, at: number): number {
    const text = this.#early + bytes.toString('latin1', at)
    const end = text.indexOf('\r\n\r\n')
    if (end === -1) {
      this.#early = text
      return bytes.length
    }
    const taken = end + 4 - this.#early.length
    this.#early = ''
    this.#begin(text.slice(0, end))
    return at + taken
  }

  #begin(head: string): void {
    const status = /^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
    const isChunked = /\r\ntransfer-encoding: *chunked/i.test(head)
    if (status === undefined || (length === undefined) === !isChunked) throw new Error(`not an answer: ${head}`)
    this.#left = Number(length ?? 0)
    this.#awaits = isChunked ? 'chunk size' : 'body'
    this.#answering.head(Number(status))
    if (!isChunked && this.#left === 0) this.#end()
  }

  #body(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + this.#left)
    this.#left -= end - at
    this.#answering.body(bytes.subarray(at, end))
    if (this.#left > 0) return end
    if (this.#awaits === 'body') this.#end()
    else this.#awaits = 'end of chunk'
    return end
  }

  #line(line: string): void {
    if (this.#awaits === 'chunk size') {
      this.#left = Number.parseInt(line, 16)
      if (!(this.#left >= 0)) throw new Error(`not the size of a chunk: ${line}`)
      this.#awaits = this.#left === 0 ? 'end' : 'chunk'
    } else if (line !== '') throw new Error(`not the end of a chunk: ${line}`)
    else if (this.#awaits === 'end') this.#end()
    else this.#awaits = 'chunk size'
  }

  #end(): void {
    this.#awaits = 'head'
    this.#answering.end()
  }
}
