import { putHeader, responseHeaders } from '../upstream/headers.ts'
import type { Counting } from './answer-count.ts'

/** What to change in an answer that is passed on. */
export interface Presentation {
  /** Raw pairs to add. */
  readonly marks: readonly string[]
  /** A `Retry-After` in seconds in place of the upstream's own; null leaves that alone. */
  readonly retryAfterSeconds: number | null
  /** How its tokens are counted if it serves; null: they are not. */
  readonly counting: Counting | null
}

/** The raw headers of an answer as its client gets them, but for the marks. */
export function presentedHeaders(raw: readonly string[], retryAfterSeconds: number | null): string[] {
  const headers = responseHeaders(raw)
  if (retryAfterSeconds !== null) {
    putHeader(headers, 'retry-after', String(retryAfterSeconds))
    putHeader(headers, 'retry-after-ms', null)
  }
  return headers
}
