import type { LookupFunction } from 'node:net'
import { Pool } from 'undici'
import { type AddressGuard, addressGuard, ForbiddenAddress, guardedLookup, isForbiddenLiteral } from './address.ts'

/** How upstreams are connected to; durations in ms. */
export interface UpstreamSettings {
  readonly connectMs: number
  readonly headMs: number
  readonly idleMs: number
  /** Connections per origin at most. */
  readonly connections: number
  /** CIDRs of private networks in which an upstream may be. */
  readonly allowPrivate: readonly string[]
}

/** Where a base URL leads: its connections, and what comes before every path. */
export interface Upstream {
  readonly pool: Pool
  /** Without a slash at its end. */
  readonly prefix: string
  /** Finds only addresses that may be contacted. */
  readonly lookup: LookupFunction
}

/** Heads that are longer make an answer a protocol error. */
const maxHeaderSize = 65_536

/** One connection pool per origin, made when it is first needed. */
export class Upstreams {
  #settings: UpstreamSettings
  #guard: AddressGuard
  readonly #byBaseUrl = new Map<string, Upstream>()
  readonly #pools = new Map<string, Pool>()

  constructor(settings: UpstreamSettings) {
    this.#settings = settings
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
    const upstream = { pool: this.#pool(url.origin), prefix: url.pathname.replace(/\/+$/, ''), lookup }
    this.#byBaseUrl.set(baseUrl, upstream)
    return upstream
  }

  /** New settings for all requests from now on; what is under way ends on its old connections. */
  configure(settings: UpstreamSettings): void {
    if (JSON.stringify(settings) === JSON.stringify(this.#settings)) return
    this.#settings = settings
    this.#guard = addressGuard(settings.allowPrivate)
    void this.#retire((pool) => pool.close())
  }

  /** Breaks off whatever is still under way. */
  async destroy(): Promise<void> {
    await this.#retire((pool) => pool.destroy())
  }

  async #retire(end: (pool: Pool) => Promise<void>): Promise<void> {
    const retired = [...this.#pools.values()]
    this.#pools.clear()
    this.#byBaseUrl.clear()
    await Promise.allSettled(retired.map(end))
  }

  #pool(origin: string): Pool {
    const known = this.#pools.get(origin)
    if (known) return known
    const { connectMs, headMs, idleMs, connections } = this.#settings
    const pool = new Pool(origin, {
      connections,
      pipelining: 1,
      headersTimeout: headMs,
      bodyTimeout: idleMs,
      maxHeaderSize,
      connect: { timeout: connectMs, lookup: guardedLookup(this.#guard) },
    })
    this.#pools.set(origin, pool)
    return pool
  }
}
