import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { isLoopback } from '../net/net.ts'
import { TurnedAway } from './problem.ts'

/** How requests arrive: over the socket, whose file permissions are the protection, or over TCP with a token. */
export type Transport =
  | { readonly kind: 'socket' }
  | { readonly kind: 'tcp'; readonly host: string; readonly token: { reveal(): string } }

/**
 * Checks a request before anything of it is looked at. Over TCP it needs the token; a browser page is turned away by its
 * `Origin`, and a rebound name (a page that resolves to this machine) by its `Host`.
 */
export function gate(transport: Transport): (request: IncomingMessage) => void {
  if (transport.kind === 'socket') return () => undefined
  const { host, token } = transport
  return (request) => {
    if (!carries(request, token))
      throw new TurnedAway(
        'unauthorized',
        'this needs the admin token',
        'Authorization: Bearer <content of admin.tokenFile>',
      )
    if (request.headers.origin !== undefined)
      throw new TurnedAway('foreign-origin', 'the admin API does not answer web pages')
    if (!ownHost(request, host)) throw new TurnedAway('foreign-host', 'the Host header does not name this listener')
  }
}

function carries(request: IncomingMessage, token: { reveal(): string }): boolean {
  const given = /^bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1]
  return given !== undefined && timingSafeEqual(digest(given), digest(token.reveal()))
}

/** Of equal length whatever the input, so that the comparison takes the same time. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

function ownHost(request: IncomingMessage, listenHost: string): boolean {
  const header = request.headers.host
  if (header === undefined || !URL.canParse(`http://${header}`)) return false
  const named = new URL(`http://${header}`).hostname.replace(/^\[|\]$/g, '')
  const reached = request.socket.localAddress?.replace(/^::ffff:/, '')
  return named === listenHost || named === reached || (isLoopback(named) && isLoopback(reached ?? ''))
}
