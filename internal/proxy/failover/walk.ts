import type { Clock } from '../../clock/clock.ts'
import type { Material } from '../../credential/credential.ts'
import type { DataPath, Decision, Exhausted, Lease, LivePool, Turn } from '../../engine/engine.ts'
import type { ModelFamily, Outcome } from '../../pool/pool.ts'
import type { ProxyMeter } from '../local/meter.ts'
import { silentOutcome } from '../upstream/failure.ts'
import { isStrongRefusal, type Progress } from './replay.ts'

/** One request's walk through a pool: sees to it that every lease is reported once and released once, and counts. */
export class Walk {
  readonly #engine: DataPath
  readonly #clock: Clock
  readonly #meter: ProxyMeter
  readonly #buffered: boolean
  readonly turn: Turn
  #lease: Lease | null = null
  #reported = true
  #renewed = false
  #overloaded = false
  #unreachable = 0
  /** Strong refusals that counted for nothing. */
  #strong = 0
  /** Whether the latest outcome was a limit that takes its member out: no fault of the request. */
  isLimited = false
  /** Attempts made, also those for which the member's secret was missing. */
  attempts = 0
  /** Members left because of what came of them. */
  failovers = 0
  /** The first member whose key the upstream rejected. */
  rejected: Lease | null = null
  /** Which of the member's secrets was sent. */
  generation = 0

  constructor(parts: { engine: DataPath; meter: ProxyMeter; clock: Clock }, pool: LivePool, about: WalkFacts) {
    this.#engine = parts.engine
    this.#clock = parts.clock
    this.#meter = parts.meter
    this.#buffered = about.buffered
    this.turn = parts.engine.begin(pool, about.model)
  }

  next(): Decision {
    return this.#engine.next(this.turn)
  }

  /** What the next request will be told. */
  outlook(): Decision {
    return this.#engine.outlook(this.turn)
  }

  /** Whether recovery is near enough to wait for it. */
  mayHold(decision: Exhausted): boolean {
    return this.#engine.mayHold(this.turn, decision)
  }

  /** Waits for what is being found out about a suspect; null when nothing is. */
  pending(withinMs: number): Promise<unknown> | null {
    return this.#engine.pending(this.turn, withinMs)
  }

  /** Waits in line; `signal` ends the wait. */
  hold(signal: AbortSignal): Promise<Decision> {
    return this.#engine.hold(this.turn, signal)
  }

  /** Takes the lease of the next member in place of the present one. */
  take(lease: Lease): void {
    this.leave()
    this.#lease = lease
    this.#reported = false
    this.#renewed = false
  }

  /** An attempt is made with this secret of the present member. */
  sendWith(material: Material): void {
    this.generation = material.generation
    this.attempts++
  }

  /** Whether the present member's token has been renewed for this request. */
  get isRenewed(): boolean {
    return this.#renewed
  }

  /** The present member's token is renewed for this request, which happens once. */
  renew(): void {
    this.#renewed = true
  }

  /** What has happened so far, as `replay.ts` judges it after `outcome`. */
  progress(outcome: Outcome): Progress {
    if (outcome.kind === 'infra') this.#unreachable++
    return {
      members: this.turn.leases.length,
      attempts: this.attempts - this.#strong,
      strong: this.#isStrong(outcome),
      unreachable: this.#unreachable,
      failovers: this.failovers - this.#strong,
      buffered: this.#buffered,
      overloadedBefore: this.#overloaded,
      renewed: this.#renewed,
      rejectedBefore: this.rejected !== null,
    }
  }

  #isStrong(outcome: Outcome): boolean {
    const { model, startedAt, heldMs } = this.turn
    return isStrongRefusal(outcome, model, this.#clock.now() - startedAt - heldMs)
  }

  /** Tells the engine what came of the present lease; further calls for the same lease do nothing. */
  report(outcome: Outcome): void {
    if (this.#reported || !this.#lease) return
    this.#reported = true
    if (outcome.kind === 'overloaded') this.#overloaded = true
    const strong = this.#isStrong(outcome)
    if (strong) this.#strong++
    this.isLimited = strong && outcome.kind !== 'auth-rejected'
    if (outcome.kind === 'auth-rejected' && outcome.status !== null) this.rejected ??= this.#lease
    this.#meter.attempt(this.turn.pool.name, outcome.kind)
    this.#engine.report(this.#lease, this.turn, afterRenewal(outcome, this.#renewed))
  }

  /** A refusal inside what is passed on already: what came of the lease, unless that has been reported. */
  refuse(outcome: Outcome): void {
    if (!this.#reported) this.report(outcome)
    else this.late(outcome)
  }

  /** An error event inside what is passed on already. */
  late(outcome: Outcome): void {
    if (this.#lease) this.#engine.late(this.#lease, outcome, this.turn.model)
  }

  /** Who else of the pool recovers by itself, first and when; null when nobody does. */
  recovery(): Exhausted | null {
    return this.#lease && this.#engine.recovery(this.#lease, this.turn)
  }

  /** Whether a client that comes again at once would be served by another member. */
  hop(): boolean {
    return this.#lease !== null && this.#engine.hop(this.#lease, this.turn)
  }

  /** Nothing can be learned from the present lease, whose client is gone or whose attempt failed in our own hands. */
  reportNothing(): void {
    if (!this.#reported) this.report(nothingLearned)
  }

  /** Gives back a lease that came too late to be used. */
  returnUnused(lease: Lease): void {
    this.#engine.report(lease, this.turn, nothingLearned)
    this.#engine.release(lease)
  }

  /** Ends with the present member. */
  leave(): void {
    this.reportNothing()
    if (this.#lease) this.#engine.release(this.#lease)
    this.#lease = null
  }

  /** The request is over. */
  end(): void {
    this.leave()
    this.#engine.end(this.turn)
  }
}

/** What is known of a request before its walk begins. */
export interface WalkFacts {
  readonly model: ModelFamily | null
  /** Whether the body is held completely. */
  readonly buffered: boolean
}

const nothingLearned = silentOutcome('client-gone', 'client-gone')

/** A token that is refused although it was renewed just now is refused for good: the member becomes a suspect. */
function afterRenewal(outcome: Outcome, renewed: boolean): Outcome {
  return renewed && outcome.kind === 'auth-expired' ? { ...outcome, kind: 'auth-rejected' } : outcome
}
