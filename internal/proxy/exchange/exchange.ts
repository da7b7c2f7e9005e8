import type { LocalError } from '../../dialect/dialect.ts'
import type { Decision, Exhausted, Lease } from '../../engine/engine.ts'
import type { RequestBody } from '../../http1/http1.ts'
import type { Outcome } from '../../pool/pool.ts'
import { another, nextStep, type Step } from '../failover/replay.ts'
import { Walk } from '../failover/walk.ts'
import {
  comeAgain,
  hostDown,
  internalError,
  nobodyElse,
  poolEmpty,
  trailersRefused,
  unpresentable,
} from '../local/errors.ts'
import { endingOf, type RequestOutcome } from '../local/meter.ts'
import { type Failure, silentOutcome, unrenewed } from '../upstream/failure.ts'
import { BodyReader, type BodyReceiver } from './body-reader.ts'
import type { Admitted, Gateway } from './context.ts'
import { EarlierRefusal } from './earlier-refusal.ts'
import { Outgoing } from './outgoing.ts'
import { Pauses } from './pauses.ts'
import { Reply } from './reply.ts'
import { Sender, type SenderOwner, type Trip } from './sender.ts'

/** What a client is told to wait, in seconds, when another member could have served but no retry was left. */
const shortWaitSeconds = 1

/**
 * One admitted request from its body to the end of its answer: reads the body, asks the engine for a member, sends an
 * attempt, and after each outcome does what `replay.ts` says.
 */
export class Exchange implements BodyReceiver, SenderOwner {
  readonly #gateway: Gateway
  readonly #admitted: Admitted
  readonly #onOver: (exchange: Exchange) => void
  readonly #outgoing: Outgoing
  readonly #reply: Reply
  readonly #reader: BodyReader
  readonly #sender: Sender
  readonly #pauses: Pauses
  #bodyAt = 0
  #walk: Walk | null = null
  #trip: Trip | null = null
  readonly #earlier = new EarlierRefusal()
  /** What the last attempt failed with, if it has no answer. */
  #failure: Failure | null = null
  #over = false

  /** `onOver` is called once, however the exchange ends. */
  constructor(gateway: Gateway, admitted: Admitted, onOver: (exchange: Exchange) => void) {
    const { request, frame } = admitted
    const { bodies, settings } = gateway
    this.#gateway = gateway
    this.#admitted = admitted
    this.#onOver = onOver
    this.#outgoing = new Outgoing(admitted, gateway.turnStates)
    this.#reply = new Reply(gateway, admitted)
    this.#reader = new BodyReader(request, frame, { budget: bodies, most: settings.replay.maxBodyBytes }, this)
    this.#sender = new Sender(gateway, admitted, this.#outgoing, this)
    this.#pauses = new Pauses(gateway, this)
  }

  /** Begins with the body. */
  start(): void {
    this.#gateway.meter.inflight(this.#admitted.pool.name, 1)
    if (this.#admitted.expectsContinue) this.#admitted.response.writeContinue()
    this.#reader.start()
  }

  /** The client has left: the upstream is let go at once, and nobody is blamed. */
  clientGone(): void {
    this.#pauses.abandon()
    this.#finish('client_gone')
  }

  bodyReady(body: RequestBody): void {
    const { engine, clock, retries } = this.#gateway
    const { pool } = this.#admitted
    this.#outgoing.body = body
    if (this.#over) return
    this.#bodyAt = clock.mono()
    retries.earn()
    try {
      const model = engine.wantsModel(pool) ? this.#outgoing.model() : null
      this.#walk = new Walk(this.#gateway, pool, { model, buffered: body.held })
      this.#act(this.#walk.next(), this.#walk)
    } catch (error) {
      this.crashed(error)
    }
  }

  bodyHasTrailers(): void {
    if (!this.#over) this.#excuse(trailersRefused, 'client_error')
  }

  /** Does what the engine decided. An answer that is held back is given up with the next lease, not before. */
  #act(decision: Decision, walk: Walk): void {
    switch (decision.kind) {
      case 'lease':
        if (this.#trip) this.#earlier.leave(this.#trip)
        this.#trip = null
        walk.take(decision.lease)
        this.#sender.send(decision.lease, walk)
        break
      case 'exhausted':
        if (walk.mayHold(decision)) this.#hold(walk)
        else this.#refuse(decision, walk, { look: () => walk.next(), goOn: (found) => this.#act(found, walk) })
        break
      case 'host-down':
        this.#excuse(hostDown(decision, this.#gateway.clock.now()), 'upstream_error')
        break
      case 'tried-all':
        // Who could serve has been asked already, yet a client that stops here would never ask again.
        this.#lastWord(walk, walk.isLimited)
        break
      case 'empty':
        this.#excuse(poolEmpty, 'exhausted')
        break
    }
  }

  get isOver(): boolean {
    return this.#over
  }

  departs(trip: Trip): void {
    this.#trip = trip
  }

  decide(trip: Trip, outcome: Outcome): void {
    this.#goOn((walk) => this.#judge(trip, outcome, walk))
  }

  granted(trip: Trip): void {
    this.#goOn((walk) => this.#open(trip, walk))
  }

  failed(_trip: Trip, failure: Failure): void {
    this.#goOn((walk) => this.#judgeFailure(failure, walk))
  }

  /** What is thrown here would reach the parser of a connection. */
  #goOn(step: (walk: Walk) => void): void {
    try {
      if (this.#walk) step(this.#walk)
    } catch (error) {
      this.crashed(error)
    }
  }

  unequipped(failure: Failure, walk: Walk): void {
    this.#judgeFailure(failure, walk)
  }

  late(_trip: Trip, outcome: Outcome): void {
    this.#walk?.late(outcome)
  }

  finished(trip: Trip): void {
    this.#finish(endingOf(trip.status, this.#walk?.failovers ?? 0))
  }

  severed(): void {
    // A WebSocket that broke before a word was said has not been reported; a probe gives back what was.
    this.#walk?.report(silentOutcome('upstream-error', 'reset'))
    this.#finish('upstream_error')
  }

  /** A WebSocket begins; its walk hears later what its first words mean. */
  #open(trip: Trip, walk: Walk): void {
    this.#gateway.meter.ttfb(walk.turn.pool.name, trip.headAt - trip.startedAt)
    this.#pass(trip, walk, null)
  }

  #judge(attempt: Trip, outcome: Outcome, walk: Walk): void {
    const { meter, settings } = this.#gateway
    if (outcome.scope.endsWith('model') && outcome.model === null) walk.turn.model ??= this.#outgoing.model()
    meter.ttfb(walk.turn.pool.name, attempt.headAt - attempt.startedAt)
    const first = walk.rejected
    const step = nextStep(outcome, walk.progress(outcome), settings.replay.maxAttempts)
    if (step.do === 'renew') {
      this.#renew(attempt, outcome, walk)
      return
    }
    walk.report(outcome)
    if (outcome.kind === 'success') this.#observe(attempt)
    if (outcome.reason === 'foreign-state' && this.#passToOwner(attempt, walk)) return
    if (step.do === 'ask' && first) this.#ask(first, step.free, walk)
    else this.#continue(step, walk)
  }

  /** Answers for the member that owns what the request names, which another member could not read; false where nobody is known to. */
  #passToOwner(attempt: Trip, walk: Walk): boolean {
    const refusal = this.#earlier.take()
    const owner = refusal ? null : walk.recovery()
    if (!refusal && !owner) return false
    attempt.discard()
    this.#trip = refusal
    if (refusal) this.#pass(refusal, walk, null)
    else if (owner) {
      this.#reply.exhausted(owner, walk.attempts)
      this.#finish('passed')
    }
    return true
  }

  #observe(attempt: Trip): void {
    const { engine, clock } = this.#gateway
    if (engine.wantsUsage(attempt.lease)) engine.observe(attempt.lease, attempt.usage(clock.now()))
  }

  /** The attempt ended without an answer. */
  #judgeFailure(failure: Failure, walk: Walk): void {
    const { outcome } = failure
    this.#trip = null
    const step = nextStep(outcome, walk.progress(outcome), this.#gateway.settings.replay.maxAttempts)
    walk.report(outcome)
    this.#failure = failure
    this.#continue(step, walk)
  }

  /** Goes on to the next member if the step and the retry budget allow it. */
  #continue(step: Step, walk: Walk): void {
    if (step.do !== 'next') this.#lastWord(walk, step.do === 'pass' && step.again)
    else if (!step.free && !this.#gateway.retries.spend()) this.#lastWord(walk, true)
    else {
      walk.failovers++
      this.#act(walk.next(), walk)
    }
  }

  /**
   * Nobody else can or may be tried: the client gets what came of the last attempt. `limited`: only this request may not,
   * so it is told to come again, and hears nothing on which it would stop.
   */
  #lastWord(walk: Walk, limited: boolean): void {
    const outlook = limited ? walk.outlook() : null
    // The last retry met the last member: a client that came again would only hear this.
    if (outlook?.kind === 'exhausted' && !walk.mayHold(outlook)) {
      this.#refuse(outlook, walk, { look: () => walk.outlook(), goOn: () => this.#lastWord(walk, false) })
    } else if (this.#trip && limited && this.#trip.status < 500) this.#excuse(comeAgain, 'passed')
    else if (this.#trip) this.#pass(this.#trip, walk, limited ? shortWaitSeconds : null)
    else if (this.#failure?.outcome.kind === 'request-fault') this.#excuse(this.#failure, 'client_error')
    else this.#excuse(this.#failure ?? nobodyElse, 'upstream_error')
  }

  /** Two members' keys were rejected: unless the first one's really is bad, it is the request, and the answer goes on. */
  #ask(first: Lease, free: boolean, walk: Walk): void {
    this.#pauses.forFinding(first, (finding) =>
      this.#continue(finding === 'confirmed' ? { do: 'next', free } : { do: 'pass', again: false }, walk),
    )
  }

  /** Renews the member's token and sends once more with the same lease; otherwise this attempt's outcome stands. */
  #renew(attempt: Trip, outcome: Outcome, walk: Walk): void {
    const { lease } = attempt
    this.#pauses.forRenewal(lease, walk.generation, (renewal) => {
      attempt.discard()
      this.#trip = null
      if (renewal === 'renewed') {
        walk.renew()
        this.#sender.send(lease, walk)
      } else {
        this.#failure = unrenewed(outcome)
        walk.report(outcome)
        this.#continue(another(walk.progress(outcome), this.#gateway.settings.replay.maxAttempts), walk)
      }
    })
  }

  #hold(walk: Walk): void {
    this.#pauses.forRecovery(walk, (decision) => {
      if (decision.kind === 'exhausted') this.#sayExhausted(decision, walk)
      else this.#act(decision, walk)
    })
  }

  /** Says that nobody can serve, unless a suspect that is being probed turns out to be well: its rejection was the request's doing. */
  #refuse(decision: Exhausted, walk: Walk, unless: { look: () => Decision; goOn: (found: Decision) => void }): void {
    const isPending = this.#pauses.forSuspects(walk, () => {
      const found = unless.look()
      if (found.kind === 'exhausted') this.#sayExhausted(found, walk)
      else unless.goOn(found)
    })
    if (!isPending) this.#sayExhausted(decision, walk)
  }

  #sayExhausted(decision: Exhausted, walk: Walk): void {
    this.#gateway.engine.refused(walk.turn, decision)
    this.#reply.exhausted(decision, walk.attempts)
    this.#finish('exhausted')
  }

  #pass(attempt: Trip, walk: Walk, retryAfterSeconds: number | null): void {
    if (!attempt.presentable) {
      this.#excuse(unpresentable, 'upstream_error')
      return
    }
    if (attempt.isStream) walk.turn.model ??= this.#outgoing.modelAtHand()
    this.#reader.release()
    this.#reply.pass(attempt, this.#outgoing.body, { attempts: walk.attempts, retryAfterSeconds })
    this.#outgoing.forget()
    if (walk.attempts > 1 || walk.turn.heldMs > 0) return
    const { meter, clock } = this.#gateway
    meter.overhead(attempt.startedAt - this.#bodyAt + clock.mono() - attempt.headAt)
  }

  #excuse(error: LocalError, ending: RequestOutcome): void {
    this.#reply.excuse(error, this.#walk?.attempts ?? 0)
    this.#finish(ending)
  }

  #finish(outcome: RequestOutcome): void {
    if (this.#over) return
    this.#over = true
    this.#trip?.discard()
    this.#earlier.discard()
    this.#walk?.end()
    this.#reader.release()
    const { body } = this.#outgoing
    if (!body.held) body.rest.destroy()
    const { name } = this.#admitted.pool
    this.#gateway.meter.request(name, outcome)
    this.#gateway.meter.inflight(name, -1)
    this.#onOver(this)
  }

  /** A fault of our own: the client gets an error rather than silence, and the log gets the stack. */
  crashed(error: unknown): void {
    this.#gateway.log.error({ error, pool: this.#admitted.pool.name }, 'a request failed inside the proxy')
    if (this.#over) return
    if (this.#reply.isOpen) this.#excuse(internalError, 'upstream_error')
    else this.#reply.destroy()
    this.#finish('upstream_error')
  }
}
