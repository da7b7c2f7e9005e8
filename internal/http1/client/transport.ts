import type { Socket } from 'node:net'
import type { Clock } from '../../clock/clock.ts'
import type { RequestBody } from '../body/request-body.ts'

/** A request as it goes upstream. */
export interface OutgoingRequest {
  readonly method: string
  /** With the query. */
  readonly path: string
  /** Raw pairs, without `host`, the hop's and those of the frame. */
  readonly headers: readonly string[]
  readonly body: RequestBody
}

/** What a transport calls with the answer to a request; `onError` or `onComplete` is the last call. */
export interface ResponseListener {
  /** The request begins to leave, or waits for a connection and can be taken back. */
  onSend(sending: Sending, hasLeft: boolean): void
  /** The final head; raw pairs. */
  onHead(status: number, headers: string[]): void
  /** False to be told no more, after what is here already, until `resume`. */
  onData(chunk: Buffer): boolean
  onComplete(): void
  onError(error: Error): void
}

/** A request that was handed over, in the queue or on a connection. The listener identifies it, because a connection serves one request after another. */
export interface Sending {
  /** Gives the request of `listener` up without another word: its connection is closed, or it does not get one. */
  abort(listener: ResponseListener): void
  /** Lets its answer go on after `onData` returned false. */
  resume(listener: ResponseListener): void
}

/** How many connections to an origin there are, and how many requests wait for one. */
export interface TransportLoad {
  readonly open: number
  readonly waiting: number
}

/** The connections to one origin. */
export interface Transport {
  readonly load: TransportLoad
  /** Sends when there is a connection. Throws InvalidRequest for what HTTP/1.1 cannot express. */
  send(request: OutgoingRequest, listener: ResponseListener): void
  /** Nothing more is sent; what is under way ends. */
  close(): void
  /** Breaks off whatever is under way. */
  destroy(): void
}

/** How an origin is connected to; durations in ms. */
export interface TransportSettings {
  readonly connectMs: number
  readonly headMs: number
  readonly idleMs: number
  /** At most, per origin; a request that finds no place within `connectMs` is refused with ConnectionsInUse. */
  readonly connections: number
}

/** How a new connection is read, and the TLS session that it may resume. */
export interface OpeningOptions {
  readonly session: Buffer | undefined
  readonly onread: { readonly buffer: Buffer; readonly callback: (bytes: number, buffer: Buffer) => boolean }
}

/** Opens a connection to an origin and calls `opened` with the socket or the error; may also throw the error. */
export type OpenConnection = (
  options: OpeningOptions,
  opened: (error: Error | null, socket: Socket | null) => void,
) => void

/** What a ConnectionPool works with beside its settings. */
export interface ConnectionPoolDeps {
  readonly clock: Clock
  readonly open: OpenConnection
  /** A request was refused because all connections stayed in use. */
  onCrowded(): void
}

/** Heads that are longer make an answer a protocol error. */
export const maxHeaderSize = 65_536

/** Informational answers (103) that are skipped before the upstream counts as broken: each renews its deadline. */
export const maxInformational = 16

/** Whether a header names a transfer coding other than `chunked`: none was asked for, because no `TE` is sent (RFC 9112, 7.3). */
export function hasUnexpectedCoding(name: string, value: string): boolean {
  return name.length === 17 && name.toLowerCase() === 'transfer-encoding' && value.toLowerCase() !== 'chunked'
}

/** The message of the error for such an answer. It cannot be passed on, because the next hop frames it anew. */
export const unexpectedTransferCoding = 'a transfer coding that nobody asked for'
