import type { RawHeaders } from '../../dialect/dialect.ts'
import { type HeldBody, headerIn, type RequestBody } from '../../http1/http1.ts'
import { isPlain } from '../upstream/codings.ts'
import { putHeader } from '../upstream/headers.ts'

/** A request as it is about to go upstream. */
interface Leaving {
  readonly path: string
  readonly query: string
  readonly headers: RawHeaders
  readonly body: RequestBody
}

/** How much of either end of a long body is looked at, in bytes: what was overlooked is packed and read all the same. */
const lookedAt = 1_024

const streamMethod = /:stream[A-Za-z]*$/
const streamParameter = /[?&]alt=sse(?:&|$)/
const modelField = /"model"\s*:\s*"([^"\\]+)"/
const streamField = /"stream"\s*:\s*true\b/

/** Replaces the `Accept-Encoding` of a request for a stream by `identity`, so that its events can be read as they pass. Other requests are left alone. */
export function askForPlainStream(headers: string[], request: Omit<Leaving, 'headers'>): void {
  const offered = headerIn(headers, 'accept-encoding')
  if (offered === undefined || isPlain(offered)) return
  if (asksForStream({ ...request, headers })) putHeader(headers, 'accept-encoding', 'identity')
}

function asksForStream({ path, query, headers, body }: Leaving): boolean {
  if (headerIn(headers, 'accept')?.includes('text/event-stream')) return true
  if (streamMethod.test(path) || streamParameter.test(query)) return true
  return body.held && saysStream(body.bytes)
}

function saysStream(bytes: HeldBody): boolean {
  return endsOf(bytes).some((text) => streamField.test(text))
}

/** The model that a body names near its beginning or its end; null if neither end names one. */
export function modelAtEnds(bytes: HeldBody): string | null {
  for (const text of endsOf(bytes)) {
    const named = modelField.exec(text)?.[1]
    if (named !== undefined) return named
  }
  return null
}

/** A short body, or the beginning and the end of a long one; a byte in each character. */
export function endsOf(bytes: HeldBody): readonly string[] {
  if (bytes.length === 0) return []
  const { text } = bytes
  if (text !== null) return [text]
  const { parts } = bytes
  const [first, last] = [parts[0], parts.at(-1)]
  if (!first || !last) return []
  return [first.toString('latin1', 0, lookedAt), last.toString('latin1', Math.max(0, last.length - lookedAt))]
}
