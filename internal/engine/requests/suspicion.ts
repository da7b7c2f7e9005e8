import { within } from '../../clock/clock.ts'
import {
  disabled,
  type Health,
  isClosed,
  needsLogin,
  type Reason,
  recovered,
  remedyFor,
  settle,
} from '../../pool/pool.ts'
import type { Answer, Finding } from '../api/probes.ts'
import { type Core, circumstances } from '../state/context.ts'
import type { LiveCredential, LiveLease, Pool } from '../state/live.ts'
import { credentialRow } from '../state/registry.ts'

/** The shortest time between two canonical probes of one credential, in ms. */
export const betweenProbesMs = 60_000
/** How long a finding of another replica is waited for. */
const elsewhereMs = 10_000

/** Decides about suspects with the canonical probe: one at a time for each credential, at most one a minute. */
export class Suspicions {
  readonly #core: Core
  /** Called when a suspicion is decided, so that pointers and waiters can follow. */
  readonly #decided: (credential: LiveCredential, finding: Finding) => void
  /** Ends the wait for what another replica finds. */
  readonly #elsewhere = new Map<LiveCredential, () => void>()
  /** Whose probe is under way. */
  readonly #asked = new Set<LiveCredential>()

  constructor(core: Core, decided: (credential: LiveCredential, finding: Finding) => void) {
    this.#core = core
    this.#decided = decided
  }

  /** An answer to the canonical request rejected the credential, or might have: settles it, or lets the probe do so. */
  doubt(credential: LiveCredential, pool: Pool, answer: Answer | null): void {
    if (answer?.finding === 'confirmed' && credential.record.auth !== 'oauth') {
      this.#conclude(credential, pool, { finding: 'confirmed', reason: answer.outcome.reason })
      return
    }
    const at = circumstances(this.#core)
    const effect = { do: 'suspect', reason: 'auth-rejected' } as const
    this.#put(credential, settle(credential.gate.health, effect, { id: 0, issuedAt: at.now }, at))
    this.#core.journal.record([credentialRow(credential)], [])
    this.look(credential, pool)
  }

  /**
   * Whether a probe has just shown that the key is good: then a rejection is the request's doing (a client's headers). The
   * probe of a login is its refresh, which shows nothing of the kind.
   */
  wasJustCleared({ clearedAt, record }: LiveCredential): boolean {
    return clearedAt !== null && record.auth !== 'oauth' && this.#core.clock.now() - clearedAt < betweenProbesMs
  }

  /** Another replica has said something about the credential. */
  heard(credential: LiveCredential): void {
    if (credential.gate.health.state === 'suspect') return
    this.#elsewhere.get(credential)?.()
  }

  /** Starts the canonical probe of a suspect, now or when the last one is a minute old. */
  look(credential: LiveCredential, pool: Pool): void {
    if (credential.finding) return
    if (isBeyondRefresh(credential)) {
      credential.finding = this.#giveUp(credential)
      return
    }
    const now = this.#core.clock.now()
    const wait = credential.probedAt === null ? 0 : credential.probedAt + betweenProbesMs - now
    if (wait <= 0) {
      this.#asked.add(credential)
      credential.finding = this.#probe(credential, pool)
      return
    }
    this.#core.clock.after(wait, () => {
      if (credential.gate.health.state === 'suspect') this.look(credential, pool)
    })
  }

  /**
   * Settles when the first probe of one of the pool's members that is under way has found something, at the latest when it
   * is `withinMs` old; null when nothing is to be waited for.
   */
  pending(pool: Pool, withinMs: number): Promise<unknown> | null {
    for (const { seats, finding, probedAt } of this.#asked) {
      const leftMs = (probedAt ?? 0) + withinMs - this.#core.clock.now()
      const isMember = [...seats].some((seat) => seat.pool === pool)
      if (isMember && finding && leftMs > 0) return this.#within(finding, leftMs)
    }
    return null
  }

  /** Resolves with the finding about the lease's member, or `inconclusive` when it is not there within `withinMs`. */
  async finding(lease: LiveLease, withinMs: number): Promise<Finding> {
    const { owner } = lease.seat
    return owner.finding ? this.#within(owner.finding, withinMs) : verdictOf(owner.gate.health)
  }

  #within(finding: Promise<Finding>, withinMs: number): Promise<Finding> {
    return within(this.#core.clock, withinMs, finding, 'inconclusive')
  }

  /** No probe can find out more: the suspicion lasts until its time is over. */
  async #giveUp(credential: LiveCredential): Promise<Finding> {
    await null
    credential.finding = null
    this.#decided(credential, 'inconclusive')
    return 'inconclusive'
  }

  async #probe(credential: LiveCredential, pool: Pool): Promise<Finding> {
    credential.probedAt = this.#core.clock.now()
    const { generation } = credential
    const { rights } = this.#core
    if (rights && !(await rights.take(credential.record.id))) return this.#hear(credential)
    let result: { finding: Finding; reason: Reason }
    try {
      result = await this.#core.prober().probe(credential.record, pool.record)
    } catch (error) {
      this.#core.log.warn({ error, member: credential.record.name }, 'the canonical probe could not be sent')
      result = { finding: 'inconclusive', reason: 'auth-rejected' }
    }
    rights?.give(credential.record.id)
    credential.finding = null
    this.#asked.delete(credential)
    const finding = credential.generation === generation ? result.finding : 'inconclusive'
    this.#conclude(credential, pool, { ...result, finding })
    return finding
  }

  /** Another replica is asking: what it finds is adopted. */
  async #hear(credential: LiveCredential): Promise<Finding> {
    const told = new Promise<void>((resolve) => this.#elsewhere.set(credential, resolve))
    await within(this.#core.clock, elsewhereMs, told, undefined)
    this.#elsewhere.delete(credential)
    credential.finding = null
    this.#asked.delete(credential)
    const finding = verdictOf(credential.gate.health)
    this.#decided(credential, finding)
    return finding
  }

  #conclude(credential: LiveCredential, pool: Pool, result: { finding: Finding; reason: Reason }): void {
    const { gate } = credential
    const now = this.#core.clock.now()
    const { finding, reason } = result
    if (finding === 'cleared' && gate.health.state === 'suspect') {
      credential.clearedAt = now
      credential.isFresh = credential.record.auth === 'oauth'
      this.#put(credential, recovered(now))
      this.#core.journal.record([credentialRow(credential)], [])
    } else if (finding === 'confirmed' && !isClosed(gate.health)) {
      this.#confirm(credential, pool, reason)
    }
    this.#decided(credential, finding)
  }

  #confirm(credential: LiveCredential, pool: Pool, reason: Reason): void {
    const now = this.#core.clock.now()
    const { name: from, auth } = credential.record
    const health = auth === 'oauth' ? needsLogin(reason, now) : disabled(reason, 'upstream', now)
    this.#put(credential, health)
    const row = credentialRow(credential)
    const about = { pool: pool.name, from, reason }
    if (health.state === 'needs-login') {
      const detail = { remedy: remedyFor(from, health) }
      this.#core.signals.record([row], { kind: 'cred_needs_login', ...about, detail })
    } else this.#core.signals.record([row], { kind: 'cred_disabled', ...about, detail: { by: 'upstream' } })
  }

  #put(credential: LiveCredential, health: Health): void {
    credential.gate.health = health
    this.#core.registry.refile(credential.gate, this.#core.clock.now())
  }
}

function verdictOf(health: Health): Finding {
  if (isClosed(health)) return 'confirmed'
  return health.state === 'healthy' ? 'cleared' : 'inconclusive'
}

/**
 * Whether the upstream refused a login's token that is fresh from its refresh: then the account is refused, and another
 * refresh clears nothing. Without a status nothing was asked: the token was not to be had in time.
 */
function isBeyondRefresh({ record, isFresh, lastStatus, gate: { health } }: LiveCredential): boolean {
  if (record.auth !== 'oauth' || lastStatus === null) return false
  return isFresh || (health.state === 'suspect' && health.reason === 'auth-expired')
}
