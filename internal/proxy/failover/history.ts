import type { Clock } from '../../clock/clock.ts'
import type { Lease, Turn } from '../../engine/engine.ts'
import { nothingLearned, type Outcome } from '../../pool/pool.ts'
import type { ProxyMeter } from '../local/meter.ts'
import { isStrongRefusal, type Progress } from './replay.ts'

/** What a RequestHistory works with. */
export interface HistoryDeps {
  readonly clock: Clock
  readonly meter: ProxyMeter
}

/** Counts what one request has met so far, and reports the outcome of each lease to the engine once. It decides nothing. */
export class RequestHistory {
  readonly #deps: HistoryDeps
  readonly turn: Turn
  /** Whether the body is held completely. */
  readonly #buffered: boolean
  #lease: Lease | null = null
  #isReported = true
  #overloaded = false
  #unreachable = 0
  /** Strong refusals that counted for nothing. */
  #strong = 0
  /** Whether the present member's token has been renewed for this request. */
  isRenewed = false
  /** Whether the latest outcome was a limit that takes its member out: no fault of the request. */
  isLimited = false
  /** Attempts made, also those for which the member's secret was missing. */
  attempts = 0
  /** Members left because of what came of them. */
  failovers = 0
  /** The first member whose key the upstream rejected. */
  rejected: Lease | null = null
  /** Which of the present member's secrets was sent. */
  generation = 0

  constructor(deps: HistoryDeps, turn: Turn, buffered: boolean) {
    this.#deps = deps
    this.turn = turn
    this.#buffered = buffered
  }

  /** The request goes to the member of this lease. */
  goesTo(lease: Lease): void {
    this.#lease = lease
    this.#isReported = false
    this.isRenewed = false
  }

  /** An attempt is made with the secret of this generation; null: the secret cannot be had. */
  attempt(generation: number | null): void {
    this.attempts++
    if (generation !== null) this.generation = generation
  }

  /** What has happened so far, as `nextStep` judges it after `outcome`. */
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
      renewed: this.isRenewed,
      rejectedBefore: this.rejected !== null,
    }
  }

  /** Tells the engine what came of the present lease; further calls for the same lease do nothing. */
  report(outcome: Outcome): void {
    if (this.#isReported || !this.#lease) return
    this.#isReported = true
    if (outcome.kind === 'overloaded') this.#overloaded = true
    const strong = this.#isStrong(outcome)
    if (strong) this.#strong++
    this.isLimited = strong && outcome.kind !== 'auth-rejected'
    if (outcome.kind === 'auth-rejected' && outcome.status !== null) this.rejected ??= this.#lease
    this.#deps.meter.attempt(this.turn.pool.name, outcome.kind)
    this.turn.report(afterRenewal(outcome, this.isRenewed))
  }

  /** A refusal inside what is passed on already: what came of the lease, unless that has been reported. */
  refuse(outcome: Outcome): void {
    if (this.#isReported) this.turn.late(outcome)
    else this.report(outcome)
  }

  /** The request is over: of a lease that has not been reported nothing can be learned any more. */
  end(): void {
    this.report(nothingLearned)
    this.turn.end()
  }

  #isStrong(outcome: Outcome): boolean {
    const { model, startedAt, heldMs, pacedMs } = this.turn
    return isStrongRefusal(outcome, model, this.#deps.clock.now() - startedAt - heldMs - pacedMs)
  }
}

/** A token that is refused although it was renewed just now is refused for good: the member becomes a suspect. */
function afterRenewal(outcome: Outcome, renewed: boolean): Outcome {
  return renewed && outcome.kind === 'auth-expired' ? { ...outcome, kind: 'auth-rejected' } : outcome
}
