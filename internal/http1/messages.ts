import type { Socket } from 'node:net'
import type { HeldBody } from './body/held-body.ts'
import type { Frame, FramingFault } from './framing.ts'
import type { RawHeaders } from './headers.ts'

/** What a client announced with `Expect`. */
export type Expectation = 'none' | 'continue' | 'other'

/** A client's request as the data path needs it: an IncomingMessage of node, or a FastRequest. */
export interface IncomingRequest {
  readonly method?: string | undefined
  readonly url?: string | undefined
  readonly httpVersion: string
  readonly rawHeaders: RawHeaders
  readonly rawTrailers: readonly string[]
  readonly socket: Socket
  /** Whether all of its body has come. */
  readonly complete: boolean
  /** The frame, or what is wrong with it, where that has been judged already. */
  readonly frame?: Frame | FramingFault
  /** What has come of the body, where it gathers that itself instead of telling it as `data`. */
  readonly gathered?: HeldBody
  /** Goes on gathering the body and calls `told` for each piece and at the end; null stops that, and pieces come as `data`. */
  gather?(told: (() => void) | null): void
  on(event: 'data', listener: (chunk: Buffer) => void): this
  on(event: 'end', listener: () => void): this
  on(event: 'error', listener: (error: Error) => void): this
  once(event: 'end', listener: () => void): this
  off(event: 'data', listener: (chunk: Buffer) => void): this
  off(event: 'end', listener: () => void): this
  off(event: 'error', listener: (error: Error) => void): this
  pause(): this
  resume(): this
}

/** Where the answer to a client goes: a ServerResponse of node, or a FastResponse. */
export interface OutgoingResponse {
  readonly req: { readonly httpVersionMinor: number }
  readonly socket: Socket | null
  readonly headersSent: boolean
  /** Takes raw pairs. */
  writeHead(status: number, headers: string[]): this
  flushHeaders(): void
  /** False when the client has to catch up first; `drain` tells when it has. */
  write(chunk: Buffer): boolean
  end(chunk?: Buffer): unknown
  end(text: string, encoding: 'latin1'): unknown
  once(event: 'drain', listener: () => void): this
  writeContinue(): void
  destroy(): unknown
}
