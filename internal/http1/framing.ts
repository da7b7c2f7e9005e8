import type { RawHeaders } from './headers.ts'

/** What is wrong with the frame of a request, as a sentence for its sender. */
export type FramingFault = string

const hostForm = /^(?:\[[0-9a-f:.]+\]|[a-z0-9._~-]+)(?::\d{1,5})?$/i
const digits = /^\d+$/

/** How a request's body is delimited. */
export interface Frame {
  /** null: chunked. 0: no body. */
  readonly length: number | null
}

/**
 * The frame of a request, or what is wrong with it. node's parser is strict in most ways, but lets pass a repeated or
 * malformed Host, codings before `chunked`, codings on HTTP/1.0 and trailers: each of them is read differently by some
 * upstream (RFC 9112, 6.1, 6.3 and 11.2), so each is refused here.
 */
export function frameOf(headers: RawHeaders, version: string): Frame | FramingFault {
  if (version !== '1.1' && version !== '1.0') return 'Only HTTP/1.1 and HTTP/1.0 are spoken here.'
  let hosts = 0
  let coding: string | null = null
  let length: string | null = null
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at] as string
    // All names that matter have 4, 7, 14 or 17 letters: the others are not worth a comparison.
    if (!lengths.has(name.length)) continue
    const value = headers[at + 1] as string
    switch (name.toLowerCase()) {
      case 'host':
        hosts++
        if (!hostForm.test(value)) return 'The Host header is not a host name.'
        break
      case 'trailer':
        return 'Trailers are not accepted.'
      case 'content-length':
        if (length !== null || !digits.test(value)) return 'Exactly one plain Content-Length is accepted.'
        length = value
        break
      case 'transfer-encoding':
        if (coding !== null || value.toLowerCase() !== 'chunked') return 'The only transfer coding accepted is chunked.'
        coding = value
        break
    }
  }
  if (hosts > 1 || (hosts === 0 && version === '1.1')) return 'Exactly one Host header is needed.'
  if (coding === null) return { length: length === null ? 0 : Number(length) }
  if (length !== null) return 'Content-Length and Transfer-Encoding exclude each other.'
  return version === '1.0' ? 'HTTP/1.0 has no transfer codings.' : { length: null }
}

const lengths = new Set(['host', 'trailer', 'content-length', 'transfer-encoding'].map((name) => name.length))
