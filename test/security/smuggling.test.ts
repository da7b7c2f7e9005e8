/**
 * A4: request smuggling. The proxy and an upstream must never disagree where a request ends, so each of these gets 400
 * and a closed connection, or becomes exactly one upstream request with a frame of our own.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Rig, startRig } from '../fakes/rig/rig.ts'

let rig: Rig

beforeAll(async () => {
  rig = await startRig()
})

beforeEach(() => rig.upstream.forget())

afterAll(() => rig.close())

const smuggled = 'GET /pool/smuggled HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer KEY\r\n\r\n'

function send(lines: readonly string[], body: string): Promise<string> {
  const text = [...lines, 'Authorization: Bearer KEY', '', body].join('\r\n')
  return rig.raw(text.replaceAll('KEY', rig.key), /\r\n\r\n\{[^\n]*\}$/)
}

const host = 'Host: a'
const post = 'POST /pool/v1/x HTTP/1.1'
const te = 'Transfer-Encoding: chunked'
const oneChunk = '5\r\nhello\r\n0\r\n\r\n'

describe('refused', () => {
  it.each<[string, readonly string[], string]>([
    ['a length and chunks', [post, host, 'Content-Length: 5', te], `0\r\n\r\n${smuggled}`],
    ['chunks and a length', [post, host, te, 'Content-Length: 5'], `0\r\n\r\n${smuggled}`],
    ['a length of zero and chunks', [post, host, 'Content-Length: 0', te], `0\r\n\r\n${smuggled}`],
    ['two lengths', [post, host, 'Content-Length: 0', 'Content-Length: 5'], smuggled],
    ['the same length twice', [post, host, 'Content-Length: 5', 'Content-Length: 5'], 'hello'],
    ['a list of lengths', [post, host, 'Content-Length: 5, 5'], 'hello'],
    ['a signed length', [post, host, 'Content-Length: +5'], 'hello'],
    ['a negative length', [post, host, 'Content-Length: -5'], 'hello'],
    ['a hexadecimal length', [post, host, 'Content-Length: 0x5'], 'hello'],
    ['a length with an exponent', [post, host, 'Content-Length: 5e0'], 'hello'],
    ['an empty length', [post, host, 'Content-Length:'], 'hello'],
    ['a length beyond counting', [post, host, `Content-Length: ${'9'.repeat(40)}`], 'hello'],
    ['a space before the colon', [post, host, 'Content-Length : 5'], 'hello'],
    ['a space before the colon of the coding', [post, host, 'Transfer-Encoding : chunked'], oneChunk],
    ['a coding before chunked', [post, host, 'Transfer-Encoding: gzip, chunked'], oneChunk],
    ['identity before chunked', [post, host, 'Transfer-Encoding: identity, chunked'], oneChunk],
    ['a coding after chunked', [post, host, 'Transfer-Encoding: chunked, identity'], oneChunk],
    ['identity alone', [post, host, 'Transfer-Encoding: identity'], oneChunk],
    ['a misspelt coding', [post, host, 'Transfer-Encoding: xchunked'], oneChunk],
    ['a coding in quotes', [post, host, 'Transfer-Encoding: "chunked"'], oneChunk],
    ['a coding behind a vertical tab', [post, host, 'Transfer-Encoding:\x0bchunked'], oneChunk],
    ['two codings', [post, host, te, te], oneChunk],
    ['identity and chunked in two headers', [post, host, 'Transfer-Encoding: identity', te], oneChunk],
    ['chunks on HTTP/1.0', ['POST /pool/v1/x HTTP/1.0', host, te], oneChunk],
    ['two hosts', [post, host, 'Host: b', 'Content-Length: 5'], 'hello'],
    ['no host', [post, 'Content-Length: 5'], 'hello'],
    ['an empty host', [post, 'Host:', 'Content-Length: 5'], 'hello'],
    ['a host with a path', [post, 'Host: a/b', 'Content-Length: 5'], 'hello'],
    ['a host with a user', [post, 'Host: x@a', 'Content-Length: 5'], 'hello'],
    ['a folded header', [post, host, 'X-A: 1\r\n 2', 'Content-Length: 5'], 'hello'],
    ['a folded coding', [post, host, 'Transfer-Encoding:\r\n chunked'], oneChunk],
    ['a header without a colon', [post, host, 'Nonsense', 'Content-Length: 5'], 'hello'],
    ['a header that begins with a space', [post, host, ' X: 1', 'Content-Length: 5'], 'hello'],
    ['a carriage return in a value', [post, host, 'X: a\rb', 'Content-Length: 5'], 'hello'],
    ['a NUL in a value', [post, host, 'X: a\0b', 'Content-Length: 5'], 'hello'],
    ['trailers', [post, host, te], '5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n'],
    ['announced trailers', [post, host, te, 'Trailer: X-Sum'], '5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n'],
    ['a length in the trailers', [post, host, te], `5\r\nhello\r\n0\r\nContent-Length: 5\r\n\r\n`],
    ['a signed chunk size', [post, host, te], '+5\r\nhello\r\n0\r\n\r\n'],
    ['a chunk size with a prefix', [post, host, te], '0x5\r\nhello\r\n0\r\n\r\n'],
    ['chunks that end in a line feed alone', [post, host, te], '5\nhello\n0\n\n'],
    ['a chunk longer than its size', [post, host, te], '5\r\nhelloXX0\r\n\r\n'],
    ['HTTP/2.0', ['POST /pool/v1/x HTTP/2.0', host, 'Content-Length: 5'], 'hello'],
    ['HTTP/0.9', ['POST /pool/v1/x HTTP/0.9', host, 'Content-Length: 5'], 'hello'],
  ])('%s', async (_name, lines, body) => {
    const text = await send(lines, body)
    // Whatever stands behind the first answer was refused as well.
    expect(text.match(/HTTP\/1\.1 \d+/g)?.every((line) => line === 'HTTP/1.1 400')).toBe(true)
    expect(rig.upstream.requests).toHaveLength(0)
  })

  it('lines that end in a line feed alone', async () => {
    const text = await rig.raw(`POST /pool/v1/x HTTP/1.1\nHost: a\nAuthorization: Bearer ${rig.key}\n\n`)
    expect(text).toMatch(/^HTTP\/1\.1 400 /)
    expect(rig.upstream.requests).toHaveLength(0)
  })
})

describe('sent on as one request with a frame of our own', () => {
  it.each<[string, readonly string[], string, string, string]>([
    ['chunks', [post, host, te], oneChunk, 'POST', 'hello'],
    ['chunks announced in capitals', [post, host, 'TRANSFER-ENCODING: Chunked'], oneChunk, 'POST', 'hello'],
    ['chunk extensions', [post, host, te], '5;a=b;c="d"\r\nhello\r\n0;e\r\n\r\n', 'POST', 'hello'],
    ['a chunked GET', ['GET /pool/v1/x HTTP/1.1', host, te], oneChunk, 'GET', 'hello'],
    ['a chunked DELETE', ['DELETE /pool/v1/x HTTP/1.1', host, te], oneChunk, 'DELETE', 'hello'],
    ['a GET with a length', ['GET /pool/v1/x HTTP/1.1', host, 'Content-Length: 5'], 'hello', 'GET', 'hello'],
    ['a request inside a body', [post, host, `Content-Length: ${smuggled.length}`], smuggled, 'POST', smuggled],
    [
      'a coding with an underscore',
      [post, host, 'Content-Length: 5', 'Transfer_Encoding: chunked'],
      'hello',
      'POST',
      'hello',
    ],
    ['a length with an underscore', [post, host, 'Content-Length: 5', 'Content_Length: 500'], 'hello', 'POST', 'hello'],
    ['a TE header', [post, host, 'Content-Length: 5', 'TE: trailers, chunked'], 'hello', 'POST', 'hello'],
  ])('%s', async (_name, lines, body, method, received) => {
    const key = rig.key
    const length = (text: string) =>
      text.replace(`Content-Length: ${smuggled.length}`, `Content-Length: ${smuggled.replace('KEY', key).length}`)
    const text = await send(lines.map(length), body)
    expect(text).toMatch(/^HTTP\/1\.1 200 /)
    expect(rig.upstream.requests).toHaveLength(1)
    const [seen] = rig.upstream.requests
    expect([seen?.method, seen?.body.toString()]).toEqual([method, received.replace('KEY', key)])
    expect(seen?.headers('content-length')).toEqual([String(received.replace('KEY', key).length)])
    const names = seen?.rawHeaders
      .filter((_, at) => at % 2 === 0)
      .map((name) => name.toLowerCase().replaceAll('_', '-'))
    expect(names).not.toContain('transfer-encoding')
    expect(names).not.toContain('te')
    expect(names?.filter((name) => name === 'content-length')).toHaveLength(1)
  })
})
