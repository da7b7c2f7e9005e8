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

/** No client key came with the request. */
export function missingKey(pool: string): LocalError {
  const message = `spillway: this request carries no client key; what "spillway env ${pool}" prints sets one.`
  return localError(401, 'missing_key', message)
}

/** A key came that is none of ours, most often the upstream's own. */
export function unknownKey(pool: string): LocalError {
  const message = `spillway: this is no client key that is in force here; what "spillway env ${pool}" prints sets one. A key of the upstream is not taken.`
  return localError(401, 'unknown_key', message)
}

export function keyNotAllowed(pool: string): LocalError {
  const message = `spillway: this client key may not use the pool ${pool}; "spillway key create NAME --pools ${pool}" makes one that may.`
  return localError(403, 'key_not_allowed', message)
}

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
export const everybodyBusy = localError(
  503,
  'members_full',
  'Every member of this pool has as many requests under way as it may: come again.',
  1,
)
export const previousResponseNotFound = localError(
  400,
  'previous_response_not_found',
  'Previous response not found: the account that has it cannot serve at the moment. Send the whole conversation.',
)
export const stateNotFound = localError(
  404,
  'not_found',
  'Not found: the account that has the file, batch or container which this request names is no member of this pool that can serve.',
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

/**
 * The answer about a pool that does not exist; most often the pool was left out of the base URL. `origin` is the address that
 * the client used, as it wrote it.
 */
export function noSuchPool(
  { pool, path }: { readonly pool: string; readonly path: string },
  origin: string,
): LocalAnswer {
  const name = /^[\w.-]{1,63}$/.test(pool) ? `no pool named ${pool}` : 'no pool of that name'
  const detail = `spillway: ${name}; the base URL is ${origin}/POOL${versionFor(pool, path)} (spillway env POOL)`
  return problem(404, 'unknown_pool', detail)
}

/** What clients of the API that was asked for expect in their base URL, as far as a path says that. */
function versionFor(pool: string, path: string): string {
  return /^v1beta/.test(pool) || path.startsWith('/messages') || path.startsWith('/v1/messages') ? '' : '/v1'
}

/**
 * An answer about the request itself, where no dialect is known: RFC 9457, with a stable `code`. SDKs show what stands in
 * `error`.
 */
export function problem(status: number, code: string, detail: string): LocalAnswer {
  return {
    status,
    headers: { 'content-type': 'application/problem+json' },
    body: JSON.stringify({ type: 'about:blank', status, code, detail, error: { type: code, code, message: detail } }),
  }
}
