import type { Socket } from 'node:net'
import { IdleTime } from '../idle.ts'
import type { FastRequest } from './fast-request.ts'
import type { RequestReader } from './request-reader.ts'

/** How long a client may take over things, in ms. */
export interface ClientDeadlines {
  /** A quiet connection without a request is closed after this time. */
  readonly keepAliveMs: number
  /** A head has to be here so long after it has begun, however much of it comes meanwhile. */
  readonly headMs: number
  /** A body may take as long as it likes; a client that sends nothing of it for this time is told so. */
  readonly silentMs: number
  /** A client that has not read for this time is closed. */
  readonly unreadMs: number
}

const limitOf = { unread: 'unreadMs', body: 'silentMs', head: 'headMs', request: 'keepAliveMs' } as const

/** What a connection waits for that has a limit. */
type WaitsFor = 'none' | keyof typeof limitOf

/** What a client is waited for; `reader` is null after the last answer, `serving` between requests. */
export function awaited(socket: Socket, reader: RequestReader | null, serving: FastRequest | null): WaitsFor {
  if (socket.writableLength > 0) return 'unread'
  if (reader === null) return 'none'
  if (serving === null) return reader.isInHead ? 'head' : 'request'
  // Where its body is not read, it waits for us.
  return reader.reading === serving && !socket.isPaused() ? 'body' : 'none'
}

/** Whether one client has left its connection waiting for too long, looked at from time to time. */
export class ClientDeadline {
  readonly #quiet = new IdleTime()
  #waitsFor: WaitsFor = 'none'
  /** How many bytes had gone either way when that was last looked at. */
  #moved = 0

  /** The time begins anew. */
  renew(): void {
    this.#quiet.end()
  }

  /** Whether what the connection waits for is overdue; `now` in monotonic ms. */
  isOver(waitsFor: WaitsFor, socket: Socket, { now, limits }: { now: number; limits: ClientDeadlines }): boolean {
    const moved = socket.bytesRead + socket.bytesWritten - socket.writableLength
    // Of a head, every byte counts as late that is not the last.
    const isMoving = moved !== this.#moved && waitsFor !== 'head'
    if (isMoving || waitsFor === 'none' || waitsFor !== this.#waitsFor) this.#quiet.end()
    this.#moved = moved
    this.#waitsFor = waitsFor
    return waitsFor !== 'none' && this.#quiet.lastsMs(now) >= limits[limitOf[waitsFor]]
  }
}
