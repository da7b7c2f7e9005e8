import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { decodeBody } from './decode.ts'

const said = Buffer.from('{"error":{"code":"rate_limit_exceeded"}}')

test.each([
  ['nothing', undefined, said],
  ['identity', 'identity', said],
  ['gzip', 'gzip', gzipSync(said)],
  ['GZIP in capitals', ' GZIP ', gzipSync(said)],
  ['x-gzip', 'x-gzip', gzipSync(said)],
  ['brotli', 'br', brotliCompressSync(said)],
  ['deflate', 'deflate', deflateSync(said)],
  ['deflate without its envelope', 'deflate', deflateRawSync(said)],
])('a body coded with %s is read', (_name, coding, bytes) => {
  expect(decodeBody(bytes, coding, 1_000)).toEqual({ bytes: said })
})

test('a bomb is not unpacked beyond the limit', () => {
  const bomb = gzipSync(Buffer.alloc(50_000_000))
  expect(decodeBody(bomb, 'gzip', 65_536)).toEqual({ unreadable: 'too-large' })
})

test.each([
  ['a truncated body', 'gzip', gzipSync(said).subarray(0, 20), 'corrupt'],
  ['bytes that are no gzip', 'gzip', said, 'corrupt'],
  ['a coding nobody knows', 'snappy', said, 'unknown-coding'],
  ['two codings', 'gzip, br', said, 'unknown-coding'],
])('%s is unreadable', (_name, coding, bytes, unreadable) => {
  expect(decodeBody(bytes, coding, 1_000)).toEqual({ unreadable })
})
