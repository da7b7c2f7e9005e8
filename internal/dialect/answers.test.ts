import { describe, expect, test } from 'vitest'
import { dialectOf, type Exhaustion, type LocalError, type Provider, providers } from './dialect.ts'

const now = Date.parse('2026-05-01T12:00:00Z')
const minute = 60_000
const day = 86_400_000

const parsed = (provider: Provider, error: LocalError) => {
  const { status, headers, body } = dialectOf(provider).error(error)
  return { status, headers, body: JSON.parse(body) }
}

describe('a local error', () => {
  const unknownKey: LocalError = { status: 401, code: 'unknown_key', message: 'No such key.', retryAfterSeconds: null }

  test.each(['openai', 'codex', 'openrouter', 'azure', 'generic'] as const)(
    '%s has the shape of OpenAI',
    (provider) => {
      expect(parsed(provider, unknownKey)).toEqual({
        status: 401,
        headers: { 'content-type': 'application/json', 'x-should-retry': 'false' },
        body: { error: { message: 'No such key.', type: 'invalid_request_error', code: 'unknown_key', param: null } },
      })
    },
  )

  test('anthropic has its own shape, with the code', () => {
    const error = { type: 'authentication_error', code: 'unknown_key', message: 'No such key.' }
    expect(parsed('anthropic', unknownKey).body).toEqual({ type: 'error', error })
  })

  test('gemini has its own shape, with the code as reason', () => {
    const details = [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'unknown_key', domain: 'spillway' }]
    const error = { code: 401, status: 'UNAUTHENTICATED', message: 'No such key.', details }
    expect(parsed('gemini', unknownKey).body).toEqual({ error })
  })

  test('gemini says the wait in the body too', () => {
    const body = parsed('gemini', { ...unknownKey, status: 503, retryAfterSeconds: 2.5 }).body
    expect(body.error.details[1]).toEqual({ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '3s' })
  })

  const types: readonly [number, string, string, string][] = [
    [400, 'invalid_request_error', 'invalid_request_error', 'INVALID_ARGUMENT'],
    [401, 'invalid_request_error', 'authentication_error', 'UNAUTHENTICATED'],
    [403, 'invalid_request_error', 'permission_error', 'PERMISSION_DENIED'],
    [404, 'invalid_request_error', 'not_found_error', 'NOT_FOUND'],
    [413, 'invalid_request_error', 'request_too_large', 'INVALID_ARGUMENT'],
    [429, 'rate_limit_error', 'rate_limit_error', 'RESOURCE_EXHAUSTED'],
    [502, 'server_error', 'api_error', 'INTERNAL'],
    [503, 'server_error', 'overloaded_error', 'UNAVAILABLE'],
    [504, 'server_error', 'api_error', 'DEADLINE_EXCEEDED'],
    [529, 'server_error', 'overloaded_error', 'INTERNAL'],
  ]
  test.each(types)('%i is %s, %s, %s', (status, openai, anthropic, gemini) => {
    const error = { ...unknownKey, status }
    expect(parsed('openai', error).body.error.type).toBe(openai)
    expect(parsed('anthropic', error).body.error.type).toBe(anthropic)
    expect(parsed('gemini', error).body.error.status).toBe(gemini)
  })

  test.each(providers)(
    '%s: Retry-After is whole seconds, at least 1, and a long one comes with x-should-retry',
    (provider) => {
      const wait = (retryAfterSeconds: number) =>
        parsed(provider, { ...unknownKey, status: 503, retryAfterSeconds }).headers
      expect(wait(0)).toMatchObject({ 'retry-after': '1' })
      expect(wait(1.2)).toMatchObject({ 'retry-after': '2' })
      expect(wait(60)).not.toHaveProperty('x-should-retry')
      expect(wait(61)).toMatchObject({ 'retry-after': '61', 'x-should-retry': 'false' })
    },
  )
})

describe('an exhausted pool', () => {
  const cooling: Exhaustion = { pool: 'openai', members: 3, retryAt: now + 125 * minute, first: 'work' }
  const sentence = 'openai is exhausted: all 3 members are cooling. work recovers first, at 14:05 UTC.'
  const answerOf = (provider: Provider, exhaustion: Exhaustion) => {
    const { status, headers, body } = dialectOf(provider).exhausted(exhaustion, now)
    return { status, headers, body: JSON.parse(body) }
  }
  const messageOf = (exhaustion: Exhaustion) => answerOf('openai', exhaustion).body.error.message

  test.each(['openai', 'codex', 'openrouter', 'azure', 'generic'] as const)(
    '%s answers usage_limit_reached',
    (provider) => {
      expect(answerOf(provider, cooling)).toEqual({
        status: 429,
        headers: { 'content-type': 'application/json', 'x-should-retry': 'false', 'retry-after': '7500' },
        body: {
          error: {
            type: 'usage_limit_reached',
            code: 'insufficient_quota',
            message: sentence,
            resets_at: (now + 125 * minute) / 1_000,
            resets_in_seconds: 7_500,
            param: null,
          },
        },
      })
    },
  )

  test('anthropic answers rate_limit_error', () => {
    expect(answerOf('anthropic', cooling)).toEqual({
      status: 429,
      headers: { 'content-type': 'application/json', 'x-should-retry': 'false', 'retry-after': '7500' },
      body: { type: 'error', error: { type: 'rate_limit_error', message: sentence } },
    })
  })

  test('anthropic never says less than 61 s', () => {
    expect(answerOf('anthropic', { ...cooling, retryAt: now + 1_000 }).headers).toMatchObject({ 'retry-after': '61' })
  })

  test('gemini answers RESOURCE_EXHAUSTED with RetryInfo', () => {
    const details = [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '7500s' }]
    expect(answerOf('gemini', cooling)).toEqual({
      status: 429,
      headers: { 'content-type': 'application/json', 'x-should-retry': 'false', 'retry-after': '7500' },
      body: { error: { code: 429, status: 'RESOURCE_EXHAUSTED', message: sentence, details } },
    })
  })

  test('waits are rounded up, at least 1 s', () => {
    const soon = (ms: number) => answerOf('openai', { ...cooling, retryAt: now + ms })
    expect(soon(1).headers).toMatchObject({ 'retry-after': '1' })
    expect(soon(-5_000).headers).toMatchObject({ 'retry-after': '1' })
    expect(soon(1_001).headers).toMatchObject({ 'retry-after': '2' })
    expect(soon(1_001).body.error).toMatchObject({ resets_at: now / 1_000 + 2, resets_in_seconds: 2 })
  })

  test('the minute is the one in which it has happened, with a date when it is a day away', () => {
    expect(messageOf({ ...cooling, retryAt: now + 30_000 })).toContain('at 12:01 UTC.')
    expect(messageOf({ ...cooling, retryAt: now + 3 * day })).toContain('at 2026-05-04 12:00 UTC.')
  })

  test('one member is spoken of as one', () => {
    const message = messageOf({ ...cooling, members: 1, first: null })
    expect(message).toBe('openai is exhausted: its only member is cooling. The first recovers, at 14:05 UTC.')
  })

  test.each(providers)('%s says that a person must act and names the command, for one hour', (provider) => {
    const { status, headers, body } = answerOf(provider, { ...cooling, retryAt: null, first: null })
    expect(status).toBe(429)
    expect(headers).toMatchObject({ 'retry-after': '3600', 'x-should-retry': 'false' })
    expect(body.error.message).toBe(
      'openai is exhausted: all 3 members need a person. See spillway status, then run: spillway cred login NAME',
    )
    if ('resets_at' in body.error)
      expect(body.error).toMatchObject({ resets_at: now / 1_000 + 3_600, resets_in_seconds: 3_600 })
  })

  test('the command is what helps the member that waits', () => {
    const remedy = 'spillway cred enable work'
    expect(messageOf({ pool: 'p', members: 1, retryAt: null, first: null, remedy })).toMatch(
      /then run: spillway cred enable work$/,
    )
  })

  test('the command names the member when it is known', () => {
    const message = messageOf({ pool: 'p', members: 1, retryAt: null, first: 'work' })
    expect(message).toBe(
      'p is exhausted: its only member needs a person. See spillway status, then run: spillway cred login work',
    )
  })
})
