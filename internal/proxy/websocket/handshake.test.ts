import { describe, expect, it } from 'vitest'
import { acceptedHeaders, handshakeHeaders } from './handshake.ts'

/** The example of RFC 6455, 1.3. */
const asked = [
  'Host',
  'a',
  'Upgrade',
  'websocket',
  'Connection',
  'Upgrade',
  'Sec-WebSocket-Key',
  'dGhlIHNhbXBsZSBub25jZQ==',
]
const answered = [
  'Upgrade',
  'WebSocket',
  'Connection',
  'Upgrade',
  'Sec-WebSocket-Accept',
  's3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
]
const protocols = (list: string) => ['Sec-WebSocket-Protocol', list]

describe('an opening handshake goes upstream', () => {
  const key = ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ==']
  it.each([
    ['without the hop', asked, key],
    ['without extensions', [...asked, 'Sec-WebSocket-Extensions', 'permessage-deflate'], key],
    [
      'without a key among its protocols',
      [...asked, ...protocols('a, openai-insecure-api-key.sk-1,b')],
      [...key, 'sec-websocket-protocol', 'a, b'],
    ],
    ['without protocols when all carried a key', [...asked, ...protocols('OpenAI-Insecure-API-Key.sk-1')], key],
    [
      'without a key in a repeated header',
      [...asked, ...protocols('a'), ...protocols('openai-insecure-api-key.sk-1')],
      [...key, 'sec-websocket-protocol', 'a'],
    ],
    ['without any header that can carry a key', [...asked, 'Authorization', 'Bearer k', 'X_Api_Key', 'k'], key],
  ])('%s', (_name, headers, expected) => {
    expect(handshakeHeaders(headers)).toEqual(expected)
  })
})

describe('a 101', () => {
  const hop = ['Upgrade', 'websocket', 'Connection', 'Upgrade']
  const accept = ['Sec-WebSocket-Accept', 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=']
  it.each([
    ['goes to the client', asked, answered, [...hop, ...accept]],
    [
      'keeps the protocol that was chosen',
      [...asked, ...protocols('a, b')],
      [...answered, ...protocols('b')],
      [...hop, ...accept, ...protocols('b')],
    ],
    [
      'names the only protocol of a client that put its key there',
      [...asked, ...protocols('openai-insecure-api-key.k')],
      answered,
      [...hop, ...accept, ...protocols('openai-insecure-api-key.k')],
    ],
    ['chooses nothing where the upstream did not', [...asked, ...protocols('a')], answered, [...hop, ...accept]],
    [
      'says nothing that only spillway may say',
      asked,
      [...answered, 'X-Spillway-Member', 'x', 'Set-Cookie', 'a=1'],
      [...hop, ...accept, 'Set-Cookie', 'a=1'],
    ],
  ])('%s', (_name, request, answer, expected) => {
    expect(acceptedHeaders(answer, request)).toEqual(expected)
  })

  it.each([
    ['to another protocol', ['Upgrade', 'h2c'], 'it switched to another protocol'],
    ['for another key', ['Upgrade', 'websocket', 'Sec-WebSocket-Accept', 'no'], 'it did not accept the handshake'],
    [
      'with an extension',
      [...answered, 'Sec-WebSocket-Extensions', 'permessage-deflate'],
      'it chose an extension that nobody offered',
    ],
    ['with a strange protocol', [...answered, ...protocols('z')], 'it chose a protocol that nobody offered'],
  ])('%s is none', (_name, answer, fault) => {
    expect(acceptedHeaders(answer, asked)).toBe(fault)
  })
})
