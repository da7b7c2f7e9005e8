import type { LookupFunction, Socket } from 'node:net'
import { buildConnector } from 'undici'
import type { OpenConnection } from '../../http1/http1.ts'

/**
 * Opens connections to an origin with undici's own connector: names, TLS, its sessions and the time for it (`connectMs`)
 * are the same as in undici's client.
 */
export function opener(
  origin: string,
  { connectMs, lookup }: { connectMs: number; lookup: LookupFunction },
): OpenConnection {
  const { protocol, hostname, host, port } = new URL(origin)
  const target = { protocol, hostname: hostname.replace(/^\[|\]$/g, ''), host, port }
  return ({ session, onread: { buffer, callback } }, opened) => {
    const connect = buildConnector({
      timeout: connectMs,
      lookup,
      session,
      onread: { buffer, callback: (bytes, read) => callback(bytes, read as Buffer) },
    })
    connect(target, (...[error, socket]) => opened(error, socket as Socket | null))
  }
}
