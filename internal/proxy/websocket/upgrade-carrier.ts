import { type AgentOptions, type ClientRequest, Agent as HttpAgent, IncomingMessage } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import type { LookupFunction, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import httpProxy from 'http-proxy'
import type { Cancel, Clock } from '../../clock/clock.ts'
import { guarded, HeadTimeout } from '../../http1/http1.ts'
import type { Connector } from '../../outbound/outbound.ts'
import type { WebSocketTunnel } from './tunnel.ts'

/** Where and how an upgrade is asked for. */
export interface Destination {
  readonly url: URL
  readonly path: string
  /** Raw pairs, without those of the hop. */
  readonly headers: readonly string[]
  readonly lookup: LookupFunction
  /** Opens the connection through a proxy; null: directly. */
  readonly connect: Connector | null
}

/** Who is told what an upstream answers to an upgrade. */
export interface UpgradeCarrierListener {
  /** The request leaves. */
  onSent(): void
  /** It is granted; `carry` joins the upstream with the tunnel. */
  onUpgrade(response: IncomingMessage, carry: () => void): void
  onResponse(response: IncomingMessage): void
  onBroken(error: Error): void
}

type Carry = (response: IncomingMessage, socket: Socket, head: Buffer) => void

/**
 * Asks an upstream for an upgrade through http-proxy, which sends the request and joins the two connections. In between
 * stands a tunnel in place of the client, and we stand between http-proxy and the answer: it would give a refusal to the
 * client as it is.
 */
export class UpgradeCarrier {
  readonly #listener: UpgradeCarrierListener
  readonly #tunnel: WebSocketTunnel
  /** How long connecting and the head of the answer may take, in ms. */
  readonly #limits: { readonly clock: Clock; readonly connectMs: number; readonly headMs: number }
  #request: ClientRequest | null = null
  #upstream: Socket | null = null
  #forgetDeadline: Cancel = () => {}

  constructor(
    listener: UpgradeCarrierListener,
    tunnel: WebSocketTunnel,
    limits: { readonly clock: Clock; readonly connectMs: number; readonly headMs: number },
  ) {
    this.#listener = listener
    this.#tunnel = tunnel
    this.#limits = limits
  }

  /** Asks on behalf of the client on that connection. */
  send({ url, path, headers, lookup, connect }: Destination, client: Socket): void {
    const secure = url.protocol === 'https:'
    const agent = guardingAgent(secure, lookup)
    if (connect) tunnelled(agent, url, connect)
    const hostname = url.hostname.replace(/^\[|\]$/g, '')
    const protocol = secure ? 'wss:' : 'ws:'
    const target = { protocol, host: hostname, hostname, port: Number(url.port) || (secure ? 443 : 80) }
    const asked = new IncomingMessage(client)
    asked.method = 'GET'
    asked.url = '/'
    asked.headers = { connection: 'Upgrade', upgrade: 'websocket' }
    const carrier = httpProxy.createProxyServer({ agent, secure: true })
    carrier.on('proxyReqWs', (request) =>
      this.#prepare(request, { path, headers, opened: connect ? null : secure ? 'secureConnect' : 'connect' }),
    )
    carrier.ws(asked, this.#tunnel, Buffer.alloc(0), { target }, (error) => {
      this.#forgetDeadline()
      this.#listener.onBroken(error)
    })
    this.#intercept()
  }

  /** The refusal is not read to its end. */
  refuse(): void {
    this.#request?.destroy()
  }

  /** Nothing of it stays open. */
  destroy(): void {
    this.#forgetDeadline()
    this.#request?.destroy()
    this.#upstream?.destroy()
  }

  /** Completes the request before it leaves; http-proxy would collapse slashes and change names. */
  #prepare(
    request: ClientRequest,
    about: { path: string; headers: readonly string[]; opened: 'secureConnect' | 'connect' | null },
  ): void {
    const { clock, connectMs, headMs } = this.#limits
    this.#request = request
    request.path = about.path
    for (const [name, values] of grouped(about.headers)) request.setHeader(name, values)
    this.#forgetDeadline = clock.after(connectMs, () => request.destroy(new Error('no connection in time')))
    const sent = () => {
      this.#listener.onSent()
      this.#forgetDeadline()
      this.#forgetDeadline = clock.after(headMs, () => request.destroy(new HeadTimeout()))
    }
    // A tunnel stands when it is handed over.
    request.once('socket', (socket) => (about.opened === null ? sent() : socket.once(about.opened, sent)))
  }

  #intercept(): void {
    const request = this.#request
    if (!request) return
    const [carry] = request.listeners('upgrade') as Carry[]
    request.removeAllListeners('response').removeAllListeners('upgrade')
    request.on('response', (response) => {
      this.#forgetDeadline()
      this.#listener.onResponse(response)
    })
    request.on('upgrade', (response, socket, head) => {
      this.#forgetDeadline()
      this.#upstream = socket
      this.#listener.onUpgrade(response, () => carry?.(response, socket, head))
    })
  }
}

/** node takes its listeners away from a connection that is upgraded, and has none yet on one that is new. */
function guardingAgent(secure: boolean, lookup: LookupFunction): HttpAgent {
  const agent = new (secure ? HttpsAgent : HttpAgent)({ keepAlive: false, lookup } as AgentOptions) as Connecting
  const connect = agent.createConnection
  agent.createConnection = (...how) => guarded(connect.apply(agent, how))
  return agent
}

/** What an agent opens its connections with. */
type Connecting = HttpAgent & { createConnection(...how: unknown[]): Duplex }

/** Lets the agent's connections be opened through a proxy. */
function tunnelled(agent: HttpAgent, { protocol, hostname, host, port }: URL, connect: Connector): void {
  agent.createConnection = (_options, created) => {
    connect({ protocol, hostname, host, port }, (...[error, socket]) => {
      if (socket) created?.(null, guarded(socket))
      else created?.(error ?? new Error('no connection'), null as never)
    })
    return undefined
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
