import type { Clock } from '../../clock/clock.ts'
import type { Logger } from '../../log/log.ts'
import type { Incident, Told } from '../incident/incident.ts'
import { type At, type Channel, ChannelError, type Notice, type Remark } from '../incident/notice.ts'
import type { Ledger } from './ledger.ts'

/** Turns incidents into what channels tell. */
export interface Rendering {
  notice(incident: Incident): Notice
  /** The sentence that tells once that the incident is over, or has come back to stay; null when there is none. */
  turn(incident: Incident): string | null
  /** Whether nobody has to be woken for these. */
  isSilent(incidents: readonly Incident[]): boolean
  /** What began and ended while notices were muted. */
  summary(incidents: readonly Incident[]): Remark
  /** The incidents that the message of this one tells, itself included. */
  family(incident: Incident): readonly Incident[]
}

/** What a teller works with. */
export interface TellerDeps {
  readonly clock: Clock
  readonly log: Logger
  readonly ledger: Ledger
  readonly render: Rendering
  /** Is called for each message; edits are none. */
  readonly sent: () => void
  readonly stopping: AbortSignal
}

/** Tells one channel about incidents, with a message, edits and replies, and remembers what it has heard. */
export class Teller {
  readonly #channel: Channel
  readonly #deps: TellerDeps

  constructor(channel: Channel, deps: TellerDeps) {
    this.#channel = channel
    this.#deps = deps
  }

  /** Sends the message, or edits it, and tells the end as a reply; steps that were done before are not repeated. */
  async tell(incident: Incident): Promise<void> {
    const { render, ledger, stopping, sent } = this.#deps
    const { name } = this.#channel
    const notice = this.#quiet(render.notice(incident))
    const turned = this.untoldTurns(incident)
    const text = turned.map((one) => render.turn(one)).join(' ')
    const ids = turned.map(({ id }) => id)
    const told = incident.told[name]
    if (!told) {
      const { messageId } = await this.#channel.send(this.#complete(notice, text), stopping)
      sent()
      ledger.setLost(name, 0)
      this.#remember(incident, { messageId, version: incident.version, at: this.#now() }, ids)
      return
    }
    const shown = { messageId: told.messageId, version: incident.version }
    if (told.version < incident.version) {
      const isRepeated = turned.length > 0
      await this.#forgiving(this.#channel.edit(told.messageId, { ...notice, isRepeated }, stopping), incident)
      this.#remember(incident, { ...shown, at: this.#now() }, [])
    }
    if (turned.length > 0) {
      const own = { text, command: null, remedies: [], isSilent: render.isSilent(turned) }
      const reply = this.#quiet({ ...notice, ...own, why: notice.open ? notice.why : 'ended' })
      await this.#forgiving(this.#channel.reply(told.messageId, reply, stopping), incident)
      sent()
      this.#remember(incident, { ...shown, at: this.#now() }, ids)
    }
  }

  /** Tells in one message what began and ended under a mute. */
  async sumUp(incidents: readonly Incident[]): Promise<void> {
    await this.#channel.remark(this.#deps.render.summary(incidents), this.#deps.stopping)
    this.#deps.sent()
  }

  /** Those of the family that are over, or have come back, and of which this channel has not been told that as a message. */
  untoldTurns(incident: Incident): readonly Incident[] {
    const { render } = this.#deps
    const isUntold = ({ told, closedAt, spells }: Incident) => {
      const known = told[this.#channel.name]
      if (closedAt !== null) return known?.ended !== true
      return known?.ended === true && known.spell < spells
    }
    // Whoever is usable again comes before the pools that recovered by it.
    return render
      .family(incident)
      .filter((one) => isUntold(one) && render.turn(one) !== null)
      .toReversed()
  }

  /** Under a mute whatever is told comes without a sound. */
  #quiet(notice: Notice): Notice {
    const isMuted = this.#channel.mutable && (this.#deps.ledger.mutedUntil ?? 0) > this.#now()
    return isMuted ? { ...notice, isSilent: true } : notice
  }

  /** The first message about something says all: also its end, and what the channel has missed before it. */
  #complete(notice: Notice, turns: string): Notice {
    const lost = this.#deps.ledger.lost(this.#channel.name)
    const missed = lost === 0 ? '' : `Notices left out before this one: ${lost}. See: spillway audit list`
    return { ...notice, text: [notice.text, turns, missed].filter((part) => part !== '').join('\n') }
  }

  /** A message that is gone cannot be edited or answered; that is no reason to give up on the rest. */
  async #forgiving(step: Promise<void>, incident: Incident): Promise<void> {
    try {
      await step
    } catch (error) {
      if (!(error instanceof ChannelError) || error.fault.kind !== 'permanent') throw error
      this.#deps.log.debug({ channel: this.#channel.name, incident: incident.id, error }, 'a message is gone')
    }
  }

  /** The channel has heard of the incident and its family as they were when it was told, and of the turns of these as a message. */
  #remember(incident: Incident, told: Pick<Told, 'messageId' | 'version' | 'at'>, turned: readonly string[]): void {
    const { ledger, render } = this.#deps
    const { name } = this.#channel
    for (const one of render.family(incident)) {
      const current = ledger.incident(one.id)
      if (!current) continue
      const version = one.id === incident.id ? told.version : one.version
      const { spell = one.spells, ended = false } = current.told[name] ?? {}
      const heard = turned.includes(one.id) ? { spell: one.spells, ended: one.closedAt !== null } : { spell, ended }
      ledger.put({ ...current, told: { ...current.told, [name]: { ...told, version, ...heard } } })
    }
  }

  #now(): At {
    return this.#deps.clock.now()
  }
}
