import { describe, expect, test } from 'vitest'
import { dialectOf, type Provider } from './dialect.ts'
import { findClientKey, isKeyHeader, keyHeaderNames, stripKeyFromProtocols, stripKeyFromQuery } from './keys.ts'

describe('findClientKey', () => {
  interface Case {
    readonly name: string
    readonly provider: Provider
    readonly headers?: Readonly<Record<string, string>>
    readonly query?: string
    readonly protocols?: string
    readonly key: string | null
  }
  const cases: readonly Case[] = [
    { name: 'OpenAI SDK', provider: 'openai', headers: { authorization: 'Bearer k1' }, key: 'k1' },
    { name: 'Bearer in any case', provider: 'openai', headers: { authorization: ' bEARER  k1 ' }, key: 'k1' },
    { name: 'another scheme is no key', provider: 'openai', headers: { authorization: 'Basic k1' }, key: null },
    { name: 'Bearer without a key', provider: 'openai', headers: { authorization: 'Bearer ' }, key: null },
    { name: 'Anthropic SDK', provider: 'anthropic', headers: { 'x-api-key': 'k2' }, key: 'k2' },
    { name: 'Claude Code with a token', provider: 'anthropic', headers: { authorization: 'Bearer k1' }, key: 'k1' },
    {
      name: 'Authorization comes before x-api-key',
      provider: 'anthropic',
      headers: { 'x-api-key': 'k2', authorization: 'Bearer k1' },
      key: 'k1',
    },
    { name: 'Azure SDK', provider: 'azure', headers: { 'api-key': 'k3' }, key: 'k3' },
    { name: 'genai SDK', provider: 'gemini', headers: { 'x-goog-api-key': 'k4' }, query: 'key=k5', key: 'k4' },
    {
      name: 'an empty header is passed over',
      provider: 'gemini',
      headers: { 'x-goog-api-key': ' ' },
      query: 'key=k5',
      key: 'k5',
    },
    { name: '?key=', provider: 'gemini', query: 'alt=sse&key=k5', key: 'k5' },
    { name: '?key= encoded', provider: 'gemini', query: '%6beY=k%2F5%zz', key: 'k/5%zz' },
    { name: '?key= empty, then filled', provider: 'gemini', query: 'key=&key=k=6', key: 'k=6' },
    {
      name: 'a header of another provider is no key',
      provider: 'openai',
      headers: { 'x-goog-api-key': 'k4' },
      key: null,
    },
    {
      name: 'WebSocket',
      provider: 'openai',
      protocols: 'realtime, openai-insecure-api-key.k6, openai-beta.x',
      key: 'k6',
    },
    { name: 'WebSocket with an empty key', provider: 'openai', protocols: 'openai-insecure-api-key.', key: null },
    { name: 'WebSocket without a key', provider: 'openai', protocols: 'realtime', key: null },
    { name: 'nothing', provider: 'generic', key: null },
  ]
  test.each(cases)('$name', ({ provider, headers = {}, query = '', protocols = null, key }) => {
    const places = { query, protocols }
    expect(findClientKey(dialectOf(provider), (name) => headers[name], places)).toBe(key)
  })
})

describe('isKeyHeader', () => {
  test.each([
    'Authorization',
    'Proxy-Authorization',
    'proxy_authorization',
    'X-Api-Key',
    'X_Api_Key',
    'x_api-key',
    'api-key',
    'API_KEY',
    'apikey',
    'x-goog-api-key',
    'X_GOOG_API_KEY',
  ])('%s never goes upstream', (name) => {
    expect(isKeyHeader(name)).toBe(true)
  })

  test.each(['x-api-key-id', 'anthropic-version', 'cookie', ''])('"%s" is left alone', (name) => {
    expect(isKeyHeader(name)).toBe(false)
  })

  test('every dialect takes keys only from headers that are stripped', () => {
    const taken = (['openai', 'codex', 'anthropic', 'gemini', 'openrouter', 'azure', 'generic'] as const).flatMap(
      (provider) => dialectOf(provider).keyHeaders,
    )
    expect(taken.filter((name) => !isKeyHeader(name) || !keyHeaderNames.includes(name))).toEqual([])
  })
})

describe('stripKeyFromQuery', () => {
  test.each([
    ['key=K', ''],
    ['key=K&alt=sse', 'alt=sse'],
    ['alt=sse&key=K', 'alt=sse'],
    ['a=1&key=K&b=2', 'a=1&b=2'],
    ['key=K&key=K', ''],
    ['KEY=K', ''],
    ['Key=K', ''],
    ['%6bey=K', ''],
    ['k%65y=K', ''],
    ['%4B%45%59=K', ''],
    ['%256bey=K', ''],
    ['key%3DK', ''],
    ['+key=K', ''],
    ['%20key%00=K', ''],
    ['key=', ''],
    ['key', 'key'],
    ['keys=1&monkey=2&key2=3', 'keys=1&monkey=2&key2=3'],
    ['q=key=K', 'q=key=K'],
    ['', ''],
    ['a=%zz&&b=%41+%e4%b8%ad&key=K&=x&', 'a=%zz&&b=%41+%e4%b8%ad&=x&'],
  ])('%s becomes "%s"', (query, stripped) => {
    expect(stripKeyFromQuery(query)).toBe(stripped)
  })

  test('deep nesting of escapes ends', () => {
    const nested = `%${'25'.repeat(8_000)}6bey=K`
    expect(stripKeyFromQuery(nested)).toBe(nested)
  })
})

describe('stripKeyFromProtocols', () => {
  test.each([
    ['realtime, openai-insecure-api-key.K, openai-beta.x', 'realtime, openai-beta.x'],
    ['OpenAI-Insecure-API-Key.K', ''],
    ['realtime,other', 'realtime,other'],
  ])('%s becomes "%s"', (protocols, stripped) => {
    expect(stripKeyFromProtocols(protocols)).toBe(stripped)
  })
})
