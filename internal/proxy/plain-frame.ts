import type { RawHeaders } from '../dialect/dialect.ts'
import { type Frame, frameOf } from './framing.ts'
import type { ParsedHead } from './request-parser.ts'

/** The frame of a plain request; null when it is not plain. */
export function plainFrame({ method, version, headers }: ParsedHead): Frame | null {
  if (method === '' || method === 'CONNECT' || version !== '1.1') return null
  const frame = frameOf(headers, version)
  if (typeof frame === 'string' || frame.length === null) return null
  return asksForMore(headers) ? null : frame
}

/** Whether a header asks for more than a plain request; trailers and codings are a matter of the frame. */
function asksForMore(headers: RawHeaders): boolean {
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at] as string
    if (name.length !== 6 && name.length !== 7) continue
    const lower = name.toLowerCase()
    if (lower === 'expect' || lower === 'upgrade') return true
  }
  return false
}
