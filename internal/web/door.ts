import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Feeds } from '../events/events.ts'
import type { Place } from './gate.ts'
import type { Guesses } from './guesses.ts'
import type { Session, Sessions } from './sessions.ts'

/** Who is let in, and what is remembered of those who try. */
export interface Door {
  readonly sessions: Sessions
  readonly feeds: Feeds
  /** Wrong links alone: a page that was left open asks with a cookie that is over, and is not to keep its owner out. */
  readonly linkGuesses: Guesses
  /** Wrong links and wrong cookies. */
  readonly guesses: Guesses
  readonly place: Place
  /** With the port in it: cookies of one host are shared by all ports. */
  cookieName(): string
}

/** A request of somebody who was let in. */
export interface Guest {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly url: URL
  readonly session: Session
  /** Whether the session is still in force. */
  lives(): boolean
}
