import { randomBytes } from 'node:crypto'
import { clientKind, type Dialect, findClientKey, type LocalAnswer, type LocalError } from '../../dialect/dialect.ts'
import type { Exhausted, LivePool } from '../../engine/engine.ts'
import {
  asksForWebSocket,
  type Expectation,
  type Frame,
  frameOf,
  headerIn,
  type IncomingRequest,
  type OutgoingResponse,
  type Rejection,
  type RequestFault,
  type RequestHandler,
  type UpgradeClient,
} from '../../http1/http1.ts'
import type { KeyCheck } from '../../keys/keys.ts'
import { isLongUnread } from '../exchange/answers.ts'
import type { AdmittedRequest, ProxyContext } from '../exchange/context.ts'
import { Exchange } from '../exchange/exchange.ts'
import { parseTarget, type Target } from '../exchange/target.ts'
import { prepared, sendLocal, sendPrepared } from '../local/answer.ts'
import { readableTo } from '../local/cors.ts'
import {
  draining,
  expectationFailed,
  keyNotAllowed,
  missingKey,
  noSuchPool,
  overloadedHere,
  problem,
  unknownKey,
  upgradeRefused,
} from '../local/errors.ts'
import { rejections } from '../local/rejections.ts'
import { handshakeFault } from '../websocket/handshake.ts'
import type { Inbound } from './inbound.ts'
import { isPreflight, Preflight } from './preflight.ts'

/** Names that no pool can have, because these paths are answered here. */
const reservedPools: ReadonlySet<string> = new Set(['healthz', 'readyz'])

/** Judges each request whose head has come: answers what is refused, and starts an Exchange for what is admitted. */
export class Handler implements RequestHandler {
  readonly #context: ProxyContext
  readonly #inbound: Inbound
  readonly #idPrefix = `${randomBytes(6).toString('base64url')}-`
  #requests = 0

  constructor(context: ProxyContext, inbound: Inbound) {
    this.#context = context
    this.#inbound = inbound
  }

  /** Judges a request in the order frame, method, target, reserved names, pool; `#enter` goes on where the pool is known. */
  handle(
    request: IncomingRequest,
    response: OutgoingResponse,
    expectation: Expectation,
    upgrade: UpgradeClient | null = null,
  ): void {
    const frame = request.frame ?? frameOf(request.rawHeaders, request.httpVersion)
    if (typeof frame === 'string') {
      sendLocal(response, problem(400, 'bad_request', frame), this.#marks(), true)
      return
    }
    const call = { request, response, frame, upgrade }
    const { method = 'GET' } = request
    if (method === 'TRACE' || method === 'CONNECT') {
      this.#answer(call, problem(405, 'method_not_allowed', `${method} is not accepted.`))
      return
    }
    const target = parseTarget(request.url ?? '')
    if ('refused' in target) {
      this.#answer(call, problem(400, 'bad_request', `The request target is refused: ${target.refused}.`))
      return
    }
    if (reservedPools.has(target.pool)) {
      this.#answer(call, this.#health(target, method))
      return
    }
    const pool = this.#context.engine.find(target.pool)
    if (!pool) {
      this.#answer(call, noSuchPool(target, originOf(request)))
      return
    }
    this.#enter(call, { target, pool, expectation })
  }

  /** The way of a request whose pool is known: from here on answers are in its dialect. */
  #enter(call: Call, { target, pool, expectation }: Entry): void {
    const { request, response, frame, upgrade } = call
    const dialect = this.#context.dialectOf(pool.record)
    const key = clientKeyOf(request, dialect, target)
    const local = dialect.local(request.method ?? 'GET', target.path + target.query, key !== null)
    if (local) {
      this.#answer(call, local)
      return
    }
    const isFree = isPreflight(request, frame)
    const check = isFree ? null : this.#context.keys.check(pool.name, key)
    const refusal = check && this.#refusal(call, { check, pool, expectation })
    if (refusal) {
      this.#context.meter.request(pool.name, 'client_error')
      const answer = dialect.error(refusal)
      this.#answer(call, refusal === upgradeRefused ? namingHttp(answer) : answer)
      return
    }
    // A request that is here as a whole is told at once what any would be told.
    const exhausted = request.complete && !upgrade && !isFree ? this.#context.engine.turnAway(pool) : null
    if (exhausted) {
      this.#answerExhausted(call, dialect, pool, exhausted)
      return
    }
    if (this.#inbound.isFull) {
      this.#context.meter.request(pool.name, 'upstream_error')
      sendPrepared(response, readableTo(request, prepared(dialect.error(overloadedHere))), this.#marks(), true)
      return
    }
    const id = this.#nextId()
    const expectsContinue = expectation === 'continue'
    const keyName = check?.ok ? check.key.name : ''
    this.#admit({ request, response, id, pool, key: keyName, dialect, target, frame, expectsContinue, upgrade }, isFree)
  }

  #admit(admitted: AdmittedRequest, isFree: boolean): void {
    const { socket } = admitted.request
    const way = isFree
      ? new Preflight(this.#context, admitted, (over) => this.#inbound.leave(socket, over))
      : new Exchange(this.#context, admitted, (over) => this.#inbound.leave(socket, over))
    if (this.#inbound.enter(socket, way)) way.start()
  }

  /** Why a request to a known pool is not let in; null when it is. */
  #refusal(
    { request, frame, upgrade }: Call,
    { check, pool, expectation }: Omit<Entry, 'target'> & { readonly check: KeyCheck },
  ): LocalError | null {
    if (!check.ok) return refusalOf[check.why](pool.name)
    if (asksForWebSocket(request.rawHeaders)) return this.#upgradeRefusal(request, frame, upgrade)
    return expectation === 'other' ? expectationFailed : null
  }

  #upgradeRefusal(request: IncomingRequest, frame: Frame, upgrade: UpgradeClient | null): LocalError | null {
    if (!upgrade || !this.#context.settings.webSocket) return upgradeRefused
    if (this.#context.draining) return draining
    const fault = frame.length === 0 ? handshakeFault(request) : 'An upgrade has no body.'
    return fault === null ? null : { status: 400, code: 'bad_request', message: fault, retryAfterSeconds: null }
  }

  #health({ pool, path }: Target, method: string): LocalAnswer {
    if (path !== '') return problem(404, 'unknown_pool', 'There is no pool of this name.')
    if (method !== 'GET' && method !== 'HEAD') return problem(405, 'method_not_allowed', 'Only GET is accepted.')
    const isWell = pool === 'healthz' || (this.#context.ready && !this.#context.draining)
    return {
      status: isWell ? 200 : 503,
      headers: { 'content-type': 'text/plain' },
      body: isWell ? 'ok\n' : 'not ready\n',
    }
  }

  #answerExhausted({ request, response }: Call, dialect: Dialect, pool: LivePool, decision: Exhausted): void {
    const { meter, exhaustedAnswers, clock, draining } = this.#context
    request.gathered?.release()
    meter.request(pool.name, 'exhausted')
    const facts = { dialect, client: clientKind(headerIn(request.rawHeaders, 'user-agent')) }
    const answer = exhaustedAnswers.answer(facts, pool.name, decision, clock.now())
    sendPrepared(response, readableTo(request, answer), this.#marks(), draining)
  }

  #nextId(): string {
    return this.#idPrefix + (++this.#requests).toString(36)
  }

  /** What every answer carries, also one that no attempt was made for; raw pairs. */
  #marks(): readonly string[] {
    return ['x-spillway-request-id', this.#nextId(), 'x-spillway-attempts', '0']
  }

  rejection(fault: RequestFault): Rejection {
    const { status, headers, body } = rejections[fault]
    return { status, headers: [...this.#marks(), ...Object.entries(headers).flat()], body }
  }

  #answer({ request, response, frame }: Call, answer: LocalAnswer): void {
    const isLong = isLongUnread(request, frame)
    sendPrepared(response, readableTo(request, prepared(answer)), this.#marks(), isLong || this.#context.draining)
  }
}

/** The key that a request carries, wherever its dialect's clients put it; null without one. */
function clientKeyOf({ rawHeaders }: IncomingRequest, dialect: Dialect, { query }: Target): string | null {
  const header = (name: string) => headerIn(rawHeaders, name)
  const protocols = asksForWebSocket(rawHeaders) ? (header('sec-websocket-protocol') ?? null) : null
  return findClientKey(dialect, header, { query: query.slice(1), protocols })
}

/** The address that the client used. */
function originOf({ rawHeaders, socket }: IncomingRequest): string {
  return `${'encrypted' in socket ? 'https' : 'http'}://${headerIn(rawHeaders, 'host') ?? 'HOST'}`
}

/** A 426 has to name what is spoken instead (RFC 9110, 15.5.22). */
function namingHttp(answer: LocalAnswer): LocalAnswer {
  return { ...answer, headers: { ...answer.headers, upgrade: 'HTTP/1.1', connection: 'close, upgrade' } }
}

interface Call {
  readonly request: IncomingRequest
  readonly response: OutgoingResponse
  readonly frame: Frame
  /** The connection behind `response` when it is to become a WebSocket. */
  readonly upgrade: UpgradeClient | null
}

interface Entry {
  readonly target: Target
  readonly pool: LivePool
  readonly expectation: Expectation
}

const refusalOf = { missing: missingKey, unknown: unknownKey, 'not-allowed': keyNotAllowed } as const
