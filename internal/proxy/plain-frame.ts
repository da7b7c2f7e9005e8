import { type Frame, frameOf } from './framing.ts'
import { headerIn } from './headers.ts'
import type { ParsedHead } from './request-parser.ts'

/** Headers that ask for more than a plain request; trailers and codings are a matter of the frame. */
const special = ['expect', 'upgrade']

/** The frame of a plain request; null when it is not plain. */
export function plainFrame({ method, version, headers }: ParsedHead): Frame | null {
  if (method === '' || method === 'CONNECT' || version !== '1.1') return null
  const frame = frameOf(headers, version)
  if (typeof frame === 'string' || frame.length === null) return null
  return special.some((name) => headerIn(headers, name) !== undefined) ? null : frame
}
