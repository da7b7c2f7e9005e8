import { describe, expect, test } from 'vitest'
import { frameOf } from './framing.ts'

const host = ['Host', '127.0.0.1:8460']

describe('the frame of a request', () => {
  test.each([
    ['no body', host, '1.1', 0],
    ['a length', [...host, 'Content-Length', '42'], '1.1', 42],
    ['chunks', [...host, 'Transfer-Encoding', 'chunked'], '1.1', null],
    ['chunks in capitals', [...host, 'transfer-encoding', 'CHUNKED'], '1.1', null],
    ['HTTP/1.0 with a length', ['Content-Length', '3'], '1.0', 3],
    ['a host name', ['Host', 'proxy.example:443'], '1.1', 0],
    ['an IPv6 host', ['Host', '[::1]:8460'], '1.1', 0],
    ['a TE header, which is not a coding', [...host, 'TE', 'trailers'], '1.1', 0],
  ] as const)('%s', (_name, headers, version, length) => {
    expect(frameOf(headers, version)).toEqual({ length })
  })

  test.each([
    ['two hosts', [...host, 'host', 'evil'], '1.1'],
    ['the same host twice', [...host, ...host], '1.1'],
    ['no host', [], '1.1'],
    ['an empty host', ['Host', ''], '1.1'],
    ['a host with a path', ['Host', 'a/b'], '1.1'],
    ['a host with a user', ['Host', 'evil@a'], '1.1'],
    ['a list of hosts', ['Host', 'a, b'], '1.1'],
    ['two lengths', [...host, 'Content-Length', '1', 'Content-Length', '1'], '1.1'],
    ['a list of lengths', [...host, 'Content-Length', '1, 1'], '1.1'],
    ['a signed length', [...host, 'Content-Length', '+1'], '1.1'],
    ['length and coding', [...host, 'Content-Length', '1', 'Transfer-Encoding', 'chunked'], '1.1'],
    ['a coding before chunked', [...host, 'Transfer-Encoding', 'gzip, chunked'], '1.1'],
    ['a coding after chunked', [...host, 'Transfer-Encoding', 'chunked, identity'], '1.1'],
    ['two codings', [...host, 'Transfer-Encoding', 'identity', 'Transfer-Encoding', 'chunked'], '1.1'],
    ['a coding with a parameter', [...host, 'Transfer-Encoding', 'chunked;q=1'], '1.1'],
    ['a coding on HTTP/1.0', [...host, 'Transfer-Encoding', 'chunked'], '1.0'],
    ['announced trailers', [...host, 'Transfer-Encoding', 'chunked', 'Trailer', 'x-sum'], '1.1'],
    ['HTTP/2.0 in plain text', host, '2.0'],
    ['HTTP/0.9', [], '0.9'],
  ])('%s is refused', (_name, headers, version) => {
    expect(frameOf(headers, version)).toEqual(expect.any(String))
  })
})
