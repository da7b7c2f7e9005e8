/**
 * The data plane: takes agents' requests in, asks the engine which member serves, sends them on, and passes the answers
 * back; what an answer means is the dialect's, what happens to a member is the engine's affair.
 */
import type { Clock } from '../clock/clock.ts'
import type { Credentials } from '../credential/credential.ts'
import type { Dialect, Spoken } from '../dialect/dialect.ts'
import type { Checker, DataPath, Prober, Scout } from '../engine/engine.ts'
import type { EventBus } from '../events/events.ts'
import { canParseRequests, HttpServer, type ServerIdentity } from '../http1/http1.ts'
import type { Keyring } from '../keys/keys.ts'
import type { Logger } from '../log/log.ts'
import { directly, type Outbound } from '../outbound/outbound.ts'
import { Handler } from './admission/handler.ts'
import { Inbound } from './admission/inbound.ts'
import { BodyBudget } from './exchange/body-budget.ts'
import type { ProxyContext, ProxySettings } from './exchange/context.ts'
import { TurnStates } from './exchange/turn-states.ts'
import { RetryBudget } from './failover/replay.ts'
import { type Books, noBooks } from './local/books.ts'
import { ExhaustedAnswers } from './local/exhausted-answers.ts'
import type { ProxyMeter } from './local/meter.ts'
import { createProber } from './probe/probe.ts'
import { createScout } from './probe/scout.ts'
import { type UpstreamLoad, Upstreams } from './upstream/upstreams.ts'
import { OpenSockets } from './websocket/open-sockets.ts'

export type { ServerIdentity } from '../http1/http1.ts'
export type { ProxySettings, ReplaySettings } from './exchange/context.ts'
export type { Books, Served } from './local/books.ts'
export { noMeter, type ProxyMeter, type RequestOutcome } from './local/meter.ts'
export type { UpstreamSettings } from './upstream/upstreams.ts'

/** What a proxy works with. */
export interface ProxyDeps {
  readonly engine: DataPath
  readonly credentials: Credentials
  readonly keys: Pick<Keyring, 'check'>
  dialectOf(of: Spoken): Dialect
  /** Tells when a member can serve no longer. */
  readonly bus: Pick<EventBus, 'subscribe'>
  readonly clock: Clock
  readonly log: Logger
  readonly settings: ProxySettings
  readonly meter: ProxyMeter
  /** Where usage is added up; nowhere when absent. */
  readonly books?: Books
  /** How upstreams are reached; directly when absent. */
  readonly outbound?: Outbound
  /** null: plain HTTP. */
  readonly identity?: ServerIdentity | null
}

export interface DataPlane {
  /** Opens the data port (0: a free one); rejects with a ListenError. */
  listen(host: string, port: number): Promise<{ host: string; port: number }>
  /** Says 503 on `/readyz`, admits nothing new and resolves when what is under way has ended, after `withinMs` at the latest. */
  drain(withinMs: number): Promise<void>
  /** Breaks off everything at once. */
  close(): Promise<void>
  /** Whether `/readyz` says 200; false at first. */
  ready(isReady: boolean): void
  /** Takes changed settings into use for every request from now on. */
  configure(settings: ProxySettings): void
  /** Requests that are under way. */
  readonly inFlight: number
  /** The connections to upstreams. */
  upstreams(): UpstreamLoad[]
  /** Whether plain requests are read with node's own parser, past node:http; false on a node that hides its parser. */
  readonly fastPath: boolean
  readonly prober: Prober & Checker
  readonly scout: Scout
}

/** A proxy that does not listen yet. */
export function createProxy(parts: ProxyDeps): DataPlane {
  const context = contextOf(parts)
  const inbound = new Inbound()
  const { clock, log, identity = null } = parts
  const server = new HttpServer({ handler: new Handler(context, inbound), clock, log, identity }, inbound)
  return {
    listen: (host, port) => server.listen(host, port),
    async drain(withinMs) {
      context.draining = true
      const stopClosing = context.sockets.drain(withinMs)
      await server.drain(withinMs)
      stopClosing()
      context.sockets.stop()
      context.upstreams.destroy()
    },
    async close() {
      server.close()
      context.sockets.stop()
      context.upstreams.destroy()
    },
    ready(isReady) {
      context.ready = isReady
    },
    configure(settings) {
      context.settings = settings
      context.upstreams.configure(settings.upstream)
      context.bodies.total = settings.replay.maxTotalBytes
      context.retries.settings = settings.replay.budget
    },
    get inFlight() {
      return inbound.size
    },
    fastPath: canParseRequests,
    upstreams: () => context.upstreams.load(),
    prober: createProber(context),
    scout: createScout(context),
  }
}

function contextOf(parts: ProxyDeps): ProxyContext {
  const { engine, credentials, keys, clock, log, meter, settings } = parts
  return {
    engine,
    credentials,
    keys,
    dialectOf: (of) => parts.dialectOf(of),
    clock,
    log,
    meter,
    books: parts.books ?? noBooks,
    upstreams: new Upstreams(settings.upstream, { clock, outbound: parts.outbound ?? directly }),
    bodies: new BodyBudget(settings.replay.maxTotalBytes),
    sockets: new OpenSockets(engine, clock, parts.bus),
    retries: new RetryBudget(settings.replay.budget, () => clock.now()),
    exhaustedAnswers: new ExhaustedAnswers(),
    turnStates: new TurnStates(),
    settings,
    ready: false,
    draining: false,
  }
}
