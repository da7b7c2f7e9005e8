/**
 * The web view: pages rendered here, made live in the browser by the stream of events. It is entered with a one-time link,
 * shows no secret, and changes only what its own pages ask for.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { closing } from '../events/events.ts'
import type { Web, WebDeps } from './api.ts'
import type { Door } from './door.ts'
import { countGuesses } from './guesses.ts'
import { reception } from './reception.ts'
import { createSessions } from './sessions.ts'

export type { Web, WebDeps } from './api.ts'

const limits = { headersTimeout: 10_000, requestTimeout: 30_000, maxHeaderSize: 32 * 1024, keepAliveTimeout: 10_000 }
const maxConnections = 256

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is in use by another process',
  EADDRNOTAVAIL: 'is no address of this machine',
  EACCES: 'may not be opened by this user',
}

/** The web view over these parts; nothing listens yet. */
export function createWeb(parts: WebDeps): Web {
  const { listen, identity, publicUrl, log, clock } = parts
  const scheme = identity ? 'https' : 'http'
  const sessions = createSessions(clock)
  const feeds = closing()
  let port = listen.port
  let problem: string | null = 'it has not been started'
  const door: Door = {
    sessions,
    feeds,
    linkGuesses: countGuesses(clock),
    guesses: countGuesses(clock),
    place: { scheme, listenHost: listen.host, publicUrl },
    cookieName: () => `spillway-${port}`,
  }
  const receive = reception(parts, door)
  const handle = (request: IncomingMessage, response: ServerResponse) => void receive(request, response)
  const server: Server = identity
    ? createSecureServer({ ...identity, ...limits }, handle)
    : createServer(limits, handle)
  server.maxConnections = maxConnections
  const own = () => `${scheme}://${typedHost(listen.host)}:${port}`

  return {
    async start() {
      const why = await bound(server, listen)
      problem = why === null ? null : `${listen.host}:${listen.port} ${why}`
      if (problem !== null)
        return log.warn({ what: problem }, 'the web view does not listen; name another address with web.listen')
      port = (server.address() as AddressInfo).port
      // Such as no descriptors being left: the proxy beside it goes on.
      server.on('error', (error) => log.warn({ error }, 'the web view has a fault'))
    },
    get origin() {
      return publicUrl === null ? own() : new URL(publicUrl).origin
    },
    get problem() {
      return problem
    },
    link() {
      const { token, expiresAt } = sessions.link()
      return { url: `${this.origin}/login/${token}`, expiresAt }
    },
    async stop() {
      problem = 'it has been stopped'
      sessions.clear()
      feeds.end()
      server.closeAllConnections()
      if (server.listening) await new Promise((closed) => server.close(closed))
    },
  }
}

/** Why the address cannot be listened on; null once it is. */
function bound(server: Server, { host, port }: { host: string; port: number }): Promise<string | null> {
  return new Promise((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) => resolve(reasons[error.code ?? ''] ?? error.message))
    server.listen(port, host, () => resolve(null))
  })
}

/** A host as it is typed in a browser on this machine. */
function typedHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost'
  return host.includes(':') ? `[${host}]` : host
}
