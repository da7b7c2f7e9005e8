import type { IncomingMessage } from 'node:http'
import type { Clock } from '../../clock/clock.ts'
import { type Dialect, type Injection, limitsIn } from '../../dialect/dialect.ts'
import type { Lease } from '../../engine/engine.ts'
import { InvalidResponse, type UpgradeClient } from '../../http1/http1.ts'
import type { Outcome, Usage } from '../../pool/pool.ts'
import type { Presentation } from '../attempt/presentation.ts'
import { type Failure, failureOf } from '../upstream/failure.ts'
import { acceptedHead, acceptedHeaders } from './handshake.ts'
import type { OpenSocket, OpenSockets } from './open-sockets.ts'
import { type TunnelListener, WebSocketTunnel } from './tunnel.ts'
import { TurnCount } from './turn-count.ts'
import { type Destination, UpgradeCarrier, type UpgradeCarrierListener } from './upgrade-carrier.ts'
import { Rejection } from './upgrade-rejection.ts'
import type { RefusalDisplay, SocketVerdict } from './verdict.ts'

/** What an upgrade calls: first `granted`, `decide` or `failed`, and after `pass` either `finished` or `severed`. */
export interface UpgradeListener {
  granted(attempt: UpgradeAttempt): void
  /** The upgrade is refused. */
  decide(attempt: UpgradeAttempt, outcome: Outcome): void
  failed(attempt: UpgradeAttempt, failure: Failure): void
  finished(attempt: UpgradeAttempt): void
  severed(attempt: UpgradeAttempt): void
  crashed(error: unknown): void
}

/** What all attempts of an upgrade share. */
export interface UpgradeContext {
  readonly listener: UpgradeListener
  /** What is said on the WebSocket is judged there. */
  readonly verdict: SocketVerdict
  readonly dialect: Dialect
  readonly client: UpgradeClient
  readonly sockets: OpenSockets
  readonly clock: Clock
  /** How long connecting and the head of the answer may take, in ms. */
  readonly connectMs: number
  readonly headMs: number
  /** How long messages without content are held back, in ms. */
  readonly holdMs: number
}

/** An upstream's 101 that waits to be passed on. */
interface Granted {
  readonly headers: readonly string[]
  readonly carry: () => void
}

/** One upgrade with one member: nothing of its answer reaches the client before its listener has decided. */
export class UpgradeAttempt implements TunnelListener, OpenSocket, UpgradeCarrierListener {
  readonly lease: Lease
  readonly #injection: Injection
  readonly #context: UpgradeContext
  readonly #tunnel: WebSocketTunnel
  readonly #carrier: UpgradeCarrier
  /** When the request was handed over, and when the head of its answer was here: monotonic ms, or 0. */
  startedAt = 0
  headAt = 0
  #sent = false
  #granted: Granted | null = null
  #rejection: Rejection | null = null
  #refusedWith = 0
  #over = false

  constructor(lease: Lease, injection: Injection, context: UpgradeContext) {
    this.lease = lease
    this.#injection = injection
    this.#context = context
    this.#tunnel = new WebSocketTunnel(this, context)
    this.#carrier = new UpgradeCarrier(this, this.#tunnel, context)
  }

  /** The status of the answer, or what an open WebSocket counts as; 0 before there is one. */
  get status(): number {
    return this.#granted ? this.#context.verdict.status : this.#refusedWith
  }

  /** Whether the refusal can be shown: not when it broke off, is very long, or cannot be searched for our secret. */
  get presentable(): boolean {
    return this.#rejection === null || this.#rejection.presentable
  }

  /** What is said late on a WebSocket names no model that was asked for. */
  get isStream(): boolean {
    return false
  }

  /** The raw headers of the upstream's 101. */
  get headers(): readonly string[] {
    return this.#granted?.headers ?? []
  }

  get isQuiet(): boolean {
    return this.#tunnel.isQuiet
  }

  /** What limits are is told by messages. */
  usage(): readonly Usage[] {
    return []
  }

  /** Asks the upstream. */
  send(destination: Destination): void {
    this.#carrier.send(destination, this.#context.client.socket)
  }

  /** Gives the answer to the client: the WebSocket, or the refusal. */
  pass(how: Presentation): void {
    const { client, listener, sockets } = this.#context
    if (this.#granted === null) {
      this.#rejection?.show(client.response, this.#injection.secret, how)
      this.#over = true
      listener.finished(this)
      return
    }
    const socket = client.open()
    socket.write(acceptedHead(this.#granted.headers, how.marks), 'latin1')
    sockets.enter(this)
    this.#tunnel.open(socket, how.counting && new TurnCount((told) => how.counting?.done(told)))
    this.#granted.carry()
  }

  /** It is not wanted, or over: nothing of it stays open. */
  discard(): void {
    this.#over = true
    this.#context.sockets.leave(this)
    if (this.#granted) this.#tunnel.abandon()
    this.#carrier.destroy()
  }

  close(code: number, reason: string): void {
    this.#tunnel.close(code, reason)
  }

  meaning(message: string) {
    const { dialect, clock } = this.#context
    return dialect.classifyEvent({ event: null, data: message }, clock.now())
  }

  limits(message: string): void {
    this.#context.verdict.limits(limitsIn(message, this.#context.clock.now()))
  }

  accepted(): void {
    const { verdict, listener } = this.#context
    try {
      verdict.accepted()
    } catch (error) {
      listener.crashed(error)
    }
  }

  refused(outcome: Outcome, decide: (display: RefusalDisplay) => void): void {
    const { verdict, listener } = this.#context
    verdict.refused(outcome, decide).catch((error: unknown) => listener.crashed(error))
  }

  ended(how: 'finished' | 'severed'): void {
    // Before that the tunnel ends with each refusal.
    if (this.#over || this.#granted === null) return
    if (how === 'finished') this.#context.listener.finished(this)
    else this.#context.listener.severed(this)
  }

  onSent(): void {
    this.#sent = true
  }

  onUpgrade(response: IncomingMessage, carry: () => void): void {
    const { clock, client, listener } = this.#context
    if (this.#over) return
    this.headAt = clock.mono()
    const headers = acceptedHeaders(response.rawHeaders, client.response.req.rawHeaders)
    if (typeof headers === 'string') {
      this.#carrier.destroy()
      this.#fail(new InvalidResponse(headers))
      return
    }
    this.#granted = { headers, carry }
    listener.granted(this)
  }

  onResponse(response: IncomingMessage): void {
    const { clock, dialect, listener } = this.#context
    this.headAt = clock.mono()
    this.#refusedWith = response.statusCode ?? 0
    if (this.#refusedWith < 300) {
      this.#carrier.refuse()
      this.#fail(new InvalidResponse('it did not answer the upgrade'))
      return
    }
    const oauth = this.#injection.kind === 'bearer-token'
    const rejection = new Rejection(response, { dialect, clock, oauth }, (outcome) => {
      this.#carrier.refuse()
      if (!this.#over) listener.decide(this, outcome)
    })
    this.#rejection = rejection
    rejection.read()
  }

  onBroken(error: Error): void {
    if (this.#granted) this.#tunnel.broken()
    else if (this.#rejection === null) this.#fail(error)
  }

  #fail(error: Error): void {
    if (this.#over) return
    this.#over = true
    const isGarbled = 'code' in error && String(error.code).startsWith('HPE_')
    this.#context.listener.failed(this, failureOf(isGarbled ? new InvalidResponse(error.message) : error, this.#sent))
  }
}
