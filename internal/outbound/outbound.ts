/**
 * The way out: through which HTTP proxy connections to other hosts are made, if any, and how.
 */
import type { LookupFunction } from 'node:net'
import { Agent, fetch as undiciFetch } from 'undici'
import { type ProxyChoice, proxyChoice } from './choice.ts'
import { type Connector, tunnelConnector } from './tunnel.ts'

export type { ProxyChoice } from './choice.ts'
export type { Connector } from './tunnel.ts'

const connectMs = 10_000

/** How connections to other hosts are made. */
export interface Outbound {
  readonly choice: ProxyChoice
  /** Opens connections to the host of the URL through its proxy; null: it is reached directly. */
  connector(url: URL, settings: { timeout: number; lookup?: LookupFunction }): Connector | null
  /** As the global `fetch`, through a proxy where one leads to the URL. */
  readonly fetch: typeof fetch
}

/** The way out by the environment's variables, or by the configured proxy in their place. Throws an Error that says what is wrong. */
export function outboundOf(env: Readonly<Record<string, string | undefined>>, configured: string | null): Outbound {
  const choice = proxyChoice(env, configured)
  const connector: Outbound['connector'] = (url, settings) => {
    const proxy = choice.proxyFor(url)
    return proxy && tunnelConnector(proxy, settings)
  }
  return { choice, connector, fetch: fetching(connector) }
}

/** No proxy for anything. */
export const directly: Outbound = outboundOf({}, null)

function fetching(connector: Outbound['connector']): typeof fetch {
  const agents = new Map<string, Agent>()
  return (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input)
    const connect = connector(url, { timeout: connectMs })
    if (connect === null) return fetch(input, init)
    const agent = agents.get(url.origin) ?? new Agent({ connect, allowH2: false })
    agents.set(url.origin, agent)
    type Proxied = Parameters<typeof undiciFetch>
    const asked = { ...init, dispatcher: agent } as Proxied[1]
    return undiciFetch(url, asked) as unknown as ReturnType<typeof fetch>
  }
}
