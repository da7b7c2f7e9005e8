import type { LocalAnswer, LocalError } from '../../dialect/dialect.ts'
import type { Decision } from '../../engine/engine.ts'
import type { At } from '../../pool/pool.ts'

/** An error that we answer with ourselves; one place for their words, statuses and codes. */
function localError(
  status: number,
  code: LocalError['code'],
  message: string,
  seconds: number | null = null,
): LocalError {
  return { status, code, message, retryAfterSeconds: seconds }
}

export const missingKey = localError(401, 'missing_key', 'A client key of this proxy is needed.')
export const unknownKey = localError(401, 'unknown_key', 'This client key is not known here.')
export const keyNotAllowed = localError(403, 'key_not_allowed', 'This client key may not use this pool.')
export const upgradeRefused = localError(426, 'upgrade_refused', 'WebSockets are not spoken here: use plain HTTP.')
export const draining = localError(503, 'draining', 'The proxy is about to stop: come again.', 1)
export const expectationFailed = localError(417, 'expectation_failed', 'The only expectation known is 100-continue.')
export const trailersRefused = localError(400, 'bad_request', 'Trailers are not accepted.')
export const poolEmpty = localError(503, 'pool_empty', 'This pool has no members.')
export const nobodyElse = localError(
  503,
  'credential_unavailable',
  'No member of this pool can serve at the moment.',
  1,
)
export const comeAgain = localError(
  503,
  'retries_spent',
  'A member of this pool can serve, but this request has been sent often enough: come again.',
  1,
)
export const overloadedHere = localError(503, 'overloaded', 'The proxy has no connections left.', 1)
export const internalError = localError(500, 'internal', 'The proxy failed to handle this request.')
export const unpresentable = localError(
  502,
  'upstream_protocol',
  'The upstream refused with a message that broke off or cannot be unpacked.',
)

/** The 503 of a host that is cooling after failed connections, with the seconds until its next attempt. */
export function hostDown({ retryAt, host }: Decision & { kind: 'host-down' }, now: At): LocalError {
  const seconds = Math.max(1, Math.ceil((retryAt - now) / 1_000))
  return localError(503, 'upstream_unreachable', `The upstream ${host} cannot be reached at the moment.`, seconds)
}

/** An answer about the request itself, where no dialect is known: RFC 9457, with a stable `code`. */
export function problem(status: number, code: string, detail: string): LocalAnswer {
  return {
    status,
    headers: { 'content-type': 'application/problem+json' },
    body: JSON.stringify({ type: 'about:blank', status, code, detail }),
  }
}
