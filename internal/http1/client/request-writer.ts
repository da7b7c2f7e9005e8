import type { Socket } from 'node:net'
import type { HeldBody } from '../body/held-body.ts'
import type { RequestBody } from '../body/request-body.ts'
import { longestSingleWrite } from '../single-write.ts'
import { StreamedBody, type StreamedBodyListener } from './streamed-body.ts'

/** What a RequestWriter calls while it sends a body that is not held. */
export type RequestWriterListener = Omit<StreamedBodyListener, 'sent'>

/** Writes the requests of one connection, one after the other, and knows when the kernel has all of one. */
export class RequestWriter implements StreamedBodyListener {
  readonly #socket: Socket
  readonly #listener: RequestWriterListener
  #streamed: StreamedBody | null = null
  /** The held body whose memory is written from. */
  #held: HeldBody | null = null

  constructor(socket: Socket, listener: RequestWriterListener) {
    this.#socket = socket
    this.#listener = listener
  }

  /** Writes a request whose head is `text`. */
  write(text: string, body: RequestBody): void {
    this.#held = null
    if (body.held) this.#writeHeld(text, body.bytes)
    else {
      this.#socket.write(text, 'latin1')
      this.#streamed = new StreamedBody(body.rest, body.length, this.#socket, this)
    }
  }

  /**
   * Whether the kernel has the whole request; then the memory of a held body is told so. Of a socket that is broken
   * nobody knows.
   */
  settle(): boolean {
    if (this.#streamed !== null || !this.#socket.writable || this.#socket.writableLength > 0) return false
    this.#held?.sent()
    this.#held = null
    return true
  }

  /** Whether the next bytes are the client's to send. */
  get waitsForClient(): boolean {
    return this.#streamed !== null && !this.#socket.writableNeedDrain
  }

  /** Sends no more of a body that is not held. */
  stop(): void {
    this.#streamed?.stop()
  }

  progressed(): void {
    this.#listener.progressed()
  }

  sent(): void {
    this.#streamed = null
    this.#listener.progressed()
  }

  broke(error: Error): void {
    this.#listener.broke(error)
  }

  #writeHeld(head: string, body: HeldBody): void {
    const { text } = body
    const socket = this.#socket
    if (text !== null) {
      socket.write(head + text, 'latin1')
      return
    }
    const { parts, length } = body
    const [only] = parts
    if (!only) socket.write(head, 'latin1')
    else if (length <= longestSingleWrite && parts.length === 1) socket.write(head + only.toString('latin1'), 'latin1')
    else {
      this.#held = body
      body.sending()
      socket.cork()
      socket.write(head, 'latin1')
      for (const part of parts) socket.write(part)
      socket.uncork()
    }
  }
}
