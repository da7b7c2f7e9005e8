import { sameName } from './headers.ts'
import type { HeaderLookup } from './hints.ts'
import type { Dialect } from './port.ts'

/** The headers in which clients put a key, in the order in which they are looked at. */
const lookedAt = ['authorization', 'x-api-key', 'api-key', 'x-goog-api-key'] as const

/** Every header that can carry a client key, in any dialect: none of them goes upstream. */
export const keyHeaderNames: readonly string[] = [...lookedAt, 'proxy-authorization']

const stripped = new Set(keyHeaderNames.map(sameName))
const mostEncodings = 3
const protocolPrefix = 'openai-insecure-api-key.'

/** Where a key may be beside the headers of the dialect. */
export interface KeyPlaces {
  /** The raw query string, without its `?`. */
  readonly query: string
  /** The raw `Sec-WebSocket-Protocol` of an upgrade; null otherwise. */
  readonly protocols: string | null
}

/** The first client key of a request, in the order of the interface contract: headers, `?key=`, WebSocket protocol; null without one. */
export function findClientKey(dialect: Dialect, header: HeaderLookup, places: KeyPlaces): string | null {
  const { query, protocols } = places
  for (const name of lookedAt) {
    const key = dialect.keyHeaders.includes(name) ? keyIn(name, header(name)) : ''
    if (key !== '') return key
  }
  return keyInQuery(query) ?? keyInProtocols(protocols ?? '')
}

/** Whether a request header can carry a client key, in any spelling (`X_Api_Key`), and must not go upstream. */
export function isKeyHeader(name: string): boolean {
  return stripped.has(sameName(name))
}

/** The query without any `key=` parameter, however its name is spelt, encoded or repeated; all other bytes stay as they are. */
export function stripKeyFromQuery(rawQuery: string): string {
  const parts = rawQuery.split('&')
  const kept = parts.filter((part) => !namesKey(part))
  return kept.length === parts.length ? rawQuery : kept.join('&')
}

/** The `Sec-WebSocket-Protocol` list without the entries that carry a key; empty when nothing is left. */
export function stripKeyFromProtocols(protocols: string): string {
  const parts = protocols.split(',').map((part) => part.trim())
  const kept = parts.filter((part) => !carriesKey(part))
  return kept.length === parts.length ? protocols : kept.join(', ')
}

function keyIn(name: string, value: string | undefined): string {
  const trimmed = (value ?? '').trim()
  if (name !== 'authorization') return trimmed
  return /^bearer\s+(\S+)$/i.exec(trimmed)?.[1] ?? ''
}

function keyInQuery(query: string): string | null {
  for (const part of query.split('&')) {
    if (!namesKey(part)) continue
    const value = decode(part).split('=').slice(1).join('=')
    if (value !== '') return value
  }
  return null
}

function keyInProtocols(protocols: string): string | null {
  const part = protocols.split(',').find((entry) => carriesKey(entry.trim()))
  return part?.trim().slice(protocolPrefix.length) || null
}

function carriesKey(protocol: string): boolean {
  return protocol.toLowerCase().startsWith(protocolPrefix)
}

/** Decodes a name more than once, because a server behind us may do so too. */
function namesKey(part: string): boolean {
  let plain = part
  for (let time = 0; time < mostEncodings; time++) plain = decode(plain)
  const [name = '', ...value] = plain.split('=')
  return value.length > 0 && name.replace(/[\s+\0]/g, '').toLowerCase() === 'key'
}

/** Percent-decoding that never throws: what is no escape stays as it is. */
function decode(encoded: string): string {
  return encoded.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}
