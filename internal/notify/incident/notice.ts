import type { DomainEvent, EventKind } from '../../events/events.ts'

/** An instant in milliseconds since 1970 (UTC). */
export type At = DomainEvent['at']

/** Why a notice is told, or told again in place. */
export type UpdateReason =
  | 'opened' // nobody has heard of it yet
  | 'repeated' // the same signal came again and was counted
  | 'changed' // its facts are others now, such as the next recovery, or it has come back
  | 'lasting' // nothing new but the time that it has lasted
  | 'ended'

/** Something that a person can do about an incident at once; channels that can, offer it as a button. */
export type Remedy =
  | { readonly verb: 'rotate'; readonly pool: string }
  | { readonly verb: 'clear' | 'park' | 'unpark'; readonly pool: string; readonly member: string }
  | { readonly verb: 'enable'; readonly member: string }

/** A text of one or more lines, and the command in it that a person may want to copy. */
export interface Said {
  readonly text: string
  /** Stands in the text as it is typed; null when there is nothing to type. */
  readonly command: string | null
}

/** An incident as it is told at one moment, in plain sentences without markup. */
export interface Notice extends Said {
  /** The incident; notices of one incident are edits of one message. */
  readonly incident: string
  /** Grows with each update of the incident. */
  readonly version: number
  readonly kind: EventKind
  readonly why: UpdateReason
  /** The machine that tells it. */
  readonly host: string
  readonly open: boolean
  /** Nobody has to be woken for it. */
  readonly isSilent: boolean
  readonly remedies: readonly Remedy[]
  readonly pool: string | null
  /** The member, credential or host that it is about. */
  readonly subject: string | null
  readonly reason: DomainEvent['reason']
  readonly openedAt: At
  readonly closedAt: At | null
  /** How often it was signalled, the first time included. */
  readonly count: number
  /** A message of its own follows that says the same in other words. */
  readonly isRepeated: boolean
}

/** What a channel says about a notice that it could not deliver. */
export type Fault =
  /** The other side asks to be left alone for `afterMs`. */
  | { readonly kind: 'retry-after'; readonly afterMs: number }
  /** It may work later: no connection, a deadline, an error of the other side. */
  | { readonly kind: 'transient' }
  /** It never works for this notice. */
  | { readonly kind: 'permanent' }

/** A notice was not delivered; `fault` says what the outbox may do. Its message never holds a secret. */
export class ChannelError extends Error {
  override readonly name = 'ChannelError'
  readonly fault: Fault

  constructor(message: string, fault: Fault) {
    super(message)
    this.fault = fault
  }
}

/** A message that belongs to no incident; `about` says to machines what it is. */
export interface Remark extends Said {
  readonly about: 'test' | 'started' | 'stopped' | 'summary'
  readonly host: string
  readonly isSilent: boolean
}

/** One place where notices are told: a chat, or an endpoint. Each call rejects with ChannelError, within a deadline of its own. */
export interface Channel {
  /** Names the channel in the outbox, so it must stay the same over restarts: `telegram:42`, `webhook`. */
  readonly name: string
  /** The first part of the actors that act through it: what `operator:telegram:7` did is not told to `telegram`, who got the reply. */
  readonly kind: string
  /** Whether `mute` silences it; machines are not muted. */
  readonly mutable: boolean
  send(notice: Notice, signal: AbortSignal): Promise<{ readonly messageId: string }>
  edit(messageId: string, notice: Notice, signal: AbortSignal): Promise<void>
  reply(messageId: string, notice: Notice, signal: AbortSignal): Promise<void>
  /** Tells something that is no incident. */
  remark(remark: Remark, signal: AbortSignal): Promise<void>
}
