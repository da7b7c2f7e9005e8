import { errors } from 'undici'
import type { LocalError } from '../../dialect/dialect.ts'
import { BodyTimeout, ConnectionsInUse, HeadTimeout, InvalidRequest, InvalidResponse } from '../../http1/http1.ts'
import { type Outcome, type Reason, silentOutcome } from '../../pool/pool.ts'
import { ForbiddenAddress } from './address.ts'

/** An attempt that ended without a usable answer: its outcome for the engine, and the error for the client. */
export interface Failure extends LocalError {
  readonly outcome: Outcome
}

const outOfResources = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'EADDRNOTAVAIL', 'ENOMEM'])

/**
 * Reads an error of the upstream side. `sent` says whether the request may have left: before that a failure is
 * the host's (`infra`) and harmless to repeat; after it the upstream may have done the work.
 */
export function failureOf(error: Error, sent: boolean): Failure {
  const code = 'code' in error ? String(error.code) : ''
  if (isUnsendable(error)) return unsendable
  if (error instanceof ConnectionsInUse) return crowded(error)
  if (!sent) return outOfResources.has(code) ? withoutSockets : unreachable(error)
  if (isTimeout(error)) return timedOut
  return isProtocolError(error) ? garbled : brokenOff
}

/** The failure of a member whose secret cannot be had. Its evidence is strong: no client can have provoked it. */
export function missingSecret(reason: Reason): Failure {
  return {
    outcome: { ...silentOutcome('auth-rejected', reason), evidence: 'strong', cools: true },
    status: 503,
    code: 'credential_unavailable',
    message: 'The credential of this member is not available.',
    retryAfterSeconds: 1,
  }
}

/** The failure of a member whose token has ended and cannot be renewed now. It replaces the upstream's 401, on which clients drop their own login. */
export function unrenewed(outcome: Outcome): Failure {
  return {
    outcome,
    status: 503,
    code: 'credential_unavailable',
    message: 'The login of this member cannot be renewed at the moment.',
    retryAfterSeconds: 5,
  }
}

function isUnsendable(error: Error): boolean {
  if (error instanceof InvalidRequest) return true
  return error instanceof errors.InvalidArgumentError || error instanceof errors.NotSupportedError
}

function isTimeout(error: Error): boolean {
  if (error instanceof HeadTimeout || error instanceof BodyTimeout) return true
  return error instanceof errors.HeadersTimeoutError || error instanceof errors.BodyTimeoutError
}

function isProtocolError(error: Error): boolean {
  if (error instanceof InvalidResponse || error instanceof errors.HTTPParserError) return true
  if (error instanceof errors.HeadersOverflowError) return true
  if (error instanceof errors.ResponseContentLengthMismatchError) return true
  // undici's words for an unsolicited 100 or 101.
  return error instanceof errors.SocketError && /^bad (?:response|upgrade)$/.test(error.message)
}

function unreachable(error: Error): Failure {
  const why = error instanceof ForbiddenAddress ? 'its address is not allowed' : 'no connection could be made'
  return {
    outcome: silentOutcome('infra', 'connect'),
    status: 502,
    code: 'upstream_unreachable',
    message: `The upstream cannot be reached: ${why}.`,
    retryAfterSeconds: 1,
  }
}

const unsendable: Failure = {
  outcome: silentOutcome('request-fault', 'request-fault'),
  status: 400,
  code: 'bad_request',
  message: 'The request cannot be expressed in HTTP/1.1.',
  retryAfterSeconds: null,
}

const withoutSockets: Failure = {
  // Our own want of sockets: a probe gives back what was, and no host cools.
  outcome: silentOutcome('client-gone', 'overloaded'),
  status: 503,
  code: 'overloaded',
  message: 'The proxy is out of sockets.',
  retryAfterSeconds: 1,
}

/** Nobody's fault but that of the setting: a probe gives back what was, and no host cools. */
function crowded({ host, connections }: ConnectionsInUse): Failure {
  return {
    outcome: silentOutcome('client-gone', 'overloaded'),
    status: 503,
    code: 'overloaded',
    message: `All ${connections} connections to ${host} are in use (upstream.connections), and none became free in time.`,
    retryAfterSeconds: 5,
  }
}

const timedOut: Failure = {
  outcome: silentOutcome('upstream-error', 'timeout'),
  status: 504,
  code: 'upstream_timeout',
  message: 'The upstream did not answer in time.',
  retryAfterSeconds: null,
}

const garbled: Failure = {
  outcome: silentOutcome('upstream-error', 'protocol'),
  status: 502,
  code: 'upstream_protocol',
  message: 'The upstream answered with something that is not valid HTTP.',
  retryAfterSeconds: null,
}

const brokenOff: Failure = {
  outcome: silentOutcome('upstream-error', 'reset'),
  status: 502,
  code: 'upstream_reset',
  message: 'The upstream closed the connection before it answered.',
  retryAfterSeconds: null,
}
