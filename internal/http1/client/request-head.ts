import { InvalidRequest } from '../errors.ts'
import type { OutgoingRequest } from './transport.ts'

const notInValues = /[^\t\x20-\x7e\x80-\xff]/
const notInTargets = /[^\x21-\x7e\x80-\xff]/

/** For these a body of no length has to be said (RFC 9110, 8.6). */
const withContent: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH'])

/**
 * The head of a request in HTTP/1.1, with its frame. Methods and names are the parser's tokens, or ours. Throws
 * InvalidRequest for what cannot be said: no value may end a line or begin one (RFC 9112, 11.1).
 */
export function requestText({ method, path, headers, body }: OutgoingRequest, host: string): string {
  if (notInTargets.test(path)) throw new InvalidRequest('no path')
  let text = `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: keep-alive\r\n`
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at] as string
    const value = headers[at + 1] as string
    if (notInValues.test(value)) throw new InvalidRequest(`no header: ${name}`)
    text += `${name}: ${value}\r\n`
  }
  const length = body.held ? body.bytes.length : body.length
  if (length === null) return `${text}transfer-encoding: chunked\r\n\r\n`
  if (length === 0 && !withContent.has(method)) return `${text}\r\n`
  return `${text}content-length: ${length}\r\n\r\n`
}
