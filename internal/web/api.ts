import type { Clock } from '../clock/clock.ts'
import type { EventSource } from '../events/events.ts'
import type { Logger } from '../log/log.ts'
import type { Operations } from '../ops/ops.ts'

/** What the web view is made of. */
export interface WebDeps {
  readonly ops: Pick<Operations, 'as'>
  readonly events: EventSource
  readonly clock: Clock
  readonly log: Logger
  /** Where it listens; port 0 is any free one. */
  readonly listen: { readonly host: string; readonly port: number }
  /** The address under which a proxy offers it, such as `https://spillway.example`; null without one. */
  readonly publicUrl: string | null
  /** The certificate with which it speaks HTTPS; null for plain HTTP. */
  readonly identity: { readonly cert: string; readonly key: string } | null
}

/** The web view of one process. */
export interface Web {
  /** Begins to listen. A port that cannot be had is no failure of the program: `problem` says so from then on. */
  start(): Promise<void>
  /** Where it is reached, without a slash at the end. */
  readonly origin: string
  /** Why it does not listen; null while it does. */
  readonly problem: string | null
  /** A link that lets one browser in, once. */
  link(): { readonly url: string; readonly expiresAt: number }
  /** Ends the live feeds and every session, and closes the listener. */
  stop(): Promise<void>
}
