import type { Decision, Exhausted, Lease, OwnerAway } from '../../engine/engine.ts'
import type { Outcome } from '../../pool/pool.ts'
import type { RequestHistory } from '../failover/history.ts'
import { nextMember, nextStep, type Step } from '../failover/replay.ts'
import {
  comeAgain,
  everybodyBusy,
  hostDown,
  nobodyElse,
  poolEmpty,
  previousResponseNotFound,
  stateNotFound,
} from '../local/errors.ts'
import { type Failure, unrenewed } from '../upstream/failure.ts'
import type { ProxyContext } from './context.ts'
import { EarlierRefusal } from './earlier-refusal.ts'
import type { Outgoing } from './outgoing.ts'
import { type AnyAttempt, exhausting, passing, refusing, type State, waitingFor } from './state.ts'

/** The wait for a canonical probe's finding, in ms, before a rejection is passed on or the pool called exhausted. */
const findingMs = 1_000

/** What a client is told to wait, in seconds, when another member could have served but no retry was left. */
const shortWaitSeconds = 1

/** What a judgement works with. */
export interface JudgementDeps {
  readonly context: Pick<ProxyContext, 'clock' | 'credentials' | 'retries' | 'settings'>
  readonly history: RequestHistory
  readonly outgoing: Outgoing
  /** Gives a new signal that is aborted when the client leaves during the wait for a recovery. */
  readonly left: () => AbortSignal
}

/** Gives the next state of an exchange after a decision of the engine or the outcome of an attempt. */
export class Judgement {
  readonly #deps: JudgementDeps
  readonly #earlier = new EarlierRefusal()
  /** The latest attempt whose answer may still be passed on, or is under way. */
  #attempt: AnyAttempt | null = null
  /** What the last attempt failed with, if it has no answer. */
  #failure: Failure | null = null

  constructor(deps: JudgementDeps) {
    this.#deps = deps
  }

  /** An attempt begins; its answer is the one that may be passed on. */
  departs(attempt: AnyAttempt): void {
    this.#attempt = attempt
  }

  /** Nothing of what was held back is needed any more. */
  discard(): void {
    this.#attempt?.discard()
    this.#earlier.discard()
  }

  /** The engine has decided. An answer that is held back is given up with the next lease, not before. */
  chosen(decision: Decision): State {
    const { turn } = this.#deps.history
    switch (decision.kind) {
      case 'lease':
        return decision.lease.role === 'active' ? this.#go(decision.lease) : this.#ifAllowed(decision.lease)
      case 'exhausted':
        return turn.mayHold(decision)
          ? this.#hold()
          : this.#exhausted(decision, { look: () => turn.next(), goOn: (found) => this.chosen(found) })
      case 'full':
        return turn.mayHold(decision) ? this.#hold() : refusing(everybodyBusy, 'passed')
      case 'paced':
        return waitingFor(turn.pace(this.#deps.left()), (found) => this.chosen(found))
      case 'host-down':
        return refusing(hostDown(decision, this.#deps.context.clock.now()), 'upstream_error')
      case 'tried-all':
        // Who could serve has been asked already, yet a client that stops here would never ask again.
        return this.#answerWithLast(this.#deps.history.isLimited)
      case 'owner-away':
        return withoutOwner(decision)
      case 'empty':
        return refusing(poolEmpty, 'exhausted')
    }
  }

  #go(lease: Lease): State {
    if (this.#attempt) this.#earlier.leave(this.#attempt)
    this.#attempt = null
    this.#deps.history.goesTo(lease)
    return { at: 'sending', lease }
  }

  /** Of several replicas one tests a member that recovers; the others go on without it. */
  #ifAllowed(lease: Lease): State {
    const { turn } = this.#deps.history
    const right = turn.right()
    if (right === null) return this.#go(lease)
    return waitingFor(right, (isOurs) => {
      if (isOurs) return this.#go(lease)
      turn.yield()
      return { at: 'choosing' }
    })
  }

  /** The member serves. */
  succeeded(attempt: AnyAttempt, outcome: Outcome): State {
    const { history, context } = this.#deps
    history.report(outcome)
    history.turn.observe(() => attempt.usage(context.clock.now()))
    return passing(attempt, null)
  }

  /** The member refuses: its token is renewed, or another member is asked, or the refusal is the answer. */
  refused(attempt: AnyAttempt, outcome: Outcome): State {
    const { history, outgoing, context } = this.#deps
    if (outcome.scope.endsWith('model')) history.turn.model ??= outcome.model ?? outgoing.model()
    const first = history.rejected
    const step = nextStep(outcome, history.progress(outcome), this.#maxAttempts)
    if (step.do === 'renew') return this.#renew(attempt, outcome)
    history.report(outcome)
    history.turn.observe(() => attempt.usage(context.clock.now()))
    const owned = outcome.reason === 'foreign-state' ? this.#answerForOwner(attempt) : null
    if (owned) return owned
    return step.do === 'ask' && first ? this.#ask(first, step.free) : this.#continue(step)
  }

  /** The attempt ended without an answer. */
  failed(failure: Failure): State {
    const { outcome } = failure
    const { history } = this.#deps
    this.#attempt = null
    this.#failure = failure
    const step = nextStep(outcome, history.progress(outcome), this.#maxAttempts)
    history.report(outcome)
    return this.#continue(step)
  }

  get #maxAttempts(): number {
    return this.#deps.context.settings.replay.maxAttempts
  }

  /** Goes on to the next member if the step and the retry budget allow it. */
  #continue(step: Step): State {
    if (step.do !== 'next') return this.#answerWithLast(step.do === 'pass' && step.again)
    if (!step.free && !this.#deps.context.retries.spend()) return this.#answerWithLast(true)
    this.#deps.history.failovers++
    return { at: 'choosing' }
  }

  /**
   * No other member can be tried, or may be: the client gets the result of the last attempt. `limited`: only this request
   * may go no further, so it is told to come again, in no form on which its client would stop.
   */
  #answerWithLast(limited: boolean): State {
    const { turn } = this.#deps.history
    const outlook = limited ? turn.outlook() : null
    // The last retry met the last member: a client that came again would only hear this.
    if (outlook?.kind === 'exhausted' && !turn.mayHold(outlook))
      return this.#exhausted(outlook, { look: () => turn.outlook(), goOn: () => this.#answerWithLast(false) })
    if (this.#attempt && limited && this.#attempt.status < 500) return refusing(comeAgain, 'passed')
    if (this.#attempt) return passing(this.#attempt, limited ? shortWaitSeconds : null)
    const isRequest = this.#failure?.outcome.kind === 'request-fault'
    return refusing(this.#failure ?? nobodyElse, isRequest ? 'client_error' : 'upstream_error')
  }

  /** Answers for the member that owns what the request names, which another member could not read; null where none is known. */
  #answerForOwner(attempt: AnyAttempt): State | null {
    const refusal = this.#earlier.take()
    const owner = refusal ? null : this.#deps.history.turn.recovery()
    if (!refusal && !owner) return null
    attempt.discard()
    this.#attempt = refusal
    return refusal ? passing(refusal, null) : owner && exhausting(owner, 'passed')
  }

  /** Two members' keys were rejected: unless the first one's really is bad, it is the request, and the answer goes on. */
  #ask(first: Lease, free: boolean): State {
    return waitingFor(this.#deps.history.turn.finding(first, findingMs), (finding) =>
      this.#continue(finding === 'confirmed' ? { do: 'next', free } : { do: 'pass', again: false }),
    )
  }

  /** Renews the member's token and sends once more with the same lease; otherwise this attempt's outcome stands. */
  #renew(attempt: AnyAttempt, outcome: Outcome): State {
    const { lease } = attempt
    const { history, context } = this.#deps
    return waitingFor(context.credentials.renew(lease.credential, history.generation), (renewal) => {
      attempt.discard()
      this.#attempt = null
      if (renewal === 'renewed') {
        history.isRenewed = true
        return { at: 'sending', lease }
      }
      this.#failure = unrenewed(outcome)
      history.report(outcome)
      return this.#continue(nextMember(history.progress(outcome), this.#maxAttempts))
    })
  }

  /** Waits in the queue until a member recovers, or has room. */
  #hold(): State {
    return waitingFor(this.#deps.history.turn.hold(this.#deps.left()), (decision) => {
      if (decision.kind === 'exhausted') return exhausting(decision, 'exhausted')
      return decision.kind === 'full' ? refusing(everybodyBusy, 'passed') : this.chosen(decision)
    })
  }

  /** Says that nobody can serve, unless a suspect that is being probed turns out to be well: its rejection was the request's doing. */
  #exhausted(decision: Exhausted, unless: { look: () => Decision; goOn: (found: Decision) => State }): State {
    const pending = this.#deps.history.turn.pending(findingMs)
    if (pending === null) return exhausting(decision, 'exhausted')
    return waitingFor(pending, () => {
      const found = unless.look()
      return found.kind === 'exhausted' ? exhausting(found, 'exhausted') : unless.goOn(found)
    })
  }
}

/** The answer on which a client goes on: it sends everything anew, comes again when the owner is back, or makes anew what is lost. */
function withoutOwner({ isResent, owner }: OwnerAway): State {
  if (isResent) return refusing(previousResponseNotFound, 'client_error')
  return owner.retryAt === null ? refusing(stateNotFound, 'client_error') : exhausting(owner, 'passed')
}
