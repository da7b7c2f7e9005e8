import { errors } from 'undici'
import { describe, expect, it } from 'vitest'
import { InvalidResponse } from '../../http1/http1.ts'
import { ForbiddenAddress } from './address.ts'
import { failureOf, missingSecret } from './failure.ts'

function errno(code: string): Error {
  return Object.assign(new Error(code), { code })
}

describe('an error before anything was sent', () => {
  it.each([
    ['a refused connection', errno('ECONNREFUSED'), 'infra', 'connect', 502],
    ['a name that nobody knows', errno('ENOTFOUND'), 'infra', 'connect', 502],
    ['a certificate that has expired', errno('CERT_HAS_EXPIRED'), 'infra', 'connect', 502],
    ['a connection that took too long', new errors.ConnectTimeoutError(), 'infra', 'connect', 502],
    ['an address that is not allowed', new ForbiddenAddress('metadata.internal'), 'infra', 'connect', 502],
    ['too few descriptors, which is our own trouble', errno('EMFILE'), 'client-gone', 'overloaded', 503],
    ['too few ports, which is our own trouble', errno('EADDRNOTAVAIL'), 'client-gone', 'overloaded', 503],
    [
      'a request that cannot be sent',
      new errors.InvalidArgumentError('invalid header'),
      'request-fault',
      'request-fault',
      400,
    ],
  ])('%s', (_name, error, kind, reason, status) => {
    expect(failureOf(error, false)).toMatchObject({ outcome: { kind, reason, cools: false }, status })
  })
})

describe('an error after something was sent', () => {
  it.each([
    ['a reset', errno('ECONNRESET'), 'reset', 502],
    ['the end of the connection', new errors.SocketError('other side closed'), 'reset', 502],
    ['no head in time', new errors.HeadersTimeoutError(), 'timeout', 504],
    ['no more body in time', new errors.BodyTimeoutError(), 'timeout', 504],
    ['no HTTP', new errors.HTTPParserError('bad'), 'protocol', 502],
    ['a head without an end', new errors.HeadersOverflowError(), 'protocol', 502],
    ['a length that is not kept', new errors.ResponseContentLengthMismatchError(), 'protocol', 502],
    ['an unsolicited 100', new errors.SocketError('bad response'), 'protocol', 502],
    ['too many informational answers', new InvalidResponse('103'), 'protocol', 502],
    ['too few descriptors', errno('EMFILE'), 'reset', 502],
  ])('%s blames no credential and is not replayed', (_name, error, reason, status) => {
    expect(failureOf(error, true)).toMatchObject({ outcome: { kind: 'upstream-error', reason, cools: false }, status })
  })
})

it('a missing secret takes the member out of selection, as no client can have caused it', () => {
  expect(missingSecret('unreadable').outcome).toMatchObject({
    kind: 'auth-rejected',
    reason: 'unreadable',
    evidence: 'strong',
    status: null,
  })
})
