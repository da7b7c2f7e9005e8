/**
 * A running data plane for tests: the real proxy and engine between a real client connection and a fake upstream, with
 * the store in memory and fixed secrets. Credential `a` has the secret `key-a`, and so on.
 */
import { type ClientRequest, request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { connect, type Socket } from 'node:net'
import { type Clock, systemClock } from '../../../internal/clock/clock.ts'
import type { Provider } from '../../../internal/dialect/dialect.ts'
import type { Engine } from '../../../internal/engine/engine.ts'
import type { Announcement } from '../../../internal/events/events.ts'
import type { Outbound } from '../../../internal/outbound/outbound.ts'
import type { DataPlane, ProxyMeter, ProxySettings, ServerIdentity } from '../../../internal/proxy/proxy.ts'
import type { PoolRecord } from '../../../internal/store/store.ts'
import { type FakeUpstream, fakeUpstream } from '../upstream/upstream.ts'
import { type FixedCredentials, proxySettings, startPlane } from './data-plane.ts'
import { credentialRecord, poolRecord } from './records.ts'

export interface RigOptions {
  readonly provider?: Provider
  readonly members?: readonly string[]
  readonly upstream?: Partial<ProxySettings['upstream']>
  readonly replay?: Partial<ProxySettings['replay']>
  readonly exposeMember?: boolean
  readonly webSocket?: boolean
  readonly maxWaitMs?: number
  readonly pool?: Partial<PoolRecord>
  readonly auth?: 'api-key' | 'oauth'
  /** The certificate of the data port; plain HTTP without one. */
  readonly identity?: ServerIdentity
  /** Other upstreams than the fake one, per member. */
  readonly baseUrls?: Readonly<Record<string, string>>
  /** How upstreams are reached; directly when absent. */
  readonly outbound?: Outbound
  /** The real one unless the story moves its own. */
  readonly clock?: Clock
}

/** An answer as a client sees it; `broken` when the connection ended before the answer did. */
export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly rawHeaders: readonly string[]
  readonly body: Buffer
  readonly broken: boolean
  /** Whether that was a reset. */
  readonly reset: boolean
  readonly text: string
  readonly json: Record<string, unknown>
}

export interface Ask {
  readonly method?: string
  /** Below the pool. */
  readonly path?: string
  readonly headers?: Readonly<Record<string, string>> | readonly string[]
  readonly body?: string | Buffer | object
  /** null: none. */
  readonly key?: string | null
}

/** What the meter was told. */
export interface Counted {
  readonly requests: string[]
  readonly attempts: string[]
  inflight: number
  readonly overheads: number[]
}

export class Rig {
  readonly proxy: DataPlane
  readonly engine: Engine
  readonly upstream: FakeUpstream
  readonly credentials: FixedCredentials
  readonly told: Announcement[]
  readonly counted: Counted
  readonly key: string
  readonly port: number
  readonly settings: ProxySettings

  constructor(parts: Omit<Rig, 'url' | 'ask' | 'open' | 'raw' | 'close' | 'health' | 'socket'>) {
    this.proxy = parts.proxy
    this.engine = parts.engine
    this.upstream = parts.upstream
    this.credentials = parts.credentials
    this.told = parts.told
    this.counted = parts.counted
    this.key = parts.key
    this.port = parts.port
    this.settings = parts.settings
  }

  /** The pool's base URL. */
  get url(): string {
    return `http://127.0.0.1:${this.port}/pool`
  }

  /** Sends one request on a connection of its own and reads the answer to its end. */
  ask(ask: Ask = {}): Promise<Answer> {
    return answerOf(this.open(ask))
  }

  /** Begins a request; the body is sent and ended when the ask has one, and left open with `body: undefined`. */
  open({
    method = 'POST',
    path = '/v1/chat/completions',
    headers = {},
    body = {},
    key = this.key,
  }: Ask): ClientRequest {
    const bytes = Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
    const raw = Array.isArray(headers) ? [...headers] : Object.entries(headers).flat()
    if (key !== null) raw.push('authorization', `Bearer ${key}`)
    raw.push('host', `127.0.0.1:${this.port}`)
    if (method !== 'GET' && method !== 'HEAD') raw.push('content-length', String(bytes.length))
    const request = httpRequest({
      port: this.port,
      host: '127.0.0.1',
      method,
      path: `/pool${path}`,
      headers: raw,
      agent: false,
    })
    request.end(method === 'GET' || method === 'HEAD' ? undefined : bytes)
    return request
  }

  /** A bare connection to the data port. */
  socket(): Socket {
    return connect(this.port, '127.0.0.1').on('error', () => {})
  }

  /** Sends bytes on a bare connection and resolves with all that came back when it is closed, or when it matches `until`. */
  raw(bytes: string | Buffer, until: RegExp | null = null): Promise<string> {
    const socket = this.socket()
    let text = ''
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
      if (until?.test(text)) socket.destroy()
    })
    socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
    return new Promise((resolve) => socket.on('close', () => resolve(text)))
  }

  /** The state of a member's health. */
  health(member: string): string {
    return this.engine.pool('pool')?.members.find(({ name }) => name === member)?.health.state ?? 'unknown'
  }

  async close(): Promise<void> {
    await this.proxy.close()
    await this.engine.stop()
    await this.upstream.close()
  }
}

/** Reads an answer to its end, whole or broken; rejects when the connection fails before a head has come. */
export function answerOf(request: ClientRequest, onFirst: () => void = () => {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let failed = ''
    let hasBegun = false
    request.on('error', (error: NodeJS.ErrnoException) => {
      failed = error.code ?? ''
      if (!hasBegun) reject(error)
    })
    request.on('response', (response) => {
      hasBegun = true
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => {
        if (chunks.push(chunk) === 1) onFirst()
      })
      response.on('error', () => {})
      response.on('close', () => {
        const body = Buffer.concat(chunks)
        const { statusCode = 0, headers, rawHeaders, complete } = response
        resolve({
          status: statusCode,
          headers,
          rawHeaders,
          body,
          broken: !complete,
          reset: !complete && failed === 'ECONNRESET',
          text: body.toString(),
          get json() {
            return objectOf(body.toString())
          },
        })
      })
    })
  })
}

/** The JSON of a text; an empty object when it is none, so that a failed comparison can show the whole answer. */
function objectOf(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    return {}
  }
}

/** Starts a data plane with one pool named `pool`. */
export async function startRig(options: RigOptions = {}): Promise<Rig> {
  const { provider = 'openai', members = ['a', 'b'], exposeMember, webSocket } = options
  const upstream = await fakeUpstream()
  const told: Announcement[] = []
  const counted: Counted = { requests: [], attempts: [], inflight: 0, overheads: [] }
  const settings = proxySettings({ exposeMember, webSocket, upstream: options.upstream, replay: options.replay })
  const { bus, proxy, engine, credentials, key } = await startPlane({
    clock: options.clock ?? systemClock(),
    settings,
    maxWaitMs: options.maxWaitMs,
    defaultBaseUrl: upstream.url,
    meter: meterInto(counted),
    identity: options.identity,
    outbound: options.outbound,
  })
  bus.subscribe((announcement) => told.push(announcement))
  for (const name of members) {
    const { baseUrls = {}, auth = 'api-key' } = options
    await engine.addCredential(credentialRecord({ name, provider, auth, baseUrl: baseUrls[name] ?? null }), [], 'test')
  }
  const seats = members.map((member) => ({ member, weight: 1 }))
  await engine.createPool(
    poolRecord({ name: 'pool', provider, upstream: upstream.url, ...options.pool }),
    seats,
    'test',
  )
  const { port } = await proxy.listen('127.0.0.1', 0)
  proxy.ready(true)
  return new Rig({ proxy, engine, upstream, credentials, told, counted, key, port, settings })
}

function meterInto(counted: Counted): ProxyMeter {
  return {
    request: (_pool, outcome) => counted.requests.push(outcome),
    attempt: (_pool, outcome) => counted.attempts.push(outcome),
    inflight(_pool, change) {
      counted.inflight += change
    },
    overhead: (ms) => counted.overheads.push(ms),
    ttfb() {},
  }
}
