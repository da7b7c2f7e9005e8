import { isKeyHeader, type RawHeaders, remembered } from '../../dialect/dialect.ts'
import { holdsKey } from '../../keys/keys.ts'
import { codingOf, isPlain } from './codings.ts'

/** RFC 9110, 7.6.1, and what older software treats like it; `host` and the frame are written anew by the next hop. */
const hopByHop = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authorization',
  'proxy-authenticate',
  'proxy-authentication-info',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]
const requestOnly = ['host', 'content-length', 'expect']
const droppedFromRequests = new Set([...hopByHop, ...requestOnly])
const droppedFromAnswers = new Set(hopByHop)

type HeaderAction = 'pass' | 'drop' | 'accept-encoding' | 'connection'

const requestAction = remembered(requestActionOf)
const answerAction = remembered(answerActionOf)
/** Of an answer, names of other lengths pass without being looked up. Of a request, any could be a key's in another spelling. */
const notableLengths = new Set(hopByHop.map((name) => name.length))
const ownPrefix = 'x-spillway-'
/** What is left of an `Accept-Encoding` when the codings are taken out that we could not read an error in. */
const acceptable = remembered(acceptableOf)

/**
 * The headers of a request as they go upstream, without hop-by-hop ones, those listed in `Connection`, the frame, and
 * every header that can carry a client key, or does. A new array: the credential is added to it afterwards, so that no
 * `Connection: authorization` of a client can take it away again.
 */
export function requestHeaders(raw: RawHeaders): string[] {
  const out: string[] = []
  let listed: Set<string> | null = null
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at] as string
    const value = raw[at + 1] as string
    if (holdsKey(value)) continue
    switch (requestAction(name)) {
      case 'pass':
        out.push(name, value)
        break
      case 'accept-encoding':
        out.push(name, acceptable(value))
        break
      case 'connection':
        listed = addListed(listed, value)
        break
    }
  }
  return listed === null ? out : withoutListed(out, listed)
}

/** The headers of an answer as they go to the client: without hop-by-hop ones and those that begin with `x-spillway-`. */
export function responseHeaders(raw: RawHeaders): string[] {
  const out: string[] = []
  let listed: Set<string> | null = null
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at] as string
    const value = raw[at + 1] as string
    const isNotable = notableLengths.has(name.length) || name.length > ownPrefix.length
    const action = isNotable ? answerAction(name) : 'pass'
    if (action === 'pass') out.push(name, value)
    else if (action === 'connection') listed = addListed(listed, value)
  }
  return listed === null ? out : withoutListed(out, listed)
}

/** Replaces a header, or adds it; with null it is taken out. */
export function putHeader(headers: string[], name: string, value: string | null): void {
  for (let at = headers.length - 2; at >= 0; at -= 2) {
    if (headers[at]?.toLowerCase() === name) headers.splice(at, 2)
  }
  if (value !== null) headers.push(name, value)
}

function requestActionOf(name: string): HeaderAction {
  // Frameworks behind CGI read `X_Api_Key` and `Content_Length` as the real ones.
  const plain = name.toLowerCase().replaceAll('_', '-')
  if (plain === 'connection' || plain === 'accept-encoding') return plain
  return droppedFromRequests.has(plain) || isKeyHeader(plain) || holdsKey(plain) ? 'drop' : 'pass'
}

function answerActionOf(name: string): HeaderAction {
  const lower = name.toLowerCase()
  if (lower === 'connection') return lower
  return droppedFromAnswers.has(lower) || lower.startsWith(ownPrefix) ? 'drop' : 'pass'
}

function acceptableOf(value: string): string {
  const codings = value.split(',')
  const kept = codings.filter((coding) => isReadable(coding.split(';', 1)[0] ?? ''))
  if (kept.length === codings.length) return value
  return kept.length === 0 ? 'identity' : kept.join(',').trim()
}

/** Whether a body in that coding could be read here. */
function isReadable(coding: string): boolean {
  return isPlain(coding) || codingOf(coding) !== undefined
}

function addListed(listed: Set<string> | null, value: string): Set<string> | null {
  const lower = value.toLowerCase()
  if (lower === 'keep-alive' || lower === 'close') return listed
  const names = listed ?? new Set()
  for (const name of lower.split(',')) names.add(name.trim())
  return names
}

function withoutListed(headers: string[], listed: Set<string>): string[] {
  const out: string[] = []
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at] as string
    if (!listed.has(name.toLowerCase())) out.push(name, headers[at + 1] as string)
  }
  return out
}
