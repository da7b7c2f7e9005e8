import type { Clock } from '../../clock/clock.ts'
import type { Logger } from '../../log/log.ts'
import type { OutboxRecord } from '../../store/store.ts'
import { isUrgent } from '../incident/condition.ts'
import { type At, type Channel, ChannelError, type Fault } from '../incident/notice.ts'
import type { Keeper } from './keeper.ts'
import type { Ledger } from './ledger.ts'
import { isSummed, nextDue, retried, rowFor } from './outbox.ts'
import { type Rendering, Teller } from './teller.ts'

const patienceMs = 2_000
const lastWordMs = 1_000
/** What Telegram allows a bot in a group; more than that within a minute nobody reads. */
const mostPerMinute = 20
const minuteMs = 60_000
/** What another process tells is looked at again after so long. */
const notMineMs = 1_000

/** What a delivery works with. */
export interface DeliveryDeps {
  readonly clock: Clock
  readonly log: Logger
  readonly ledger: Ledger
  readonly keeper: Keeper
  readonly render: Rendering
  /** Whether this process may tell of an incident of that kind now. */
  readonly mayTell: (kind: string) => boolean
}

/** Brings outbox rows to one channel, one after the other, and remembers what the channel has heard. */
export class Delivery {
  readonly #channel: Channel
  readonly #parts: DeliveryDeps
  readonly #teller: Teller
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
    this.#teller = new Teller(channel, {
      ...parts,
      sent: () => this.#countMessage(),
      stopping: this.#stopping.signal,
    })
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
    const mutedUntil = this.#isHeld(row) ? (this.#parts.ledger.mutedUntil ?? 0) : 0
    const kind = this.#parts.ledger.incident(row.incident)?.kind
    const allowedAt = kind === undefined || this.#parts.mayTell(kind) ? 0 : this.#now() + notMineMs
    return Math.max(row.nextAttemptAt, this.#pausedUntil, mutedUntil, allowedAt)
  }

  /** While notices are muted, only what is urgent, or has been told before, goes on. */
  #isHeld({ incident: id }: OutboxRecord): boolean {
    const incident = this.#parts.ledger.incident(id)
    if (!this.#channel.mutable || !incident || incident.told[this.#channel.name]) return false
    return !this.#parts.render.family(incident).some(({ kind }) => isUrgent(kind))
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
    const isDue = (row: OutboxRecord) => this.#dueAt(row) <= clock.now()
    await this.#sumUp(ledger.rows().filter((row) => row.channel === this.#channel.name && isSummed(row) && isDue(row)))
    while (!this.#stopped) {
      const due = ledger.rows().filter((row) => isDue(row) && !isSummed(row))
      const row = nextDue(due, this.#channel.name, clock.now())
      if (!row) return
      // What a crash must not lose is durable before anybody hears of it; a store that is ill is not waited for.
      await keeper.saveWithin(patienceMs)
      if (this.#stopped) return
      const current = ledger.row(row.id)
      if (current && isDue(current)) await this.#deliver(current)
      await keeper.saveWithin(patienceMs)
    }
  }

  async #deliver(row: OutboxRecord): Promise<void> {
    const { ledger, log, clock } = this.#parts
    const incident = ledger.incident(row.incident)
    if (!incident) return ledger.dropRow(row.id)
    try {
      await this.#teller.tell(incident)
      if (this.#failing) log.info({ channel: this.#channel.name }, 'notices are delivered again')
      this.#failing = false
      this.#settle(row)
    } catch (error) {
      if (this.#stopping.signal.aborted) return
      const fault = faultOf(error)
      if (fault.kind === 'permanent') return this.#giveUp(row, error)
      const later = retried(row, fault, clock.now())
      if (ledger.row(row.id)) ledger.putRow({ ...later, body: ledger.row(row.id)?.body ?? row.body })
      this.#pausedUntil = later.nextAttemptAt
      if (!this.#failing)
        log.warn({ channel: this.#channel.name, error }, 'a notice could not be delivered; it is tried again')
      this.#failing = true
    }
  }

  /** Tells in one message what began and ended under a mute. */
  async #sumUp(rows: readonly OutboxRecord[]): Promise<void> {
    const { ledger, log, clock } = this.#parts
    const incidents = rows.map(({ incident }) => ledger.incident(incident)).filter((one) => one !== undefined)
    if (incidents.length === 0 || this.#stopped) return
    try {
      await this.#teller.sumUp(incidents)
      for (const { id } of rows) ledger.dropRow(id)
    } catch (error) {
      const fault = faultOf(error)
      log.warn({ channel: this.#channel.name, error }, 'the summary of muted notices could not be delivered')
      for (const row of rows)
        if (fault.kind === 'permanent') ledger.dropRow(row.id)
        else ledger.putRow(retried(row, fault, clock.now()))
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

  /** The row is done, unless the incident has changed while it was told. */
  #settle(row: OutboxRecord): void {
    const { ledger } = this.#parts
    const incident = ledger.incident(row.incident)
    const told = incident?.told[this.#channel.name]
    ledger.dropRow(row.id)
    if (!incident) return
    const toldAll = told?.version === incident.version && this.#teller.untoldTurns(incident).length === 0
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

function faultOf(error: unknown): Fault {
  return error instanceof ChannelError ? error.fault : { kind: 'permanent' }
}
