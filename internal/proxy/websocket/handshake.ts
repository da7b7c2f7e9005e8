import { createHash } from 'node:crypto'
import { type RawHeaders, stripKeyFromProtocols } from '../../dialect/dialect.ts'
import { headerIn, type IncomingRequest } from '../../http1/http1.ts'
import { holdsKey } from '../../keys/keys.ts'
import { putHeader, requestHeaders, responseHeaders } from '../upstream/headers.ts'

/** RFC 6455, 1.3. */
const acceptSalt = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
const keyForm = /^[A-Za-z0-9+/]{22}==$/
const protocolHeader = 'sec-websocket-protocol'

/** What is wrong with an opening handshake (RFC 6455, 4.2.1), as a sentence for its sender; null when nothing is. */
export function handshakeFault({ method, httpVersion, rawHeaders }: IncomingRequest): string | null {
  if (method !== 'GET' || httpVersion !== '1.1') return 'A WebSocket begins with GET and HTTP/1.1.'
  if (headerIn(rawHeaders, 'sec-websocket-version') !== '13') return 'Only version 13 of WebSockets is spoken here.'
  return keyForm.test(headerIn(rawHeaders, 'sec-websocket-key') ?? '') ? null : 'Sec-WebSocket-Key is not 16 bytes.'
}

/**
 * The headers of an opening handshake as they go upstream, all but those of the hop. Extensions are not offered: with
 * compression in place nobody could see a refusal in the first frames.
 */
export function handshakeHeaders(raw: RawHeaders): string[] {
  const headers = requestHeaders(raw)
  putHeader(headers, 'sec-websocket-extensions', null)
  const protocols = stripKeyFromProtocols(headerIn(raw, protocolHeader) ?? '')
  putHeader(headers, protocolHeader, protocols === '' || holdsKey(protocols) ? null : protocols)
  return headers
}

/** The raw headers of an upstream's 101 as they go to the client that sent `asked`; a sentence when they cannot. */
export function acceptedHeaders(answered: RawHeaders, asked: RawHeaders): string[] | string {
  if (headerIn(answered, 'upgrade')?.toLowerCase() !== 'websocket') return 'it switched to another protocol'
  if (headerIn(answered, 'sec-websocket-accept') !== acceptOf(headerIn(asked, 'sec-websocket-key') ?? ''))
    return 'it did not accept the handshake'
  if (headerIn(answered, 'sec-websocket-extensions') !== undefined) return 'it chose an extension that nobody offered'
  const offered = (headerIn(asked, protocolHeader) ?? '').split(',').map((name) => name.trim())
  const sent = stripKeyFromProtocols(offered.join(', '))
  const chosen = headerIn(answered, protocolHeader)
  if (chosen !== undefined && !offered.includes(chosen)) return 'it chose a protocol that nobody offered'
  const headers = ['Upgrade', 'websocket', 'Connection', 'Upgrade', ...responseHeaders(answered)]
  // The client's only protocol was its key: without an answer to it, browsers give up.
  if (chosen === undefined && sent === '' && offered[0] !== '') {
    headers.push('Sec-WebSocket-Protocol', offered[0] as string)
  }
  return headers
}

/** The head of the 101 for the client: those headers, and the proxy's own but for `connection`. */
export function acceptedHead(headers: readonly string[], marks: readonly string[]): string {
  const own = marks.filter((_, at) => marks[at - (at % 2)] !== 'connection')
  const all = [...headers, ...own]
  let head = 'HTTP/1.1 101 Switching Protocols\r\n'
  for (let at = 0; at < all.length; at += 2) head += `${all[at]}: ${all[at + 1]}\r\n`
  return `${head}\r\n`
}

function acceptOf(key: string): string {
  return createHash('sha1')
    .update(key + acceptSalt)
    .digest('base64')
}
