import type { Clock } from '../clock/clock.ts'
import type { EventBus } from '../events/events.ts'
import type { Logger } from '../log/log.ts'
import type { IncidentRecord, Store } from '../store/store.ts'
import type { Incident } from './incident/incident.ts'
import type { FailoverNotices } from './incident/loudness.ts'
import type { At, Channel, Remark, Remedy } from './incident/notice.ts'
import type { Facts, PoolNow } from './incident/sweep.ts'
import type { Cost } from './rendering.ts'

/** What a notifier is made of. */
export interface NotifierDeps {
  readonly store: Pick<Store, 'load' | 'commit' | 'audit' | 'incidents' | 'outbox'>
  readonly bus: EventBus
  readonly clock: Clock
  readonly log: Logger
  /** `dedupeMs`: identical signals within this time are one notice. Read anew for each event, so that a reload counts. */
  readonly settings: { readonly dedupeMs: number; readonly failover: FailoverNotices }
  readonly channels: readonly Channel[]
  /** What the notices call this machine. */
  readonly host: string
  /** The time zone of the notices (an IANA name); the machine's own by default. */
  readonly timeZone?: string
  /** How a pool stands now, undefined when there is none (`engine.pool`); without it, edits tell only what events told. */
  readonly poolNow?: (name: string) => PoolNow | undefined
  /** What an incident costs now; without it, notices tell only what events told. */
  readonly costNow?: (incident: Pick<Incident, 'kind' | 'pool' | 'subject'>) => Cost | null
  /** Whether this process may tell anybody of an incident of that kind now, asked right before; it may when absent. */
  readonly mayTell?: (kind: string) => boolean
  /** What is known now of an incident of the guard, by kind and name; null: nothing else than what was told. */
  readonly factsNow?: (kind: string, name: string) => Facts | null
}

/** A condition that holds. */
export interface OpenIncident {
  readonly record: IncidentRecord
  /** What people are told of it, with the command that helps; null when the sentence of its cause tells it, too. */
  readonly text: string | null
}

/** Tells people what happened: once, in order, and to the end. */
export interface Notifier {
  /** Begins to listen and catches up with the audit log; resolves when that is done. */
  start(): Promise<void>
  /** Ends deliveries under way and saves what is left for the next start; waits no longer than a few seconds. */
  stop(): Promise<void>
  /** One more channel, for those that are built later than the notifier; call it before `start`. */
  attach(channel: Channel): void
  /** Holds back what people would be told until that instant; null ends it. Moments that pass meanwhile are not told. */
  mute(until: At | null): void
  /** Until when people are not told anything; null when they are. */
  mutedUntil(): At | null
  /** The conditions that hold now, oldest first. */
  incidents(): readonly OpenIncident[]
  /** Whether the notice of that incident would offer the remedy now: what was offered earlier may be over. */
  offers(incident: string, remedy: Remedy): boolean
  /** Tells each channel something that is no incident, and what came of it: null when it was delivered. */
  remark(remark: Omit<Remark, 'host'>, waitMs: number): Promise<readonly { channel: string; problem: string | null }[]>
  /** Somebody else may have written to the audit log: reads what is new. */
  catchUp(): void
  /** Resolves when all that was heard is saved and each channel has been given what is due. */
  flush(): Promise<void>
}
