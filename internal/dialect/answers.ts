import type { LocalAnswer } from './port.ts'

/** SDKs sleep a Retry-After in full; a wait longer than this is sent only with `x-should-retry: false`. */
const longestSleepSeconds = 60

/** A JSON answer of our own; `retryAfter` in seconds. */
export function answer(status: number, body: object, retryAfter: number | null): LocalAnswer {
  const wait = retryAfter === null ? null : Math.max(1, Math.ceil(retryAfter))
  // Asking again mends neither a wrong request nor a long wait.
  const hopeless = status < 500 || (wait !== null && wait > longestSleepSeconds)
  const headers = {
    'content-type': 'application/json',
    ...(hopeless && { 'x-should-retry': 'false' }),
    ...(wait !== null && { 'retry-after': String(wait) }),
  }
  return { status, headers, body: JSON.stringify(body) }
}
