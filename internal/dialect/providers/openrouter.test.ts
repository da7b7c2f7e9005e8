import { describe } from 'vitest'
import {
  authRejected,
  bareModelLimit,
  bareRateLimited,
  billing,
  events,
  hour,
  now,
  quota,
  rateLimited,
  requestFault,
  second,
  table,
  until,
  upstreamError,
} from '../../../test/support/signal-cases.ts'

describe('OpenRouter', () => {
  const openrouter = (code: number, message = 'No.', metadata: object = {}) => ({ error: { code, message, metadata } })
  table('openrouter', [
    {
      name: '402 openrouter_key_limit is the member',
      status: 402,
      body: openrouter(402, 'Limit', { limit_source: 'openrouter_key_limit' }),
      means: billing,
    },
    {
      name: 'openrouter_key_limit under 403 too',
      status: 403,
      body: openrouter(403, 'Limit', { limit_source: 'openrouter_key_limit' }),
      means: billing,
    },
    {
      name: '402 openrouter_credits is the domain',
      status: 402,
      body: openrouter(402, 'Credits', { limit_source: 'openrouter_credits' }),
      means: { ...billing, scope: 'domain' },
    },
    {
      name: 'openrouter_free_tier_daily is the domain until its reset',
      status: 429,
      body: openrouter(429, 'Daily', {
        limit_source: 'openrouter_free_tier_daily',
        headers: { 'X-RateLimit-Remaining': '0', 'X-RateLimit-Reset': String(now + 5 * hour) },
      }),
      means: { ...quota, scope: 'domain', ...until(5 * hour) },
    },
    {
      name: '403 "Key limit exceeded"',
      status: 403,
      body: openrouter(403, 'Key limit exceeded (total limit). Manage it …'),
      means: billing,
    },
    {
      name: '402 openrouter_in_flight_budget + Retry-After',
      status: 402,
      body: openrouter(402, 'In flight', { limit_source: 'openrouter_in_flight_budget' }),
      headers: { 'retry-after': '3' },
      means: { ...rateLimited, ...until(3 * second) },
    },
    {
      name: '402 "fewer max_tokens" does nothing to the member',
      status: 402,
      body: openrouter(402, 'This request requires more credits, or fewer max_tokens. You requested …', {
        limit_source: 'openrouter_credits',
      }),
      means: requestFault,
    },
    { name: '402 else', status: 402, body: openrouter(402), means: billing },
    {
      name: '403 moderation does nothing to the member',
      status: 403,
      body: openrouter(403, 'Flagged', { reasons: ['violence'] }),
      means: requestFault,
    },
    {
      name: '200 with an error object as whole body',
      status: 200,
      body: { ...openrouter(402, 'Credits', { limit_source: 'openrouter_credits' }), user_id: 'u' },
      means: { ...billing, scope: 'domain', status: 402 },
    },
    {
      name: '200 with an answer beside the error is a success',
      status: 200,
      body: { choices: [{}], ...openrouter(502) },
      means: { kind: 'success', reason: 'ok' },
    },
    {
      name: '200 whose error names no status blames nobody',
      status: 200,
      body: { error: { message: 'Provider returned error' } },
      means: { ...requestFault, status: null },
    },
    {
      name: '401',
      status: 401,
      body: openrouter(401, 'User not found.'),
      means: { ...authRejected, evidence: 'weak' },
    },
    { name: '429', status: 429, body: openrouter(429), means: bareRateLimited },
    { name: '502', status: 502, body: openrouter(502), means: upstreamError },
  ])
})

describe('an OpenRouter stream', () => {
  events('openrouter', [
    {
      name: 'an error as first event, with its status as code',
      data: { error: { code: 502, message: 'Provider disconnected' }, choices: [{ finish_reason: 'error' }] },
      means: { kind: 'upstream-error', status: 502 },
    },
    {
      name: '402 in band',
      data: { error: { code: 402, message: 'Credits', metadata: { limit_source: 'openrouter_credits' } } },
      means: { kind: 'quota-exhausted', scope: 'domain', status: 402 },
    },
    {
      name: '429 in band with the headers in its metadata',
      data: {
        error: { code: 429, metadata: { headers: { 'X-RateLimit-Remaining': '0', 'X-RateLimit-Reset': now + hour } } },
      },
      means: { kind: 'rate-limited', evidence: 'strong', until: now + hour },
    },
    {
      name: '403 moderation in band',
      data: { error: { code: 403, message: 'Flagged', metadata: { reasons: ['x'] } } },
      means: { kind: 'request-fault' },
    },
  ])
})

describe('OpenRouter and the providers behind it', () => {
  table('openrouter', [
    {
      name: '429 of a provider that is limited for this model leaves the other models alone',
      status: 429,
      body: {
        error: {
          code: 429,
          message: 'Provider returned error',
          metadata: { raw: 'x/y is temporarily rate-limited upstream. Please retry shortly.' },
        },
      },
      means: bareModelLimit,
    },
  ])
})
