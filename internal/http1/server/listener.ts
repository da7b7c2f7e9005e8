import type { Server } from 'node:net'
import type { Clock } from '../clock/clock.ts'
import type { Logger } from '../log/log.ts'
import type { Handler } from './handler.ts'

/** The certificate and key of the data port, as PEM. */
export interface ServerIdentity {
  readonly cert: string
  readonly key: string
}

/** What requests are read and answered with. */
export interface PortParts {
  readonly handler: Pick<Handler, 'handle' | 'marks'>
  readonly clock: Clock
  readonly log: Pick<Logger, 'error'>
  /** null: plain HTTP. */
  readonly identity: ServerIdentity | null
}

/** A port that hands requests to a handler; whoever has it opens and closes `server`. */
export interface RequestPort {
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

/** Quiet connections are looked for this often, in ms. */
export const watchMs = 5_000
