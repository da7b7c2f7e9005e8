import { asksModel } from '../../dialect/dialect.ts'
import type { RequestBody } from '../../http1/http1.ts'
import { type Outcome, silentOutcome } from '../../pool/pool.ts'
import { RequestHistory } from '../failover/history.ts'
import { internalError, trailersRefused, unpresentable } from '../local/errors.ts'
import { endingOf, type RequestOutcome } from '../local/meter.ts'
import type { Failure } from '../upstream/failure.ts'
import { passOn, sendError, sendExhausted } from './answers.ts'
import { type AnyAttemptListener, Attempts, type TurnContext } from './attempts.ts'
import { type BodyListener, BodyReader } from './body-reader.ts'
import type { AdmittedRequest, ProxyContext } from './context.ts'
import { conversationOf } from './conversation.ts'
import { countingFor } from './counting.ts'
import { Judgement } from './judgement.ts'
import { Outgoing } from './outgoing.ts'
import { stateNamedBy } from './owned-state.ts'
import { type Answer, type AnyAttempt, type MemberAnswer, refusing, type State, type Waiting } from './state.ts'

/**
 * One admitted request from its body to the end of its answer, as a loop over the states of `state.ts`: body, member,
 * attempt, judgement, and then the answer or the next member. Read `#step` from top to bottom and you have read its way.
 */
export class Exchange implements BodyListener, AnyAttemptListener {
  readonly #context: ProxyContext
  readonly #admitted: AdmittedRequest
  readonly #onOver: (exchange: Exchange) => void
  readonly #outgoing: Outgoing
  readonly #reader: BodyReader
  readonly #attempts: Attempts
  #state: State = { at: 'reading' }
  #bodyAt = 0
  #begun: TurnContext | null = null
  /** Ends the wait for a recovery. */
  #holding: AbortController | null = null

  /** `onOver` is called once, however the exchange ends. */
  constructor(context: ProxyContext, admitted: AdmittedRequest, onOver: (exchange: Exchange) => void) {
    const { bodies, settings } = context
    const limits = { budget: bodies, most: settings.replay.maxBodyBytes }
    this.#context = context
    this.#admitted = admitted
    this.#onOver = onOver
    this.#outgoing = new Outgoing(admitted, context)
    this.#reader = new BodyReader(admitted.request, admitted.frame, limits, this)
    this.#attempts = new Attempts(context, admitted, this.#outgoing, this)
  }

  /** Begins with the body. */
  start(): void {
    this.#context.meter.inflight(this.#admitted.pool.name, 1)
    this.#enter({ at: 'reading' })
  }

  /** Does one step after the other until one has to wait for an event, which enters the next state. */
  #enter(state: State): void {
    try {
      for (let next: State | null = state; next !== null && this.#state.at !== 'over'; ) {
        this.#state = next
        next = this.#step(next)
      }
    } catch (error) {
      // Thrown on, it would reach the parser of a connection.
      this.crashed(error)
    }
  }

  #step(state: State): State | null {
    switch (state.at) {
      case 'reading':
        return this.#read()
      case 'choosing':
        return this.#turnContext.judgement.chosen(this.#turnContext.history.turn.next())
      case 'sending':
        return this.#attempts.send(state.lease, this.#turnContext)
      case 'succeeding':
        return this.#turnContext.judgement.succeeded(state.attempt, state.outcome)
      case 'judging':
        return this.#turnContext.judgement.refused(state.attempt, state.outcome)
      case 'failing':
        return this.#turnContext.judgement.failed(state.failure)
      case 'waiting':
        return this.#wait(state)
      case 'answering':
        return this.#answer(state.answer)
      case 'over':
        return this.#end(state.ending)
    }
  }

  #read(): null {
    if (this.#admitted.expectsContinue) this.#admitted.response.writeContinue()
    this.#reader.start()
    return null
  }

  #wait({ work, then }: Waiting): null {
    const goOn = (result: unknown) => {
      const next = this.isOver ? null : then(result as never)
      if (next) this.#enter(next)
    }
    work.then(goOn).catch((error: unknown) => this.crashed(error))
    return null
  }

  #answer(answer: Answer): State | null {
    if (answer.by === 'member')
      return answer.attempt.presentable ? this.#pass(answer) : refusing(unpresentable, 'upstream_error')
    const attempts = this.#begun?.history.attempts ?? 0
    if ('error' in answer) sendError(this.#context, this.#admitted, answer.error, attempts)
    else {
      if (answer.ending === 'exhausted') this.#turnContext.history.turn.refused(answer.exhausted)
      sendExhausted(this.#context, this.#admitted, answer.exhausted, attempts)
    }
    return { at: 'over', ending: answer.ending }
  }

  #pass({ attempt, retryAfterSeconds }: MemberAnswer): null {
    const { turn, attempts } = this.#turnContext.history
    if (attempt.isStream) turn.model ??= this.#outgoing.modelAtHand()
    const counting = countingFor(this.#context, this.#admitted, this.#outgoing, attempt.lease)
    this.#reader.release()
    passOn(this.#context, this.#admitted, attempt, { body: this.#outgoing.body, attempts, retryAfterSeconds, counting })
    this.#outgoing.forget()
    if (attempts > 1 || turn.heldMs > 0) return null
    const { meter, clock } = this.#context
    meter.overhead(attempt.startedAt - this.#bodyAt + clock.mono() - attempt.headAt)
    return null
  }

  #end(ending: RequestOutcome): null {
    this.#begun?.judgement.discard()
    this.#begun?.history.end()
    this.#reader.release()
    const { body } = this.#outgoing
    if (!body.held) body.rest.destroy()
    const { name } = this.#admitted.pool
    this.#context.meter.request(name, ending)
    this.#context.meter.inflight(name, -1)
    this.#onOver(this)
    return null
  }

  bodyReady(body: RequestBody): void {
    const { engine, clock, retries } = this.#context
    const { pool } = this.#admitted
    this.#outgoing.body = body
    if (this.isOver) return
    this.#bodyAt = clock.mono()
    retries.earn()
    try {
      const model = engine.wantsModel(pool) ? this.#outgoing.model() : null
      const conversation = engine.keepsConversations(pool) ? conversationOf(this.#admitted, body) : null
      const state = engine.hasSeveralOwners(pool) ? stateNamedBy(this.#admitted, engine.knowsUploads(), body) : null
      const turn = engine.begin(pool, model, {
        conversation,
        key: this.#admitted.key,
        state,
        mayTest: this.#mayTest(body),
      })
      const history = new RequestHistory(this.#context, turn, body.held)
      const deps = { context: this.#context, history, outgoing: this.#outgoing, left: () => this.#leaving() }
      this.#begun = { history, judgement: new Judgement(deps) }
    } catch (error) {
      this.crashed(error)
    }
    this.#enter({ at: 'choosing' })
  }

  bodyHasTrailers(): void {
    this.#enter(refusing(trailersRefused, 'client_error'))
  }

  decide(attempt: AnyAttempt, outcome: Outcome): void {
    this.#ttfb(attempt)
    this.#enter({ at: outcome.kind === 'success' ? 'succeeding' : 'judging', attempt, outcome })
  }

  /** A WebSocket begins; what it means for the member is told later, by its first words. */
  granted(attempt: AnyAttempt): void {
    this.#ttfb(attempt)
    this.#enter({ at: 'answering', answer: { by: 'member', attempt, retryAfterSeconds: null } })
  }

  failed(_attempt: AnyAttempt, failure: Failure): void {
    this.#enter({ at: 'failing', failure })
  }

  late(_attempt: AnyAttempt, outcome: Outcome): void {
    this.#begun?.history.turn.late(outcome)
  }

  finished(attempt: AnyAttempt): void {
    this.#enter({ at: 'over', ending: endingOf(attempt.status, this.#begun?.history.failovers ?? 0) })
  }

  severed(): void {
    // A WebSocket that broke before a word was said has not been reported; a probe gives back what was.
    this.#begun?.history.report(silentOutcome('upstream-error', 'reset'))
    this.#enter({ at: 'over', ending: 'upstream_error' })
  }

  /** The client has left: the upstream is let go at once, and nobody is blamed. */
  clientGone(): void {
    this.#holding?.abort()
    this.#enter({ at: 'over', ending: 'client_gone' })
  }

  /** A fault of our own: the client gets an error rather than silence, and the log gets the stack. */
  crashed(error: unknown): void {
    const { log } = this.#context
    const { pool, response } = this.#admitted
    log.error({ error, pool: pool.name }, 'a request failed inside the proxy')
    if (this.isOver) return
    if (response.headersSent) response.destroy()
    else sendError(this.#context, this.#admitted, internalError, this.#begun?.history.attempts ?? 0)
    this.#enter({ at: 'over', ending: 'upstream_error' })
  }

  /** A WebSocket tells of limits when it is too late to go on to another member. */
  #mayTest(body: RequestBody): boolean {
    const { target, upgrade } = this.#admitted
    return body.held && upgrade === null && asksModel(this.#outgoing.method, target.path)
  }

  get isOver(): boolean {
    return this.#state.at === 'over'
  }

  get #turnContext(): TurnContext {
    if (this.#begun === null) throw new Error('the body has not been read')
    return this.#begun
  }

  #leaving(): AbortSignal {
    this.#holding = new AbortController()
    return this.#holding.signal
  }

  #ttfb(attempt: AnyAttempt): void {
    this.#context.meter.ttfb(this.#admitted.pool.name, attempt.headAt - attempt.startedAt)
  }
}
