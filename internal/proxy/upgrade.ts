import { type ClientRequest, Agent as HttpAgent, IncomingMessage } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import type { Socket } from 'node:net'
import httpProxy from 'http-proxy'
import { errors } from 'undici'
import type { Cancel, Clock } from '../clock/clock.ts'
import type { Dialect, Injection } from '../dialect/dialect.ts'
import type { Lease } from '../engine/engine.ts'
import type { Outcome, Usage } from '../pool/pool.ts'
import type { Presentation } from './attempt.ts'
import { BadAnswer, type Failure, failureOf } from './failure.ts'
import type { Destination } from './outgoing.ts'
import type { UpgradeClient } from './upgrade-client.ts'
import { Rejection } from './upgrade-rejection.ts'
import { serviceRestart, type WebSocketOwner, WebSocketTunnel } from './websocket.ts'
import { acceptedHeaders } from './websocket-handshake.ts'
import type { OpenSocket, OpenSockets } from './websocket-registry.ts'
import type { Fate, SocketVerdict } from './websocket-verdict.ts'

/** Who an upgrade tells what has come of it: first `granted`, `decide` or `failed`, and after `pass` how that ended. */
export interface UpgradeOwner {
  granted(attempt: UpgradeAttempt): void
  /** The upgrade is refused. */
  decide(attempt: UpgradeAttempt, outcome: Outcome): void
  failed(attempt: UpgradeAttempt, failure: Failure): void
  finished(attempt: UpgradeAttempt): void
  severed(attempt: UpgradeAttempt): void
  crashed(error: unknown): void
}

/** What all attempts of an upgrade share. */
export interface UpgradeSurroundings {
  readonly owner: UpgradeOwner
  /** What is said on the WebSocket is judged there. */
  readonly verdict: SocketVerdict
  readonly dialect: Dialect
  readonly client: UpgradeClient
  readonly sockets: OpenSockets
  readonly clock: Clock
  /** How long connecting and the head of the answer may take, in ms. */
  readonly connectMs: number
  readonly headMs: number
}

/** An upstream's 101 that waits to be passed on. */
interface Granted {
  readonly headers: readonly string[]
  readonly carry: () => void
}

type Carry = (response: IncomingMessage, socket: Socket, head: Buffer) => void

/**
 * One upgrade with one member. http-proxy sends the request and joins the two connections; in between stands a tunnel
 * in place of the client, so that nothing reaches the client before its owner has decided.
 */
export class UpgradeAttempt implements WebSocketOwner, OpenSocket {
  readonly lease: Lease
  readonly #injection: Injection
  readonly #around: UpgradeSurroundings
  readonly #tunnel: WebSocketTunnel
  /** When the request was handed over, and when the head of its answer was here: monotonic ms, or 0. */
  startedAt = 0
  headAt = 0
  #request: ClientRequest | null = null
  #upstream: Socket | null = null
  #sent = false
  #forgetDeadline: Cancel = () => {}
  #granted: Granted | null = null
  #rejection: Rejection | null = null
  #refusedWith = 0
  #over = false

  constructor(lease: Lease, injection: Injection, around: UpgradeSurroundings) {
    this.lease = lease
    this.#injection = injection
    this.#around = around
    this.#tunnel = new WebSocketTunnel(this, around.clock)
  }

  /** The status of the answer, or what an open WebSocket counts as; 0 before there is one. */
  get status(): number {
    return this.#granted ? this.#around.verdict.status : this.#refusedWith
  }

  /** Whether the refusal can be shown: not when it broke off, is very long, or cannot be searched for our secret. */
  get presentable(): boolean {
    return this.#rejection === null || this.#rejection.presentable
  }

  get isQuiet(): boolean {
    return this.#tunnel.isQuiet
  }

  /** A handshake says nothing of limits that a later answer would not say. */
  usage(): readonly Usage[] {
    return []
  }

  /** Asks the upstream. */
  send({ url, path, headers, lookup }: Destination): void {
    const secure = url.protocol === 'https:'
    const agent = secure ? new HttpsAgent({ keepAlive: false, lookup }) : new HttpAgent({ keepAlive: false, lookup })
    const hostname = url.hostname.replace(/^\[|\]$/g, '')
    const protocol = secure ? 'wss:' : 'ws:'
    const target = { protocol, host: hostname, hostname, port: Number(url.port) || (secure ? 443 : 80) }
    const asked = new IncomingMessage(this.#around.client.socket)
    asked.method = 'GET'
    asked.url = '/'
    asked.headers = { connection: 'Upgrade', upgrade: 'websocket' }
    const carrier = httpProxy.createProxyServer({ agent, secure: true })
    carrier.on('proxyReqWs', (request) => this.#prepare(request, { path, headers, secure }))
    carrier.ws(asked, this.#tunnel, Buffer.alloc(0), { target }, (error) => this.#broken(error))
    this.#intercept()
  }

  /** Gives the answer to the client: the WebSocket, or the refusal. */
  pass(how: Presentation): void {
    const { client, owner, sockets } = this.#around
    if (this.#granted === null) {
      this.#rejection?.show(client.response, this.#injection.secret, how)
      this.#over = true
      owner.finished(this)
      return
    }
    const socket = client.open()
    socket.write(headOf([...this.#granted.headers, ...withoutConnection(how.marks)]), 'latin1')
    sockets.enter(this)
    this.#tunnel.open(socket)
    this.#granted.carry()
  }

  /** It is not wanted, or over: nothing of it stays open. */
  discard(): void {
    this.#over = true
    this.#forgetDeadline()
    this.#around.sockets.leave(this)
    if (this.#granted) this.#tunnel.abandon()
    this.#request?.destroy()
    this.#upstream?.destroy()
  }

  close(code: number, reason: string): void {
    this.#tunnel.close(code, reason)
  }

  meaning(message: string) {
    const { dialect, clock } = this.#around
    return dialect.classifyEvent({ event: null, data: message }, clock.now())
  }

  accepted(): void {
    const { verdict, owner } = this.#around
    try {
      verdict.accepted()
    } catch (error) {
      owner.crashed(error)
    }
  }

  refused(outcome: Outcome, decide: (fate: Fate) => void): void {
    const { verdict, owner } = this.#around
    verdict.refused(outcome, decide).catch((error: unknown) => owner.crashed(error))
  }

  late(outcome: Outcome): void {
    const { verdict, owner } = this.#around
    verdict
      .late(outcome)
      .then((isRenewed) => isRenewed && this.close(serviceRestart, 'come again: the login was renewed'))
      .catch((error: unknown) => owner.crashed(error))
  }

  ended(how: 'finished' | 'severed'): void {
    // Before that the tunnel ends with each refusal.
    if (this.#over || this.#granted === null) return
    if (how === 'finished') this.#around.owner.finished(this)
    else this.#around.owner.severed(this)
  }

  /** Completes the request before it leaves; http-proxy would collapse slashes and change names. */
  #prepare(request: ClientRequest, about: { path: string; headers: readonly string[]; secure: boolean }): void {
    const { clock, connectMs, headMs } = this.#around
    this.#request = request
    request.path = about.path
    for (const [name, values] of grouped(about.headers)) request.setHeader(name, values)
    this.#forgetDeadline = clock.after(connectMs, () => request.destroy(new errors.ConnectTimeoutError()))
    request.once('socket', (socket) => {
      socket.once(about.secure ? 'secureConnect' : 'connect', () => {
        this.#sent = true
        this.#forgetDeadline()
        this.#forgetDeadline = clock.after(headMs, () => request.destroy(new errors.HeadersTimeoutError()))
      })
    })
  }

  /** Puts ourselves between http-proxy and the answer: it would give a refusal to the client as it is. */
  #intercept(): void {
    const request = this.#request
    if (!request) return
    const [carry] = request.listeners('upgrade') as Carry[]
    request.removeAllListeners('response').removeAllListeners('upgrade')
    request.on('response', (response) => this.#onResponse(response))
    request.on('upgrade', (response, socket, head) => {
      this.#upstream = socket
      this.#onUpgrade(response, () => carry?.(response, socket, head))
    })
  }

  #onUpgrade(response: IncomingMessage, carry: () => void): void {
    const { clock, client, owner } = this.#around
    this.#forgetDeadline()
    if (this.#over) return
    this.headAt = clock.mono()
    const headers = acceptedHeaders(response.rawHeaders, client.response.req.rawHeaders)
    if (typeof headers === 'string') {
      this.#upstream?.destroy()
      this.#fail(new BadAnswer(headers))
      return
    }
    this.#granted = { headers, carry }
    owner.granted(this)
  }

  #onResponse(response: IncomingMessage): void {
    const { clock, dialect, owner } = this.#around
    this.#forgetDeadline()
    this.headAt = clock.mono()
    this.#refusedWith = response.statusCode ?? 0
    if (this.#refusedWith < 300) {
      this.#request?.destroy()
      this.#fail(new BadAnswer('it did not answer the upgrade'))
      return
    }
    const oauth = this.#injection.kind === 'bearer-token'
    const rejection = new Rejection(response, { dialect, clock, oauth }, (outcome) => {
      this.#request?.destroy()
      if (!this.#over) owner.decide(this, outcome)
    })
    this.#rejection = rejection
    rejection.read()
  }

  #broken(error: Error): void {
    this.#forgetDeadline()
    if (this.#granted) this.#tunnel.broken()
    else if (this.#rejection === null) this.#fail(error)
  }

  #fail(error: Error): void {
    if (this.#over) return
    this.#over = true
    const isGarbled = 'code' in error && String(error.code).startsWith('HPE_')
    this.#around.owner.failed(this, failureOf(isGarbled ? new BadAnswer(error.message) : error, this.#sent))
  }
}

function grouped(headers: readonly string[]): Iterable<[string, string[]]> {
  const groups = new Map<string, [string, string[]]>()
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at] as string
    const group = groups.get(name.toLowerCase())
    if (group) group[1].push(headers[at + 1] as string)
    else groups.set(name.toLowerCase(), [name, [headers[at + 1] as string]])
  }
  return groups.values()
}

function withoutConnection(marks: readonly string[]): string[] {
  return marks.filter((_, at) => marks[at - (at % 2)] !== 'connection')
}

function headOf(headers: readonly string[]): string {
  let head = 'HTTP/1.1 101 Switching Protocols\r\n'
  for (let at = 0; at < headers.length; at += 2) head += `${headers[at]}: ${headers[at + 1]}\r\n`
  return `${head}\r\n`
}
