import { isDeepStrictEqual } from 'node:util'
import { type Cancel, within } from '../clock/clock.ts'
import type { Announcement } from '../events/events.ts'
import { instantsIn, weekdayIn } from '../when/when.ts'
import { Delivery } from './delivery/delivery.ts'
import { Keeper } from './delivery/keeper.ts'
import { Ledger } from './delivery/ledger.ts'
import { summed } from './delivery/outbox.ts'
import type { Rendering } from './delivery/teller.ts'
import { Listener } from './hearing/listener.ts'
import { familyOf } from './incident/cause.ts'
import { isRoutine, isUrgent } from './incident/condition.ts'
import { type Incident, recordOf, wasTold } from './incident/incident.ts'
import type { At, Channel, Remark, Remedy } from './incident/notice.ts'
import { hear } from './incident/pipeline.ts'
import { ended, refreshed, spentAt, swept, wantsFacts, wantsPool, withFacts } from './incident/sweep.ts'
import type { Notifier, NotifierDeps, OpenIncident } from './port.ts'
import { renderingOf } from './rendering.ts'
import { Updates } from './updates.ts'

const tickMs = 5_000
const patienceMs = 2_000

/** A notifier over the given store and bus; `start` sets it in motion. */
export function createNotifier(parts: NotifierDeps): Notifier {
  return new PipelineNotifier(parts)
}

class PipelineNotifier implements Notifier {
  readonly #parts: NotifierDeps
  readonly #ledger = new Ledger()
  readonly #keeper: Keeper
  readonly #listener: Listener
  readonly #render: Rendering
  readonly #updates: Updates
  readonly #channels = new Map<string, { channel: Channel; delivery: Delivery }>()
  #cancel: Cancel | null = null
  #nextTurnAt: At = Number.POSITIVE_INFINITY
  #stopped = true

  constructor(parts: NotifierDeps) {
    this.#parts = parts
    const say = { instant: instantsIn(parts.timeZone), weekday: weekdayIn(parts.timeZone) }
    this.#render = renderingOf({ ...parts, ledger: this.#ledger, ...say })
    this.#updates = new Updates({ ...parts, ledger: this.#ledger })
    this.#keeper = new Keeper({ ...parts, ledger: this.#ledger })
    this.#listener = new Listener({ ...parts, ledger: this.#ledger, hear: (heard) => this.#hear(heard) })
    for (const channel of parts.channels) this.attach(channel)
  }

  attach(channel: Channel): void {
    const { clock, log } = this.#parts
    const { mayTell = () => true } = this.#parts
    const parts = { clock, log, ledger: this.#ledger, keeper: this.#keeper, render: this.#render, mayTell }
    const delivery = new Delivery(channel, parts)
    this.#channels.set(channel.name, { channel, delivery })
  }

  async start(): Promise<void> {
    this.#stopped = false
    await this.#listener.start()
    this.#dropStrangers()
    this.#endConfiguration()
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

  incidents(): readonly OpenIncident[] {
    const open = this.#ledger.incidents().filter(({ closedAt, kind }) => closedAt === null && !isRoutine(kind))
    open.sort((one, other) => one.openedAt - other.openedAt)
    return open.map((incident) => {
      const isTold = incident.within === undefined
      return { record: recordOf(incident), text: isTold ? this.#render.notice(this.#asOfNow(incident)).text : null }
    })
  }

  /** The incident with what its pool says at this moment; channels hear that a little later. */
  #asOfNow(incident: Incident): Incident {
    const pool = incident.pool === null ? undefined : this.#parts.poolNow?.(incident.pool)
    return pool ? refreshed(incident, pool) : incident
  }

  offers(id: string, remedy: Remedy): boolean {
    const incident = this.#ledger.incident(id)
    return (
      incident !== undefined && this.#render.notice(incident).remedies.some((one) => isDeepStrictEqual(one, remedy))
    )
  }

  remark(remark: Omit<Remark, 'host'>, waitMs: number): ReturnType<Notifier['remark']> {
    const { clock, host } = this.#parts
    return Promise.all(
      [...this.#channels.values()].map(async ({ channel }) => {
        const ending = new AbortController()
        const told = channel.remark({ ...remark, host }, ending.signal).then(
          () => null,
          (error: unknown) => (error instanceof Error ? error.message : String(error)),
        )
        const problem = await within(clock, waitMs, told, `no answer within ${waitMs} ms`)
        ending.abort()
        return { channel: channel.name, problem }
      }),
    )
  }

  catchUp(): void {
    this.#listener.catchUp()
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
      tellsFailovers: settings.failover !== 'off',
      now,
      isStuck: (pool) => this.#updates.isStuck(pool),
    })
    this.#turnWithin(typeof draft === 'string' ? tickMs : 0)
    if (typeof draft === 'string') {
      log.debug({ kind: heard.event.kind, why: draft }, 'no notice')
      return
    }
    for (const id of draft.withdrawn) this.#ledger.drop(id)
    if (!draft.incident) return
    const incident = this.#updates.rehomed(draft.incident)
    this.#ledger.put(incident)
    if (incident.closedAt !== null && draft.why === null && incident.lasts) this.#retract(incident)
    if (draft.why !== null) this.#updates.tell(incident, draft.channels)
  }

  /** It was over before it was worth telling. */
  #retract(incident: Incident): void {
    if (!wasTold(incident)) this.#ledger.drop(incident.id)
  }

  /** The program has started, so its configuration is well. */
  #endConfiguration(): void {
    const now = this.#parts.clock.now()
    for (const incident of this.#ledger.incidents())
      if (incident.kind === 'config_rejected' && incident.closedAt === null) this.#change(ended(incident, now))
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
    } else if (family.every((one) => (spentAt(one, settings.dedupeMs) ?? now) < now) && !waits) {
      for (const { id } of family) this.#ledger.drop(id)
      return
    }
    const asks = poolNow && incident.pool !== null && wantsPool(incident, now)
    const pool = asks ? (poolNow(incident.pool) ?? 'gone') : null
    const facts = wantsFacts(incident, now) ? this.#parts.factsNow?.(incident.kind, incident.subject ?? '') : null
    const seen = facts ? withFacts(incident, facts, now) : incident
    const next =
      pool === 'gone' ? ended(seen, now) : seen === incident ? swept(seen, now, settings.dedupeMs, pool) : seen
    if (next !== incident) this.#change(next)
  }

  /** Puts what no event tells, for those who have heard of the incident. */
  #change(incident: Incident): void {
    this.#ledger.put(incident)
    this.#updates.tell(
      incident,
      Object.keys(incident.told).filter((channel) => this.#channels.has(channel)),
    )
  }

  /** When a mute ends, what began and ended under it is told in one summary. */
  #unmute(now: At): void {
    const { mutedUntil } = this.#ledger
    if (mutedUntil === null || mutedUntil > now) return
    this.#ledger.mute(null)
    for (const row of this.#ledger.rows()) {
      const incident = this.#ledger.incident(row.incident)
      const mutable = this.#channels.get(row.channel)?.channel.mutable === true
      const unheard = incident && incident.closedAt !== null && incident.told[row.channel] === undefined
      if (mutable && unheard && !isUrgent(incident.kind) && incident.updatedAt <= mutedUntil)
        this.#ledger.putRow(summed(row, now))
    }
  }

  /** Until the next turn: when a row is due, or a tick while there is anything to look after. */
  #restMs(): number {
    const now = this.#parts.clock.now()
    const incidents = this.#ledger.incidents()
    const isIdle =
      incidents.every(({ closedAt }) => closedAt !== null) && !this.#ledger.unsaved && !this.#ledger.cursorMoved
    const spent = incidents.map((one) => (spentAt(one, this.#parts.settings.dedupeMs) ?? now) - now + 1)
    const dues = this.#ledger.rows().map((row) => this.#channels.get(row.channel)?.delivery.dueAt(row) ?? now + tickMs)
    return Math.max(
      0,
      Math.min(isIdle ? Number.POSITIVE_INFINITY : tickMs, ...(isIdle ? spent : []), ...dues.map((due) => due - now)),
    )
  }

  #turnWithin(delayMs: number): void {
    const at = this.#parts.clock.now() + delayMs
    if (this.#stopped || at >= this.#nextTurnAt || delayMs === Number.POSITIVE_INFINITY) return
    this.#cancel?.()
    this.#nextTurnAt = at
    this.#cancel = this.#parts.clock.after(delayMs, () => this.#turn())
  }
}
