import type { LookupFunction } from 'node:net'
import type { Clock } from '../../clock/clock.ts'
import {
  ConnectionPool,
  canParseResponses,
  type Transport,
  type TransportLoad,
  type TransportSettings,
} from '../../http1/http1.ts'
import { type AddressGuard, addressGuard } from '../../net/net.ts'
import type { Connector, Outbound } from '../../outbound/outbound.ts'
import { ForbiddenAddress, guardedLookup, isForbiddenLiteral } from './address.ts'
import { pathsBelow } from './base-path.ts'
import { opener } from './opener.ts'
import { UndiciTransport } from './undici-transport.ts'

/** How upstreams are connected to; durations in ms. */
export interface UpstreamSettings extends TransportSettings {
  /** CIDRs of private networks in which an upstream may be. */
  readonly allowPrivate: readonly string[]
}

/** What a base URL stands for: the connections to its origin, and how paths are put below it. */
export interface Upstream {
  readonly transport: Transport
  /** The path upstream of a request's path; `pathsBelow`. */
  readonly pathOf: (path: string) => string
  /** Finds only addresses that may be contacted. */
  readonly lookup: LookupFunction
  /** Opens a connection through the proxy that leads there; null: it is reached directly. */
  readonly connect: Connector | null
}

/** The connections to one origin as they are now. */
export interface UpstreamLoad extends TransportLoad {
  readonly origin: string
  /** How many there may be. */
  readonly most: number
  /** Requests that were refused because all of them stayed in use, since the start. */
  readonly refused: number
}

/** The connections to each origin, made when they are first needed. */
export class Upstreams {
  #settings: UpstreamSettings
  #guard: AddressGuard
  readonly #byBaseUrl = new Map<string, Upstream>()
  readonly #clock: Clock
  readonly #outbound: Outbound
  readonly #isDirect: boolean
  readonly #transports = new Map<string, Transport>()
  readonly #refused = new Map<string, number>()

  /** `isDirect`: whether answers are read with node's own parser. */
  constructor(
    settings: UpstreamSettings,
    { clock, outbound, isDirect = canParseResponses }: { clock: Clock; outbound: Outbound; isDirect?: boolean },
  ) {
    this.#settings = settings
    this.#clock = clock
    this.#outbound = outbound
    this.#isDirect = isDirect
    this.#guard = addressGuard(settings.allowPrivate)
  }

  get settings(): UpstreamSettings {
    return this.#settings
  }

  /** The upstream of a base URL; throws ForbiddenAddress or a TypeError when it cannot be one. */
  at(baseUrl: string): Upstream {
    const known = this.#byBaseUrl.get(baseUrl)
    if (known) return known
    const url = new URL(baseUrl)
    if (isForbiddenLiteral(url.hostname, this.#guard)) throw new ForbiddenAddress(url.hostname)
    const lookup = guardedLookup(this.#guard)
    // The proxy looks up the upstream's name; the guard is for addresses that we connect to, and a proxy is chosen by its operator.
    const connect = this.#outbound.connector(url, { timeout: this.#settings.connectMs })
    const transport = this.#transport(url.origin, connect)
    const upstream = { transport, pathOf: pathsBelow(url.pathname), lookup, connect }
    this.#byBaseUrl.set(baseUrl, upstream)
    return upstream
  }

  /** New settings for all requests from now on; what is under way ends on its old connections. */
  configure(settings: UpstreamSettings): void {
    if (JSON.stringify(settings) === JSON.stringify(this.#settings)) return
    this.#settings = settings
    this.#guard = addressGuard(settings.allowPrivate)
    for (const transport of this.#retired()) transport.close()
  }

  /** The connections to all origins that have been asked. */
  load(): UpstreamLoad[] {
    const { connections: most } = this.#settings
    return [...this.#transports].map(([origin, { load }]) => ({
      origin,
      most,
      ...load,
      refused: this.#refused.get(origin) ?? 0,
    }))
  }

  /** Breaks off whatever is still under way. */
  destroy(): void {
    for (const transport of this.#retired()) transport.destroy()
  }

  #retired(): Transport[] {
    const retired = [...this.#transports.values()]
    this.#transports.clear()
    this.#byBaseUrl.clear()
    return retired
  }

  #transport(origin: string, connect: Connector | null): Transport {
    const known = this.#transports.get(origin)
    if (known) return known
    const onCrowded = () => this.#refused.set(origin, (this.#refused.get(origin) ?? 0) + 1)
    const settings = this.#settings
    const lookup = guardedLookup(this.#guard)
    const shared = { clock: this.#clock, onCrowded }
    const transport =
      this.#isDirect && connect === null
        ? new ConnectionPool(origin, settings, { ...shared, open: opener(origin, { ...settings, lookup }) })
        : new UndiciTransport(origin, settings, { ...shared, lookup, connect })
    this.#transports.set(origin, transport)
    return transport
  }
}
