import { describe, expect, test } from 'vitest'
import { dialectOf, type LocalError, type Provider, providers } from './dialect.ts'

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
