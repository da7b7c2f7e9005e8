import type { Clock } from '../../clock/clock.ts'
import type { Logger } from '../../log/log.ts'
import type { OutboxRecord } from '../../store/store.ts'
import type { Incident, Told } from '../incident/incident.ts'
import { type At, type Channel, ChannelError, type Fault, type Notice } from '../incident/notice.ts'
import type { Keeper } from './keeper.ts'
import type { Ledger } from './ledger.ts'
import { nextDue, retried, rowFor } from './outbox.ts'

const patienceMs = 2_000
const lastWordMs = 1_000
/** What Telegram allows a bot in a group; more than that within a minute nobody reads. */
const mostPerMinute = 20
const minuteMs = 60_000

/** What a delivery works with. */
export interface DeliveryDeps {
  readonly clock: Clock
  readonly log: Logger
  readonly ledger: Ledger
  readonly keeper: Keeper
  /** The incident as it is told now. */
  readonly render: (incident: Incident) => Notice
  /** The incidents that the message of this one tells, itself included. */
  readonly family: (incident: Incident) => readonly Incident[]
  /** The sentence that tells an incident's end; null when there is none. */
  readonly ending: (incident: Incident) => string | null
}

/** Brings outbox rows to one channel, one after the other, and remembers what the channel has heard. */
export class Delivery {
  readonly #channel: Channel
  readonly #parts: DeliveryDeps
  readonly #stopping = new AbortController()
  #running: Promise<void> | null = null
  /** The channel as a whole waits until then: what failed for one notice would fail for the next. */
  #pausedUntil: At = 0
  #failing = false
  #stopped = false
  /** When the last messages were sent, oldest first. */
  readonly #sentAt: At[] = []

  constructor(channel: Channel, parts: DeliveryDeps) {
    this.#channel = channel
    this.#parts = parts
  }

  /** Whether rows are being delivered; whoever is at it takes care of all that is due. */
  get busy(): boolean {
    return this.#running !== null
  }

  /** When a row of this channel can be delivered by the next run. */
  dueAt(row: OutboxRecord): At {
    if (this.busy) return Number.POSITIVE_INFINITY
    return this.#dueAt(row)
  }

  #dueAt(row: OutboxRecord): At {
    const mutedUntil = this.#channel.mutable ? (this.#parts.ledger.mutedUntil ?? 0) : 0
    return Math.max(row.nextAttemptAt, this.#pausedUntil, mutedUntil)
  }

  /** Delivers what is due; resolves when nothing is, or the channel asks for a pause. */
  run(): Promise<void> {
    this.#running ??= this.#drain().finally(() => {
      this.#running = null
    })
    return this.#running
  }

  /** Lets the delivery under way end within a second, so that it need not be repeated after a restart, and begins no other. */
  async stop(): Promise<void> {
    this.#stopped = true
    const cancel = this.#parts.clock.after(lastWordMs, () => this.#stopping.abort())
    await this.#running
    cancel()
  }

  async #drain(): Promise<void> {
    const { ledger, clock, keeper } = this.#parts
    while (!this.#stopped) {
      const row = nextDue(ledger.rows(), this.#channel.name, clock.now())
      if (!row || this.#dueAt(row) > clock.now()) return
      // What a crash must not lose is durable before anybody hears of it; a store that is ill is not waited for.
      await keeper.saveWithin(patienceMs)
      if (this.#stopped) return
      const current = ledger.row(row.id)
      if (current && this.#dueAt(current) <= clock.now()) await this.#deliver(current)
      await keeper.saveWithin(patienceMs)
    }
  }

  async #deliver(row: OutboxRecord): Promise<void> {
    const { ledger, log, clock } = this.#parts
    const incident = ledger.incident(row.incident)
    if (!incident) return ledger.dropRow(row.id)
    try {
      await this.#tell(incident)
      if (this.#failing) log.info({ channel: this.#channel.name }, 'notices are delivered again')
      this.#failing = false
      this.#settle(row)
    } catch (error) {
      if (this.#stopping.signal.aborted) return
      const fault: Fault = error instanceof ChannelError ? error.fault : { kind: 'permanent' }
      if (fault.kind === 'permanent') return this.#giveUp(row, error)
      const later = retried(row, fault, clock.now())
      if (ledger.row(row.id)) ledger.putRow({ ...later, body: ledger.row(row.id)?.body ?? row.body })
      this.#pausedUntil = later.nextAttemptAt
      if (!this.#failing)
        log.warn({ channel: this.#channel.name, error }, 'a notice could not be delivered; it is tried again')
      this.#failing = true
    }
  }

  /** Sends the message, or edits it, and tells the end as a reply; steps that were done before are not repeated. */
  async #tell(incident: Incident): Promise<void> {
    const { name } = this.#channel
    const { signal } = this.#stopping
    const notice = this.#parts.render(incident)
    const { ending, ids } = this.#untoldEnds(incident)
    const told = incident.told[name]
    if (!told) {
      const { messageId } = await this.#channel.send(this.#complete(notice, ending), signal)
      this.#countMessage()
      this.#parts.ledger.setLost(name, 0)
      this.#remember(incident, { messageId, version: incident.version, at: this.#now() }, ids)
      return
    }
    if (told.version < incident.version) {
      const isRepeated = ending !== null
      await this.#forgiving(this.#channel.edit(told.messageId, { ...notice, isRepeated }, signal), incident)
      this.#remember(incident, { ...told, version: incident.version, at: this.#now() }, [])
    }
    if (ending !== null) {
      const reply = { ...notice, why: 'ended', text: ending, remedies: [] } as const
      await this.#forgiving(this.#channel.reply(told.messageId, reply, signal), incident)
      this.#countMessage()
      this.#remember(incident, { ...told, version: incident.version, at: this.#now() }, ids)
    }
  }

  /** After twenty messages within a minute the channel rests; what waits meanwhile is bounded by the outbox. */
  #countMessage(): void {
    const now = this.#now()
    this.#sentAt.push(now)
    if (this.#sentAt.length > mostPerMinute) this.#sentAt.shift()
    const [first = now] = this.#sentAt
    if (this.#sentAt.length === mostPerMinute && now - first < minuteMs) this.#pausedUntil = first + minuteMs
  }

  /** The first message about something says all: also its end, and what the channel has missed before it. */
  #complete(notice: Notice, ending: string | null): Notice {
    const lost = this.#parts.ledger.lost(this.#channel.name)
    const missed = lost === 0 ? null : `Notices left out before this one: ${lost}. See: spillway audit list`
    return { ...notice, text: [notice.text, ending, missed].filter((part) => part !== null).join('\n') }
  }

  /** A message that is gone cannot be edited or answered; that is no reason to give up on the rest. */
  async #forgiving(step: Promise<void>, incident: Incident): Promise<void> {
    try {
      await step
    } catch (error) {
      if (!(error instanceof ChannelError) || error.fault.kind !== 'permanent') throw error
      this.#parts.log.debug({ channel: this.#channel.name, incident: incident.id, error }, 'a message is gone')
    }
  }

  /** The ends that this channel has not been told, as one text (null when there are none), and whose they are. */
  #untoldEnds(incident: Incident): { readonly ending: string | null; readonly ids: readonly string[] } {
    const { family, ending } = this.#parts
    // Whoever is usable again comes before the pools that recovered by it.
    const untold = family(incident)
      .filter((one) => one.told[this.#channel.name]?.ended !== true && ending(one) !== null)
      .toReversed()
    return { ending: untold.map(ending).join(' ') || null, ids: untold.map(({ id }) => id) }
  }

  /** The channel has heard of the incident, and of those that its message tells, as they were when it was told. */
  #remember(incident: Incident, told: Omit<Told, 'ended'>, endsTold: readonly string[]): void {
    const { ledger, family } = this.#parts
    const { name } = this.#channel
    for (const one of family(incident)) {
      const current = ledger.incident(one.id)
      if (!current) continue
      const version = one.id === incident.id ? told.version : one.version
      const ended = current.told[name]?.ended === true || endsTold.includes(one.id)
      ledger.put({ ...current, told: { ...current.told, [name]: { ...told, version, ended } } })
    }
  }

  /** The row is done, unless the incident has changed while it was told. */
  #settle(row: OutboxRecord): void {
    const { ledger } = this.#parts
    const incident = ledger.incident(row.incident)
    const told = incident?.told[this.#channel.name]
    ledger.dropRow(row.id)
    if (!incident) return
    const toldAll = told?.version === incident.version && this.#untoldEnds(incident).ending === null
    if (!toldAll) ledger.putRow(rowFor(incident, this.#channel.name, undefined, this.#now()))
  }

  #giveUp(row: OutboxRecord, error: unknown): void {
    const { ledger, log } = this.#parts
    log.warn({ channel: this.#channel.name, incident: row.incident, error }, 'a notice is given up')
    ledger.dropRow(row.id)
  }

  #now(): At {
    return this.#parts.clock.now()
  }
}
