import type { Server } from 'node:net'
import type { Clock } from '../../clock/clock.ts'
import type { Expectation, IncomingRequest, OutgoingResponse } from '../messages.ts'
import type { Rejection, RequestFault } from './rejection.ts'
import type { UpgradeClient } from './upgrade-client.ts'

/** The certificate and key of the data port, as PEM. */
export interface ServerIdentity {
  readonly cert: string
  readonly key: string
}

/** What a server calls with each request, and asks for the words of a rejection. */
export interface RequestHandler {
  /** A request whose head is here; `upgrade` is its connection when that is to become a WebSocket. */
  handle(
    request: IncomingRequest,
    response: OutgoingResponse,
    expectation: Expectation,
    upgrade?: UpgradeClient | null,
  ): void
  /** What is said in place of an answer to what does not become a request; it ends the connection. */
  rejection(fault: RequestFault): Rejection
}

/** What an acceptor works with. */
export interface AcceptorDeps {
  readonly handler: RequestHandler
  readonly clock: Clock
  /** Told of faults of our own. */
  readonly log: { error(about: { readonly error: unknown }, message: string): void }
  /** null: plain HTTP. */
  readonly identity: ServerIdentity | null
}

/** A server that hands requests to a handler. Its owner opens and closes `server`. */
export interface Acceptor {
  readonly server: Server
  /** Ends the connections on which nothing is under way. */
  closeIdle(): void
  /** Ends all connections at once. */
  destroy(): void
}

/** What clients are given time for, in ms, and how long the head of a request may be, in bytes. */
export const times = {
  /** Agents send about 2 KB. */
  maxHeaderSize: 32_768,
  /** Longer than the 90 s for which HTTP clients keep idle connections, so that they and not we decide when to close. */
  keepAliveMs: 100_000,
  /** As node's own server. */
  headMs: 60_000,
  silentMs: 300_000,
  unreadMs: 300_000,
} as const

/** Idle connections are looked for this often, in ms. */
export const watchMs = 5_000
