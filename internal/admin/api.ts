import type { EventSource } from '../events/events.ts'
import type { Operations } from '../ops/ops.ts'

export interface Route {
  readonly method: string
  readonly path: string
}

/** What the admin API serves. */
export interface AdminDeps {
  readonly ops: Operations
  readonly metrics: { render(): Promise<string>; readonly contentType: string }
  readonly events: EventSource
  /** Calls `run` after `delayMs`; returns the cancellation. */
  after(delayMs: number, run: () => void): () => void
  /** Is told of a failure inside a verb; what was refused is no failure. */
  failed(error: unknown, route: string): void
}

/** Where it listens: the Unix socket always, TCP when there is a token to ask for. */
export interface AdminAddress {
  /** Absolute path. */
  readonly socket: string
  readonly tcp: {
    readonly host: string
    readonly port: number
    /** The bearer token that every request must carry; never logged. */
    readonly token: { reveal(): string }
  } | null
}

export interface Admin {
  /** Resolves once every listener is open. Rejects with a Refusal when one cannot be, and then none is left open. */
  listen(address: AdminAddress): Promise<void>
  /** The TCP port in use; null without one. */
  readonly port: number | null
  /** Every registered route, for a test that asks each without a token. */
  routes(transport: 'socket' | 'tcp'): readonly Route[]
  /** Ends event streams, finishes what is under way and closes the listeners. */
  close(): Promise<void>
}
