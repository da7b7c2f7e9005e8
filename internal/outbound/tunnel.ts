import type { LookupFunction, Socket } from 'node:net'
import { buildConnector, Client } from 'undici'
import type { OutboundProxy } from './choice.ts'

/** Opens a connection to an origin through the proxy. */
export type Connector = buildConnector.connector

/** A proxy refused to lead to a host, or wants to know who asks. */
export class ProxyRefusal extends Error {
  override readonly name = 'ProxyRefusal'
  readonly code = 'ERR_PROXY_REFUSAL'
  readonly status: number

  constructor(proxy: OutboundProxy, status: number) {
    super(
      status === 407
        ? `the proxy ${proxy} wants a user name and password (407)`
        : `the proxy ${proxy} answered ${status} to CONNECT`,
    )
    this.status = status
  }
}

/**
 * Connections through a tunnel (CONNECT, RFC 9110, 9.3.6), for https and http alike: what travels in it is as it would be
 * without a proxy. The proxy looks up the name; `lookup` is for the proxy's own. `timeout` is for the whole, in ms.
 */
export function tunnelConnector(
  proxy: OutboundProxy,
  settings: { timeout: number; lookup?: LookupFunction },
): Connector {
  const { timeout } = settings
  const secure = buildConnector({ timeout, allowH2: false })
  return (options, callback) => {
    opened(proxy, options, settings).then(
      (socket) => {
        if (options.protocol !== 'https:') callback(null, socket)
        else secure({ ...options, httpSocket: socket }, callback)
      },
      (error: Error) => callback(error, null),
    )
  }
}

async function opened(
  proxy: OutboundProxy,
  { protocol, hostname, port }: Parameters<Connector>[0],
  { timeout, lookup }: { timeout: number; lookup?: LookupFunction },
): Promise<Socket> {
  const connect = { timeout, allowH2: false, ...(lookup ? { lookup } : {}) }
  // One for each tunnel: what is behind the tunnel keeps the connection.
  const client = new Client(proxy.url.origin, { connect })
  try {
    const name = hostname.includes(':') && !hostname.startsWith('[') ? `[${hostname}]` : hostname
    const path = `${name}:${port || (protocol === 'https:' ? 443 : 80)}`
    const authorization = proxy.authorization()
    const { socket, statusCode } = await client.connect({
      path,
      headers: { host: path, ...(authorization === null ? {} : { 'proxy-authorization': authorization }) },
      signal: AbortSignal.timeout(timeout),
    })
    const tunnel = socket as Socket
    if (statusCode >= 200 && statusCode < 300) return tunnel
    tunnel.on('error', () => {}).destroy()
    throw new ProxyRefusal(proxy, statusCode)
  } finally {
    // A tunnel is not the client's any more.
    void client.destroy()
  }
}
