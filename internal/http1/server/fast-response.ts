import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { OutgoingResponse } from '../messages.ts'
import { reset } from '../reset.ts'
import { longestSingleWrite } from '../single-write.ts'
import type { FastRequest } from './fast-request.ts'

/** What a response needs of its connection. */
export interface ResponseContext {
  /** The value of a `Date` header (RFC 9110, 6.6.1). */
  date(): string
  /** Raw lines for an answer after which the connection goes on. */
  readonly persistence: string
  /** The last byte of the answer has been written; `last`: the connection is to end with it. */
  answered(last: boolean): void
}

const framingLengths = new Set(['date', 'connection', 'content-length', 'transfer-encoding'].map((name) => name.length))

/** The answer to a FastRequest: HTTP/1.1 written in as few pieces as possible. */
export class FastResponse implements OutgoingResponse {
  readonly req: FastRequest
  readonly #host: ResponseContext
  /** The head, until it is written with the first bytes of the body. */
  #head = ''
  #status = 0
  #headers: readonly string[] = []
  #isComposed = false
  #isChunked = false
  /** The end of the connection is the end of its body. */
  #isUnframed = false
  #isLast = false
  #ended = false
  #isRevoked = false
  #hasContinued = false
  headersSent = false

  constructor(request: FastRequest, host: ResponseContext) {
    this.req = request
    this.#host = host
  }

  get socket(): Socket {
    return this.req.socket
  }

  /** Whether its last byte has been written. */
  get isEnded(): boolean {
    return this.#ended
  }

  /** Whether a part of it has been written that would pass for the whole if the connection ended now. */
  get isOpenEnded(): boolean {
    return this.#isUnframed && !this.#ended
  }

  /** Something else has been said in its place, and ends the connection: nothing of it is written any more. */
  revoke(): void {
    this.#isRevoked = true
  }

  writeHead(status: number, headers: readonly string[]): this {
    this.headersSent = true
    this.#status = status
    this.#headers = headers
    return this
  }

  flushHeaders(): void {
    this.#compose(null)
    this.#send('')
  }

  write(chunk: Buffer): boolean {
    this.#compose(null)
    if (chunk.length === 0 || !this.#hasBody) return this.#send('')
    if (!this.#isChunked) return this.#sendBytes('', chunk, '')
    return this.#sendBytes(`${chunk.length.toString(16)}\r\n`, chunk, '\r\n')
  }

  end(body?: Buffer | string): void {
    if (this.#ended || this.#isRevoked) return
    const length = body?.length ?? 0
    this.#compose(length)
    this.#ended = true
    const end = this.#isChunked ? '0\r\n\r\n' : ''
    if (!body || length === 0 || !this.#hasBody) this.#send(end)
    else {
      const begin = this.#isChunked ? `${length.toString(16)}\r\n` : ''
      const rest = this.#isChunked ? `\r\n${end}` : ''
      if (typeof body === 'string') this.#send(begin + body + rest)
      else this.#sendBytes(begin, body, rest)
    }
    this.#host.answered(this.#isLast)
  }

  once(_event: 'drain', listener: () => void): this {
    this.socket.once('drain', listener)
    return this
  }

  writeContinue(): void {
    this.#hasContinued = true
    this.#send('HTTP/1.1 100 Continue\r\n\r\n')
  }

  destroy(): void {
    if (this.isOpenEnded) reset(this.socket)
    else this.socket.destroy()
  }

  /** RFC 9110, 6.4.1. */
  get #hasBody(): boolean {
    return this.req.method !== 'HEAD' && this.#status !== 204 && this.#status !== 304
  }

  /**
   * Makes the head once; `length` is that of the whole body, null when more may follow. No value can break a line: each is
   * ours, or has passed the strict parser of answers.
   */
  #compose(length: number | null): void {
    if (this.#isComposed) return
    this.#isComposed = true
    let head = `HTTP/1.1 ${this.#status} ${STATUS_CODES[this.#status] ?? 'unknown'}\r\n`
    const said = { date: false, length: false, connection: false }
    const headers = this.#headers
    for (let at = 0; at < headers.length; at += 2) {
      const name = headers[at] as string
      const value = headers[at + 1] as string
      head += `${name}: ${value}\r\n`
      if (framingLengths.has(name.length)) this.#note(name.toLowerCase(), value, said)
    }
    if (!said.date) head += `Date: ${this.#host.date()}\r\n`
    this.#isUnframed = length === null && !said.length && this.#hasBody && this.req.httpVersionMinor === 0
    this.#isLast ||= this.#isUnframed || this.#mustClose
    if (!said.connection) head += this.#isLast ? 'Connection: close\r\n' : this.#host.persistence
    if (!said.length && !this.#isUnframed && this.#hasBody) {
      this.#isChunked = length === null
      head += length === null ? 'Transfer-Encoding: chunked\r\n' : `Content-Length: ${length}\r\n`
    }
    this.#head = `${head}\r\n`
  }

  /** Whether nothing can follow on the connection. */
  get #mustClose(): boolean {
    const { keepAlive, complete, expectation } = this.req
    if (!keepAlive) return true
    // Whether the body of a request that was not told to go on is still sent, only its client knows (RFC 9110, 10.1.1).
    return expectation !== 'none' && !complete && !this.#hasContinued
  }

  #note(name: string, value: string, said: { date: boolean; length: boolean; connection: boolean }): void {
    if (name === 'date') said.date = true
    else if (name === 'content-length') said.length = true
    else if (name === 'connection') {
      said.connection = true
      this.#isLast = /(?:^|,)\s*close\s*(?:,|$)/i.test(value)
    }
  }

  #sendBytes(before: string, bytes: Buffer, after: string): boolean {
    if (this.#isRevoked) return true
    if (bytes.length <= longestSingleWrite) return this.#send(before + bytes.toString('latin1') + after)
    const { socket } = this
    if (!socket.writable) return true
    socket.cork()
    this.#send(before)
    const flows = socket.write(bytes)
    if (after !== '') socket.write(after, 'latin1')
    socket.uncork()
    return flows
  }

  /** Writes what is left of the head, and `text`. */
  #send(text: string): boolean {
    const all = this.#head + text
    this.#head = ''
    const { socket } = this
    if (all === '' || !socket.writable || this.#isRevoked) return true
    return socket.write(all, 'latin1')
  }
}
