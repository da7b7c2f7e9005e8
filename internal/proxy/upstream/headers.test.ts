import { describe, expect, test } from 'vitest'
import { headerIn } from '../../http1/http1.ts'
import { putHeader, requestHeaders, responseHeaders } from './headers.ts'

describe('the headers of a request', () => {
  test('pass in their order, their spelling and their repetition', () => {
    const raw = ['User-Agent', 'a', 'X-Thing', '1', 'x-thing', '2', 'Content-Type', 'application/json']
    expect(requestHeaders(raw)).toEqual(raw)
  })

  test.each([
    ['hop-by-hop', ['Connection', 'keep-alive', 'Keep-Alive', 'timeout=5', 'Proxy-Connection', 'x', 'TE', 'trailers']],
    ['an upgrade', ['Connection', 'Upgrade, HTTP2-Settings', 'Upgrade', 'h2c', 'HTTP2-Settings', 'AAMA']],
    ['the frame', ['Content-Length', '5', 'Transfer-Encoding', 'chunked', 'Trailer', 'x', 'Expect', '100-continue']],
    ['the frame with underscores', ['Content_Length', '5', 'Transfer_Encoding', 'chunked']],
    ['the host', ['Host', 'evil']],
    ['client keys', ['Authorization', 'Bearer k', 'x-api-key', 'k', 'API-Key', 'k', 'x-goog-api-key', 'k']],
    ['client keys with underscores', ['X_Api_Key', 'k', 'x_goog_api_key', 'k']],
    ['credentials for proxies', ['Proxy-Authorization', 'Bearer k']],
    [
      'what Connection lists',
      ['Connection', 'close, X-Secret', 'X-Secret', '1', 'Connection', 'x-other', 'X-Other', '2'],
    ],
  ])('go without %s', (_name, unwanted) => {
    expect(requestHeaders(['Accept', '*/*', ...unwanted, 'X-Last', 'y'])).toEqual(['Accept', '*/*', 'X-Last', 'y'])
  })

  test.each([
    ['gzip, deflate', 'gzip, deflate'],
    ['gzip, deflate, br, snappy', 'gzip, deflate, br'],
    ['br;q=1.0, snappy;q=0.9', 'br;q=1.0'],
    ['snappy', 'identity'],
    ['*', 'identity'],
  ])('ask only for codings in which an error can be read: %s', (asked, sent) => {
    expect(requestHeaders(['Accept-Encoding', asked])).toEqual(['Accept-Encoding', sent])
  })
})

describe('the headers of an answer', () => {
  test('pass except hop-by-hop, listed and our own ones', () => {
    const raw = ['Date', 'd', 'Connection', 'close, X-Hop', 'X-Hop', '1', 'Transfer-Encoding', 'chunked']
    const more = ['X-Spillway-Member', 'forged', 'Set-Cookie', 'a', 'Set-Cookie', 'b', 'Content-Length', '3']
    expect(responseHeaders([...raw, ...more])).toEqual([
      'Date',
      'd',
      'Set-Cookie',
      'a',
      'Set-Cookie',
      'b',
      'Content-Length',
      '3',
    ])
  })
})

test('a header is found whatever its spelling, and joined when it is repeated', () => {
  const raw = ['X-A', '1', 'x-a', '2', 'X-B', '3']
  expect(headerIn(raw, 'x-a')).toBe('1, 2')
  expect(headerIn(raw, 'x-b')).toBe('3')
  expect(headerIn(raw, 'x-c')).toBeUndefined()
})

test('a header is replaced, added or taken out', () => {
  const headers = ['Retry-After', '3600', 'A', 'b']
  putHeader(headers, 'retry-after', '1')
  expect(headers).toEqual(['A', 'b', 'retry-after', '1'])
  putHeader(headers, 'a', null)
  expect(headers).toEqual(['retry-after', '1'])
})
