import type { Cancel, Clock } from '../clock/clock.ts'
import type { Announcement, EventBus } from '../events/events.ts'
import type { Logger } from '../log/log.ts'
import type { IncidentRecord, Store } from '../store/store.ts'
import { Delivery } from './delivery/delivery.ts'
import { Keeper } from './delivery/keeper.ts'
import { Ledger } from './delivery/ledger.ts'
import { rowFor, rowId } from './delivery/outbox.ts'
import { Listener } from './hearing/listener.ts'
import { dependentsOf, familyOf } from './incident/cause.ts'
import { groups } from './incident/condition.ts'
import { updated } from './incident/fold.ts'
import { type Incident, recordOf, wasTold } from './incident/incident.ts'
import type { At, Channel, Notice, UpdateReason } from './incident/notice.ts'
import { hear } from './incident/pipeline.ts'
import { remediesOf } from './incident/remedy.ts'
import {
  ended,
  type Facts,
  isSpent,
  type PoolNow,
  refreshed,
  swept,
  wantsFacts,
  wantsPool,
  withFacts,
} from './incident/sweep.ts'
import { phraseAll, phraseEnd } from './phrase/phrase.ts'
import { type Wall, wallClock } from './phrase/words.ts'

const tickMs = 5_000
const patienceMs = 2_000
/** How long the end of one incident waits for the ends that it brings about. */
const settleMs = 1_000

/** What a notifier is made of. */
export interface NotifierDeps {
  readonly store: Store
  readonly bus: EventBus
  readonly clock: Clock
  readonly log: Logger
  /** `dedupeMs`: identical signals within this time are one notice. Read anew for each event, so that a reload counts. */
  readonly settings: { readonly dedupeMs: number }
  readonly channels: readonly Channel[]
  /** The time zone of the notices (an IANA name); the machine's own by default. */
  readonly timeZone?: string
  /** How a pool stands now, undefined when there is none (`engine.pool`); without it, edits tell only what events told. */
  readonly poolNow?: (name: string) => PoolNow | undefined
  /** What is known now of an incident of the guard, by kind and name; null: nothing else than what was told. */
  readonly factsNow?: (kind: string, name: string) => Facts | null
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
  incidents(): readonly IncidentRecord[]
  /** Resolves when all that was heard is saved and each channel has been given what is due. */
  flush(): Promise<void>
}

/** A notifier over the given store and bus; `start` sets it in motion. */
export function createNotifier(parts: NotifierDeps): Notifier {
  return new PipelineNotifier(parts)
}

class PipelineNotifier implements Notifier {
  readonly #parts: NotifierDeps
  readonly #ledger = new Ledger()
  readonly #keeper: Keeper
  readonly #listener: Listener
  readonly #wall: Wall
  readonly #channels = new Map<string, { channel: Channel; delivery: Delivery }>()
  #cancel: Cancel | null = null
  #nextTurnAt: At = Number.POSITIVE_INFINITY
  #stopped = true

  constructor(parts: NotifierDeps) {
    this.#parts = parts
    this.#wall = wallClock(parts.timeZone)
    this.#keeper = new Keeper({ ...parts, ledger: this.#ledger })
    this.#listener = new Listener({ ...parts, ledger: this.#ledger, hear: (heard) => this.#hear(heard) })
    for (const channel of parts.channels) this.attach(channel)
  }

  attach(channel: Channel): void {
    const { clock, log } = this.#parts
    const render = (incident: Incident) => this.#noticeOf(incident)
    const ending = (incident: Incident) => phraseEnd(incident, this.#wall)
    const family = (incident: Incident) => familyOf(incident, this.#ledger.incidents())
    const parts = { clock, log, ledger: this.#ledger, keeper: this.#keeper, render, ending, family }
    const delivery = new Delivery(channel, parts)
    this.#channels.set(channel.name, { channel, delivery })
  }

  async start(): Promise<void> {
    this.#stopped = false
    await this.#listener.start()
    this.#dropStrangers()
    this.#turn()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#listener.stop()
    this.#cancel?.()
    await Promise.all([...this.#channels.values()].map(({ delivery }) => delivery.stop()))
    await this.#keeper.saveWithin(patienceMs)
  }

  mute(until: At | null): void {
    // A mute that is ended early ends now, with what it held back treated as at any end.
    if (until !== null || this.mutedUntil() !== null) this.#ledger.mute(until ?? this.#parts.clock.now())
    this.#turn()
  }

  mutedUntil(): At | null {
    const until = this.#ledger.mutedUntil
    return until !== null && until > this.#parts.clock.now() ? until : null
  }

  incidents(): readonly IncidentRecord[] {
    const open = this.#ledger.incidents().filter(({ closedAt }) => closedAt === null)
    return open.sort((one, other) => one.openedAt - other.openedAt).map(recordOf)
  }

  async flush(): Promise<void> {
    await this.#listener.idle()
    await this.#keeper.save()
    await Promise.all([...this.#channels.values()].map(({ delivery }) => delivery.run()))
    await this.#keeper.save()
  }

  #hear(heard: Announcement): void {
    const { log, clock, settings } = this.#parts
    const now = clock.now()
    const draft = hear(heard, {
      incidents: this.#ledger.incidents(),
      channels: [...this.#channels.values()].map(({ channel }) => channel),
      waiting: new Set(this.#ledger.rows().map(({ incident }) => incident)),
      dedupeMs: settings.dedupeMs,
      now,
      isStuck: (pool) => this.#isStuck(pool),
    })
    this.#turnWithin(typeof draft === 'string' ? tickMs : 0)
    if (typeof draft === 'string') {
      log.debug({ kind: heard.event.kind, why: draft }, 'no notice')
      return
    }
    for (const id of draft.withdrawn) this.#ledger.drop(id)
    if (!draft.incident) return
    const incident = this.#rehomed(draft.incident)
    this.#ledger.put(incident)
    if (incident.closedAt !== null && draft.why === null && incident.lasts) this.#retract(incident)
    if (draft.why !== null) this.#tell(incident, draft.channels)
  }

  /** An exhaustion that ends because somebody is usable again is told with that one's end. */
  #rehomed(incident: Incident): Incident {
    const { end } = incident
    if (end?.kind !== 'pool_recovered') return incident
    const cause = this.#ledger
      .incidents()
      .find(
        ({ group, closedAt }) =>
          group === groups.credential(end.to) && closedAt !== null && Math.abs(closedAt - end.at) < settleMs,
      )
    return cause && cause.id !== incident.id ? { ...incident, within: cause.within ?? cause.id } : incident
  }

  /** Lets the channels hear of a change, by the message that tells the incident. */
  #tell(incident: Incident, channels: readonly string[]): void {
    const root = this.#ledger.incident(incident.within ?? incident.id) ?? incident
    const now = this.#parts.clock.now()
    const told = root.id === incident.id ? root : updated(this.#fresh(root), inRoot(incident), now)
    if (told !== root) this.#ledger.put(told)
    for (const channel of channels) this.#enqueue(told, channel, this.#settlesAt(incident, now))
  }

  /** What was known of a pool when its exhaustion was told may be another now that something joins it. */
  #fresh(root: Incident): Incident {
    const pool = root.pool === null ? undefined : this.#parts.poolNow?.(root.pool)
    return pool ? refreshed(root, pool) : root
  }

  /** Ends that come together are told together: the end of one waits a moment for those that depend on it. */
  #settlesAt(incident: Incident, now: At): At {
    if (incident.closedAt === null || !incident.lasts) return now
    const incidents = this.#ledger.incidents()
    const root = this.#ledger.incident(incident.within ?? incident.id) ?? incident
    const isWaiting = (one: Incident) => one.closedAt === null && one.kind === 'pool_exhausted'
    const depends = [...familyOf(root, incidents), ...dependentsOf(incident, incidents)].some(isWaiting)
    return depends ? now + settleMs : now
  }

  #enqueue(incident: Incident, channel: string, at = 0): void {
    const waiting = this.#ledger.row(rowId(incident.id, channel))
    const row = rowFor(incident, channel, waiting, this.#parts.clock.now())
    this.#ledger.putRow(waiting ? row : { ...row, nextAttemptAt: Math.max(row.nextAttemptAt, at) })
  }

  #isStuck(name: string): boolean {
    const pool = this.#parts.poolNow?.(name)
    return pool?.exhausted === true && pool.retryAt === null
  }

  /** It was over before it was worth telling. */
  #retract(incident: Incident): void {
    if (!wasTold(incident)) this.#ledger.drop(incident.id)
  }

  /** Rows of channels that the configuration no longer has. */
  #dropStrangers(): void {
    for (const { id, channel } of this.#ledger.rows()) if (!this.#channels.has(channel)) this.#ledger.dropRow(id)
  }

  /** Lets time do its work, delivers and saves, and arranges the next turn. */
  #turn(): void {
    this.#cancel?.()
    this.#nextTurnAt = Number.POSITIVE_INFINITY
    if (this.#stopped) return
    const now = this.#parts.clock.now()
    this.#unmute(now)
    for (const incident of this.#ledger.incidents()) this.#sweep(incident, now)
    void this.#keeper.save()
    for (const { delivery } of this.#channels.values()) {
      if (!delivery.busy) void delivery.run().then(() => this.#turnWithin(this.#restMs()))
    }
    this.#turnWithin(this.#restMs())
  }

  #sweep(incident: Incident, now: At): void {
    const { poolNow, settings } = this.#parts
    const waits = this.#ledger.rows().some((row) => row.incident === incident.id)
    const family = familyOf(incident, this.#ledger.incidents())
    if (incident.within !== undefined && this.#ledger.incident(incident.within)) {
      // It goes with the one whose message tells it.
    } else if (family.every((one) => isSpent(one, now, settings.dedupeMs)) && !waits) {
      for (const { id } of family) this.#ledger.drop(id)
      return
    }
    const asks = poolNow && incident.pool !== null && wantsPool(incident, now)
    const pool = asks ? (poolNow(incident.pool) ?? 'gone') : null
    const facts = wantsFacts(incident, now) ? this.#parts.factsNow?.(incident.kind, incident.subject ?? '') : null
    const seen = facts ? withFacts(incident, facts, now) : incident
    const next =
      pool === 'gone' ? ended(seen, now) : seen === incident ? swept(seen, now, settings.dedupeMs, pool) : seen
    if (next === incident) return
    this.#ledger.put(next)
    this.#tell(
      next,
      Object.keys(next.told).filter((channel) => this.#channels.has(channel)),
    )
  }

  /** When a mute ends, what began and ended under it is no news any more. */
  #unmute(now: At): void {
    const { mutedUntil } = this.#ledger
    if (mutedUntil === null || mutedUntil > now) return
    this.#ledger.mute(null)
    for (const row of this.#ledger.rows()) {
      const incident = this.#ledger.incident(row.incident)
      const mutable = this.#channels.get(row.channel)?.channel.mutable === true
      const unheard = incident && incident.closedAt !== null && incident.told[row.channel] === undefined
      if (mutable && unheard && incident.updatedAt <= mutedUntil) this.#ledger.dropRow(row.id)
    }
  }

  #noticeOf(incident: Incident): Notice {
    const { id, kind, why, pool, subject, reason, openedAt, count } = incident
    const now = this.#parts.clock.now()
    const family = familyOf(incident, this.#ledger.incidents())
    const text = phraseAll(family, (one) => ({ now, wall: this.#wall, refused: this.#refusedIn(one) }))
    const open = family.some((one) => one.closedAt === null && one.lasts)
    return {
      incident: id,
      kind,
      why,
      text,
      open,
      remedies: family.flatMap(remediesOf),
      pool,
      subject,
      reason,
      openedAt,
      closedAt: open ? null : Math.max(...family.map((one) => one.closedAt ?? 0)),
      count,
      isRepeated: false,
    }
  }

  #refusedIn({ kind, closedAt, pool }: Incident): number | null {
    if (kind !== 'pool_exhausted' || closedAt !== null || pool === null) return null
    return this.#parts.poolNow?.(pool)?.incident?.refused ?? null
  }

  /** Until the next turn: when a row is due, or a tick while there is anything to look after. */
  #restMs(): number {
    const now = this.#parts.clock.now()
    const isIdle = this.#ledger.incidents().length === 0 && !this.#ledger.unsaved && !this.#ledger.cursorMoved
    const dues = this.#ledger.rows().map((row) => this.#channels.get(row.channel)?.delivery.dueAt(row) ?? now + tickMs)
    return Math.max(0, Math.min(isIdle ? Number.POSITIVE_INFINITY : tickMs, ...dues.map((due) => due - now)))
  }

  #turnWithin(delayMs: number): void {
    const at = this.#parts.clock.now() + delayMs
    if (this.#stopped || at >= this.#nextTurnAt || delayMs === Number.POSITIVE_INFINITY) return
    this.#cancel?.()
    this.#nextTurnAt = at
    this.#cancel = this.#parts.clock.after(delayMs, () => this.#turn())
  }
}

/** What a change of an incident is for the message that tells it with others. */
function inRoot({ why, closedAt, lasts }: Incident): UpdateReason {
  if (closedAt !== null && lasts) return 'ended'
  return why === 'lasting' || why === 'repeated' ? why : 'changed'
}
