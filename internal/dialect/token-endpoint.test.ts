import { describe, expect, test } from 'vitest'
import { classifyTokenError, type Login, tokenEndpoints } from './token-endpoint.ts'

interface Case {
  readonly name: string
  readonly login?: Login
  readonly status: number | null
  readonly body: unknown
  readonly means: 'rejected' | 'raced' | 'transient'
}

const cases: readonly Case[] = [
  {
    name: 'refresh_token_reused is a lost race',
    status: 401,
    body: { error: { code: 'refresh_token_reused' } },
    means: 'raced',
  },
  ...[
    'invalid_grant',
    'refresh_token_expired',
    'refresh_token_invalidated',
    'token_invalidated',
    'app_session_terminated',
    'account_deactivated',
  ].flatMap((code) => [
    { name: `${code} is dead`, status: 401, body: { error: { code } }, means: 'rejected' as const },
    { name: `${code} is dead whatever the status`, status: 409, body: { error: code }, means: 'rejected' as const },
  ]),
  { name: 'Claude invalid_grant', login: 'claude', status: 400, body: { error: 'invalid_grant' }, means: 'rejected' },
  { name: 'Google invalid_grant', login: 'gemini', status: 400, body: { error: 'invalid_grant' }, means: 'rejected' },
  {
    name: 'codes of another server do not count',
    login: 'gemini',
    status: 409,
    body: { error: 'account_x' },
    means: 'transient',
  },
  ...[400, 401, 403].map((status) => ({
    name: `${status} with another code needs a person`,
    status,
    body: { error: 'invalid_client', error_description: 'x' },
    means: 'rejected' as const,
  })),
  { name: '429 is transient', status: 429, body: { error: 'invalid_grant' }, means: 'transient' },
  { name: '500 is transient', status: 500, body: { error: 'invalid_grant' }, means: 'transient' },
  { name: 'no answer is transient', status: null, body: null, means: 'transient' },
  { name: 'a page is transient', status: 403, body: '<html>', means: 'transient' },
  { name: 'an empty body is transient', status: 401, body: null, means: 'transient' },
  { name: 'a list is transient', status: 400, body: ['invalid_grant'], means: 'transient' },
  { name: '404 is transient', status: 404, body: { error: 'not_found' }, means: 'transient' },
  {
    name: '400 temporarily_unavailable is transient',
    status: 400,
    body: { error: 'temporarily_unavailable' },
    means: 'transient',
  },
  {
    name: '403 rate_limit_exceeded is transient',
    status: 403,
    body: { error: 'rate_limit_exceeded' },
    means: 'transient',
  },
  {
    name: '403 from a region that is not served is transient',
    status: 403,
    body: { detail: { code: 'unsupported_country_region_territory' } },
    means: 'transient',
  },
  {
    name: 'a code in a description is only text',
    status: 409,
    body: { error_description: 'invalid_grant' },
    means: 'transient',
  },
]

describe('classifyTokenError', () => {
  test.each(cases)('$name', ({ login = 'codex', status, body, means }) => {
    const text = body === null || typeof body === 'string' ? body : JSON.stringify(body)
    expect(classifyTokenError(login, status, text)).toBe(means)
  })
})

test('a token endpoint is reached over TLS, and an id is missing only where the operator configures it', () => {
  for (const endpoint of Object.values(tokenEndpoints)) {
    expect(new URL(endpoint.url).protocol).toBe('https:')
    expect(endpoint.clientId === null).toBe(endpoint.needsClientSecret)
  }
})
