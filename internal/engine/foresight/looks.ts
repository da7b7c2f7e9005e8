import type { Cancel } from '../../clock/clock.ts'
import {
  type At,
  doubtMs,
  farMs,
  type Gate,
  isBack,
  isFamilyBack,
  isFar,
  isRefuted,
  lookDueAt,
  recovered,
  resetWindow,
  type Usage,
} from '../../pool/pool.ts'
import type { Looked, Scout } from '../api/probes.ts'
import type { Exhaustions } from '../requests/exhaustion.ts'
import type { Leasing } from '../requests/leasing.ts'
import type { WaitQueue } from '../requests/wait-queue.ts'
import { type Core, spreadOf } from '../state/context.ts'
import type { LiveCredential, Pool } from '../state/live.ts'
import { gateRow } from '../state/registry.ts'
import type { UsageWatch } from './usage-watch.ts'

/** How long between two questions, in ms: they do not come all at once. */
const betweenMs = 2_000

interface LooksDeps {
  readonly leasing: Leasing
  readonly queue: WaitQueue
  readonly exhaustions: Exhaustions
  readonly usage: UsageWatch
}

/** When a look last ended a cooldown of the login, and how often in a row the next request has refuted that. */
interface Ended {
  readonly at: At
  readonly refuted: number
  readonly doubtUntil: At
}

/**
 * Asks the usage endpoints of logins that wait for a far reset: providers reset limits early. What is found is a hint: it may
 * end a cooldown, and blames nobody; a question without an answer changes nothing.
 */
export class Looks {
  readonly #core: Core
  readonly #deps: LooksDeps
  readonly #ended = new WeakMap<LiveCredential, Ended>()
  #scout: Scout | null = null
  #cancel: Cancel | null = null
  #isAsking = false

  constructor(core: Core, deps: LooksDeps) {
    this.#core = core
    this.#deps = deps
  }

  startScouting(scout: Scout): void {
    this.#scout = scout
    this.consider()
  }

  stop(): void {
    this.#scout = null
    this.#cancel?.()
    this.#cancel = null
  }

  /** A credential has cooled, or the settings are others: looks anew at who is asked next, and when. */
  consider(cooled?: LiveCredential): void {
    const scout = this.#scout
    if (!scout || (cooled && !scout.canLook(cooled.record))) return
    if (cooled) this.#noteRefuted(cooled)
    const next = this.#next(scout)
    this.#cancel?.()
    this.#cancel = null
    if (next) this.#arm(next.dueAt)
  }

  #arm(dueAt: At): void {
    const wait = Math.max(dueAt - this.#core.clock.now(), betweenMs)
    this.#cancel = this.#core.clock.after(wait, () => void this.#ask())
  }

  /** Who is asked next, and when. */
  #next(scout: Scout): { credential: LiveCredential; dueAt: At } | null {
    const now = this.#core.clock.now()
    let next: { credential: LiveCredential; dueAt: At } | null = null
    for (const credential of this.#core.registry.credentials.values()) {
      if (credential.seats.size === 0 || !scout.canLook(credential.record)) continue
      const dueAt = this.#dueFor(credential, now)
      if (dueAt < (next?.dueAt ?? Number.POSITIVE_INFINITY)) next = { credential, dueAt }
    }
    return next
  }

  #dueFor(credential: LiveCredential, now: At): At {
    const { lookedAt, meter } = credential
    const heardAt = Math.max(0, ...meter.windows.map(({ seenAt }) => seenAt))
    const facts = { lookedAt, heardAt, spread: spreadOf(credential.record.id) }
    const due = gatesOf(credential).map(({ health }) => lookDueAt({ ...facts, health }, this.#core.settings.look, now))
    return Math.min(...due)
  }

  async #ask(): Promise<void> {
    this.#cancel = null
    const next = this.#scout && !this.#isAsking ? this.#next(this.#scout) : null
    const pool = next && [...next.credential.seats][0]?.pool
    const now = this.#core.clock.now()
    if (next && pool && next.dueAt <= now) {
      const { credential } = next
      const { generation } = credential
      credential.lookedAt = now
      this.#isAsking = true
      const looked = (await this.#scout?.look(credential.record, pool.record).catch(() => null)) ?? null
      this.#isAsking = false
      if (looked && this.#scout && credential.generation === generation) this.#conclude(credential, looked)
    }
    this.consider()
  }

  #conclude(credential: LiveCredential, { usage, isAllowed }: Looked): void {
    const now = this.#core.clock.now()
    const before = credential.meter.windows
    const isWhole = isBack(usage, isAllowed)
    this.#deps.usage.learn(credential, usage)
    const doubtUntil = this.#ended.get(credential)?.doubtUntil ?? 0
    const back = gatesOf(credential).filter(
      (gate) => isFar(gate.health, now) && (gate.kind === 'model' ? isFamilyBack(usage, gate.name) : isWhole),
    )
    if (back.length > 0 && doubtUntil <= now) this.#end(credential, back, { before, usage })
  }

  /** The quota is back before its time: the gates open. */
  #end(
    credential: LiveCredential,
    gates: readonly Gate[],
    heard: { before: readonly Usage[]; usage: readonly Usage[] },
  ): void {
    const now = this.#core.clock.now()
    const until = Math.max(...gates.map(({ health }) => untilOf(health)))
    for (const gate of gates) {
      gate.health = recovered(now)
      this.#core.registry.refile(gate, now)
      if (gate.kind === 'model') this.#core.registry.forgetModel(credential, gate.name)
    }
    const ended = this.#ended.get(credential)
    this.#ended.set(credential, { refuted: ended?.refuted ?? 0, doubtUntil: 0, at: now })
    const pools = [...new Set([...credential.seats].map(({ pool }) => pool))]
    const rows = gates.map((gate) => gateRow(gate, credential))
    const about = { from: credential.record.name, pool: pools[0]?.name ?? null }
    const detail = { until, window: resetWindow(heard.before, heard.usage) }
    this.#core.signals.record(rows, { kind: 'cred_reset', ...about, detail })
    for (const pool of pools) this.#usable(pool)
  }

  #usable(pool: Pool): void {
    const { seat } = this.#deps.leasing.preview(pool, null)
    if (seat) this.#deps.exhaustions.endedBy(pool, seat, 'probe')
    this.#deps.queue.disturbed(pool)
  }

  /** Cooling so soon after a look had ended that: the endpoint does not see this limit, and is not believed for a while. */
  #noteRefuted(credential: LiveCredential): void {
    const ended = this.#ended.get(credential)
    const now = this.#core.clock.now()
    if (!ended) return
    if (!isRefuted(ended.at, now)) this.#ended.delete(credential)
    else {
      const refuted = ended.refuted + 1
      this.#ended.set(credential, { at: 0, refuted, doubtUntil: now + Math.max(doubtMs(refuted), farMs) })
    }
  }
}

function gatesOf({ gate, seats, models }: LiveCredential): readonly Gate[] {
  const domains = new Set([...seats].flatMap(({ domain }) => domain ?? []))
  return [gate, ...domains, ...models.values()]
}

function untilOf(health: Gate['health']): At {
  const cooling = health.state === 'probing' ? health.was : health
  return 'until' in cooling ? cooling.until : 0
}
