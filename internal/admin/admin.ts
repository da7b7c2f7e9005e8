/**
 * The admin API: every verb over HTTP, on a Unix socket that only the owner can open, and on TCP behind a bearer token.
 * Errors are problem+json (RFC 9457) with a stable `code`; metrics and the live events are served here, too.
 */
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { closing } from '../events/events.ts'
import { Refusal } from '../ops/ops.ts'
import type { Admin, AdminAddress, AdminDeps, Route } from './api.ts'
import { httpApp } from './http.ts'
import { claimSocket, ownOnly } from './socket.ts'

export type { EventSource, LiveEvent } from '../events/events.ts'
export type { Admin, AdminAddress, AdminDeps } from './api.ts'

/** Why a TCP address cannot be listened on, as a sentence; an error that is none of the usual ones stays as it is. */
function notBound({ host, port }: { host: string; port: number }, error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : null
  const why =
    code === 'EADDRINUSE'
      ? 'is in use by another process'
      : code === 'EADDRNOTAVAIL'
        ? 'is no address of this machine'
        : code === 'EACCES'
          ? 'may not be opened by this user'
          : null
  if (why === null) return error
  return new Refusal('conflict', `the admin address ${host}:${port} ${why}`, 'name another with admin.listen')
}

/** The admin API over these parts; nothing listens yet. */
export function createAdmin(parts: AdminDeps): Admin {
  const feeds = closing()
  const open: FastifyInstance[] = []
  let port: number | null = null
  const routes: { socket: readonly Route[]; tcp: readonly Route[] } = { socket: [], tcp: [] }

  async function listen(address: AdminAddress): Promise<void> {
    const { socket, tcp } = address
    await claimSocket(socket)
    const local = httpApp(parts, { kind: 'socket' }, feeds)
    routes.socket = local.routes
    open.push(local.app)
    await local.app.listen({ path: socket })
    ownOnly(socket)
    if (!tcp) return
    const remote = httpApp(parts, { kind: 'tcp', host: tcp.host, token: tcp.token }, feeds)
    routes.tcp = remote.routes
    open.push(remote.app)
    await remote.app.listen({ host: tcp.host, port: tcp.port }).catch((error: unknown) => {
      throw notBound(tcp, error)
    })
    port = (remote.app.server.address() as AddressInfo).port
  }

  async function close(): Promise<void> {
    feeds.end()
    await Promise.all(open.splice(0).map((app) => app.close()))
  }

  return {
    async listen(address) {
      try {
        await listen(address)
      } catch (error) {
        await close()
        throw error
      }
    },
    get port() {
      return port
    },
    routes: (transport) => routes[transport],
    close,
  }
}
