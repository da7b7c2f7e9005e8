import { STATUS_CODES } from 'node:http'
import type { RawHeaders } from '../headers.ts'

/** Why what has come does not become a request. */
export type RequestFault = 'malformed' | 'head-too-long' | 'chunk-extensions-too-long' | 'timeout'

/** What is said in place of an answer. */
export interface Rejection {
  readonly status: number
  readonly headers: RawHeaders
  /** A byte in each character. */
  readonly body: string
}

/** What node's parser and its deadlines object to; whatever else they do is malformed. */
const faults: Readonly<Record<string, RequestFault>> = {
  HPE_HEADER_OVERFLOW: 'head-too-long',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 'chunk-extensions-too-long',
  ERR_HTTP_REQUEST_TIMEOUT: 'timeout',
}

/** The fault behind an error of node's parser; `code` is node's word for it. */
export function faultOf(code: string | undefined): RequestFault {
  return faults[code ?? ''] ?? 'malformed'
}

/** The bytes of a rejection, one in each character; it ends its connection. */
export function rejectionText({ status, headers, body }: Rejection): string {
  let text = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\n`
  for (let at = 0; at < headers.length; at += 2) text += `${headers[at]}: ${headers[at + 1]}\r\n`
  return `${text}content-length: ${body.length}\r\n\r\n${body}`
}
