import { describe } from 'vitest'
import {
  accountBilling,
  accountClosed,
  authExpired,
  authRejected,
  bareRateLimited,
  day,
  egressBlocked,
  epoch,
  events,
  hour,
  iso,
  minute,
  overloaded,
  plan,
  quota,
  rateLimited,
  requestFault,
  second,
  table,
  until,
  upstreamError,
} from '../../../test/support/signal-cases.ts'

describe('Anthropic API and Claude login tokens', () => {
  const error = (type: string, message = 'No.', more: object = {}) => ({
    type: 'error',
    error: { type, message, ...more },
    request_id: 'req_1',
  })
  const unified = (windows: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(windows).map(([name, value]) => [`anthropic-ratelimit-unified-${name}`, value]))
  const limited = error('rate_limit_error')
  table('anthropic', [
    {
      name: '429 until the latest exhausted limit',
      status: 429,
      body: limited,
      headers: {
        'retry-after': '10',
        'anthropic-ratelimit-requests-remaining': '0',
        'anthropic-ratelimit-requests-reset': iso(30 * second),
        'anthropic-ratelimit-input-tokens-remaining': '0',
        'anthropic-ratelimit-input-tokens-reset': iso(45 * second),
        'anthropic-ratelimit-output-tokens-remaining': '8000',
        'anthropic-ratelimit-output-tokens-reset': iso(hour),
      },
      means: { ...rateLimited, ...until(45 * second) },
    },
    {
      name: '429 with Retry-After alone',
      status: 429,
      body: limited,
      headers: { 'retry-after': '33' },
      means: { ...rateLimited, ...until(33 * second) },
    },
    {
      name: '429 whose limits are not exhausted is weak evidence',
      status: 429,
      body: limited,
      headers: {
        'anthropic-ratelimit-requests-remaining': '5',
        'anthropic-ratelimit-requests-reset': iso(minute),
        'anthropic-ratelimit-tokens-reset': 'soon',
      },
      means: bareRateLimited,
    },
    {
      name: '429 unified until the latest rejected window',
      status: 429,
      body: limited,
      headers: unified({
        status: 'rejected',
        reset: epoch(hour),
        '5h-status': 'rejected',
        '5h-reset': epoch(hour),
        '7d-status': 'rejected',
        '7d-reset': epoch(2 * day),
        '30d-status': 'allowed_warning',
        '30d-reset': epoch(6 * day),
        'overage-status': 'rejected',
        'overage-reset': epoch(5 * day),
        'overage-disabled-reason': 'out_of_credits',
      }),
      oauth: true,
      means: { ...quota, ...until(2 * day) },
    },
    {
      name: '429 with an unknown rejected window',
      status: 429,
      body: limited,
      headers: unified({ 'fortnight-status': 'rejected', 'fortnight-reset': epoch(3 * day) }),
      oauth: true,
      means: { ...quota, ...until(3 * day) },
    },
    {
      name: '429 rejected window without a reset of its own',
      status: 429,
      body: limited,
      headers: unified({ '5h-status': 'rejected', reset: epoch(hour) }),
      oauth: true,
      means: { ...quota, ...until(hour) },
    },
    {
      name: '429 rejected window without any reset: Retry-After',
      status: 429,
      body: limited,
      headers: { ...unified({ '5h-status': 'rejected', reset: '0' }), 'retry-after': '600' },
      oauth: true,
      means: { ...quota, ...until(10 * minute) },
    },
    {
      name: '429 rejected window without any hint: 1 h',
      status: 429,
      body: limited,
      headers: unified({ '5h-status': 'rejected' }),
      oauth: true,
      means: quota,
    },
    {
      name: '429 where only the window of a named family is rejected',
      status: 429,
      body: limited,
      headers: unified({
        status: 'rejected',
        '5h-status': 'allowed',
        '5h-reset': epoch(hour),
        '7d_opus-status': 'rejected',
        '7d_opus-reset': epoch(3 * day),
      }),
      oauth: true,
      means: { ...quota, reason: 'model-quota', scope: 'model', model: 'opus', ...until(3 * day) },
    },
    {
      name: '429 where only 7d_oi is rejected: the family that was asked for',
      status: 429,
      body: limited,
      headers: unified({ '7d-status': 'allowed', '7d_oi-status': 'rejected', '7d_oi-reset': epoch(3 * day) }),
      oauth: true,
      means: { ...quota, reason: 'model-quota', scope: 'model', ...until(3 * day) },
    },
    {
      name: '429 where two family windows are rejected: the family that was asked for',
      status: 429,
      body: limited,
      headers: unified({ '7d_opus-status': 'rejected', '7d_sonnet-status': 'rejected', reset: epoch(day) }),
      oauth: true,
      means: { ...quota, reason: 'model-quota', scope: 'model', ...until(day) },
    },
    {
      name: '429 where a family window resets after the shared one: the member only until the shared one',
      status: 429,
      body: limited,
      headers: unified({
        '5h-status': 'rejected',
        '5h-reset': epoch(hour),
        '7d_opus-status': 'rejected',
        '7d_opus-reset': epoch(3 * day),
      }),
      oauth: true,
      means: { ...quota, ...until(hour) },
    },
    {
      name: '429 rejected as a whole without a rejected window',
      status: 429,
      body: limited,
      headers: unified({ status: 'rejected', reset: epoch(hour) }),
      oauth: true,
      means: { ...quota, ...until(hour) },
    },
    {
      name: '2xx allowed_warning is telemetry',
      status: 200,
      headers: unified({ status: 'allowed_warning', '5h-utilization': '0.97', '5h-reset': epoch(hour) }),
      oauth: true,
      means: { kind: 'success', reason: 'ok' },
    },
    {
      name: '429 with no rate-limit header at all: another member, no cooldown',
      status: 429,
      body: limited,
      means: { kind: 'rate-limited', reason: 'burst', evidence: 'weak', cools: false },
    },
    {
      name: '429 about extra usage does nothing to the member',
      status: 429,
      body: error('rate_limit_error', 'Extra usage is required for long context requests.'),
      headers: { 'retry-after': '3600' },
      oauth: true,
      means: requestFault,
    },
    {
      name: '400 about extra usage does nothing to the member',
      status: 400,
      body: error('invalid_request_error', 'Extra usage is required for this feature.'),
      oauth: true,
      means: requestFault,
    },
    {
      name: '429 with overage-disabled-reason and no rejected window does nothing to the member',
      status: 429,
      body: limited,
      headers: unified({ status: 'rejected', '5h-status': 'allowed', 'overage-disabled-reason': 'out_of_credits' }),
      oauth: true,
      means: requestFault,
    },
    {
      name: '429 with overage-disabled-reason alone does nothing to the member',
      status: 429,
      body: limited,
      headers: unified({ 'overage-disabled-reason': 'out_of_credits' }),
      oauth: true,
      means: requestFault,
    },
    {
      name: '429 with Retry-After from an account that has no extra usage is a rate limit',
      status: 429,
      body: limited,
      headers: {
        ...unified({ status: 'allowed', '5h-status': 'allowed', 'overage-disabled-reason': 'org_level_disabled' }),
        'retry-after': '15',
      },
      oauth: true,
      means: { ...rateLimited, ...until(15 * second) },
    },
    { name: '402 billing_error', status: 402, body: error('billing_error'), means: accountBilling },
    {
      name: '429 enforced_spend_limit_reached',
      status: 429,
      body: error('rate_limit_error', 'Cap.', { details: { error_code: 'enforced_spend_limit_reached' } }),
      means: accountBilling,
    },
    {
      name: '400 spend limit',
      status: 400,
      body: error('invalid_request_error', 'You have reached your specified workspace API usage limits. You will …'),
      means: accountBilling,
    },
    {
      name: '400 "credit balance is too low"',
      status: 400,
      body: error('invalid_request_error', 'Your credit balance is too low to access the Anthropic API. Please …'),
      means: accountBilling,
    },
    {
      name: '400 that quotes a request with "credit balance is too low" does nothing to the member',
      status: 400,
      body: error('invalid_request_error', "messages.0: Input tag 'credit balance is too low' found"),
      means: requestFault,
    },
    {
      name: '400 about a field called "credit balance is too low" does nothing to the member',
      status: 400,
      body: error('invalid_request_error', 'credit balance is too low: Extra inputs are not permitted'),
      means: requestFault,
    },
    {
      name: '400 where the phrase is only part of a word does nothing to the member',
      status: 400,
      body: error('invalid_request_error', 'credit balance is too lowly'),
      means: requestFault,
    },
    {
      name: '401 authentication_error with an API key',
      status: 401,
      body: error('authentication_error', 'invalid x-api-key'),
      means: authRejected,
    },
    { name: '401 without a body', status: 401, means: { ...authRejected, evidence: 'weak' } },
    {
      name: '401 authentication_error with a login token',
      status: 401,
      body: error('authentication_error', 'Invalid bearer token'),
      oauth: true,
      means: authExpired,
    },
    {
      name: '401 "OAuth token has expired"',
      status: 401,
      body: error('authentication_error', 'OAuth token has expired. Please obtain a new token.'),
      oauth: true,
      means: authExpired,
    },
    {
      name: '401 "OAuth token has expired" of a token that was added as a key',
      status: 401,
      body: error('authentication_error', 'OAuth token has expired.'),
      means: authExpired,
    },
    ...[401, 403].map((status) => ({
      name: `${status} "OAuth token has been revoked"`,
      status,
      body: error('permission_error', 'OAuth token has been revoked. Please obtain a new token.'),
      oauth: true as const,
      means: authExpired,
    })),
    {
      name: '400 "organization has been disabled"',
      status: 400,
      body: error('invalid_request_error', 'This organization has been disabled.'),
      means: accountClosed,
    },
    ...[401, 403].map((status) => ({
      name: `${status} "OAuth authentication is currently not allowed"`,
      status,
      body: error('permission_error', 'OAuth authentication is currently not allowed for this organization.'),
      oauth: true as const,
      means: accountClosed,
    })),
    {
      name: '403 permission_error does nothing to the member',
      status: 403,
      body: error('permission_error'),
      means: requestFault,
    },
    ...[400, 403].map((status) => ({
      name: `${status} "only authorized for use with Claude Code" does nothing to the member`,
      status,
      body: error('invalid_request_error', 'This credential is only authorized for use with Claude Code and cannot …'),
      oauth: true as const,
      means: requestFault,
    })),
    {
      name: '403 from a region that is not served',
      status: 403,
      body: error('forbidden', 'Request not allowed'),
      means: egressBlocked,
    },
    { name: '529 overloaded_error', status: 529, body: error('overloaded_error'), means: overloaded },
    { name: '500 api_error', status: 500, body: error('api_error'), means: upstreamError },
    ...[400, 404, 413].map((status) => ({
      name: `${status} does nothing to the member`,
      status,
      body: error('invalid_request_error'),
      means: requestFault,
    })),
  ])
})

describe('an Anthropic stream', () => {
  const error = (type: string) => ({ event: 'error', data: { type: 'error', error: { type, message: 'No.' } } })
  events('anthropic', [
    {
      name: 'message_start says nothing yet',
      event: 'message_start',
      data: { type: 'message_start' },
      means: 'lifecycle',
    },
    { name: 'ping says nothing yet', data: { type: 'ping' }, means: 'lifecycle' },
    {
      name: 'content_block_start is content',
      event: 'content_block_start',
      data: { type: 'content_block_start' },
      means: 'content',
    },
    { name: 'data without a type is content', data: 'hello', means: 'content' },
    { name: 'overloaded_error', ...error('overloaded_error'), means: { kind: 'overloaded' } },
    {
      name: 'rate_limit_error in band has no headers: default back-off, weak evidence',
      ...error('rate_limit_error'),
      means: { kind: 'rate-limited', evidence: 'weak', cools: true, until: null, forMs: null },
    },
    { name: 'api_error', ...error('api_error'), means: { kind: 'upstream-error' } },
    { name: 'billing_error', ...error('billing_error'), means: { kind: 'quota-exhausted', reason: 'billing' } },
    { name: 'authentication_error', ...error('authentication_error'), means: { kind: 'auth-rejected' } },
    { name: 'invalid_request_error', ...error('invalid_request_error'), means: { kind: 'request-fault' } },
    { name: 'an error event that is not JSON', event: 'error', data: '<', means: { kind: 'request-fault' } },
  ])
})

describe('Anthropic in 2026', () => {
  table('anthropic', [
    ...[
      'organization_on_hold',
      'organization_disabled',
      'claude_code_key_creator_not_member',
      'verification_required',
    ].map((error_code) => ({
      name: `403 ${error_code} waits for a person`,
      status: 403,
      body: { type: 'error', error: { type: 'permission_error', message: 'No.', details: { error_code } } },
      means: accountClosed,
    })),
    ...[
      'Organization access has been revoked. Please contact …',
      'Account is no longer a member of the organization.',
    ].map((message) => ({
      name: `403 "${message}"`,
      status: 403,
      body: { type: 'error', error: { type: 'permission_error', message } },
      oauth: true as const,
      means: accountClosed,
    })),
    {
      name: '403 ip_not_in_allowed_range is about our address',
      status: 403,
      body: {
        type: 'error',
        error: { type: 'permission_error', message: 'No.', details: { error_code: 'ip_not_in_allowed_range' } },
      },
      means: egressBlocked,
    },
    {
      name: '429 contract_spend_limit_reached without a header is a matter of billing',
      status: 429,
      body: {
        type: 'error',
        error: { type: 'rate_limit_error', message: 'No.', details: { error_code: 'contract_spend_limit_reached' } },
        request_id: 'req_1',
      },
      means: accountBilling,
    },
    {
      name: '400 spend limit, until the sentence says',
      status: 400,
      body: {
        type: 'error',
        error: {
          type: 'invalid_request_error',
          message:
            'You have reached your specified API usage limits. You will regain access on 2026-05-03 at 00:00 UTC.',
        },
      },
      means: { ...accountBilling, ...until(36 * hour) },
    },
    {
      name: '429 of a feature that needs usage credits does nothing to the member',
      status: 429,
      body: {
        type: 'error',
        error: { type: 'rate_limit_error', message: 'Usage credits are required for long context requests.' },
      },
      headers: { 'anthropic-ratelimit-unified-status': 'allowed', 'anthropic-ratelimit-unified-5h-status': 'allowed' },
      oauth: true,
      means: requestFault,
    },
    {
      name: '429 with all windows allowed cools shortly, also where extra usage is disabled',
      status: 429,
      body: {
        type: 'error',
        error: { type: 'rate_limit_error', message: 'This request would exceed the rate limit.' },
      },
      headers: {
        'anthropic-ratelimit-unified-status': 'allowed',
        'anthropic-ratelimit-unified-5h-status': 'allowed',
        'anthropic-ratelimit-unified-overage-disabled-reason': 'org_level_disabled',
      },
      oauth: true,
      means: bareRateLimited,
    },
    {
      name: '400 out of extra usage: another account may have some, and this one is left alone',
      status: 400,
      body: {
        type: 'error',
        error: { type: 'invalid_request_error', message: "You're out of extra usage. Add more." },
      },
      oauth: true,
      means: { ...plan, cools: false },
    },
    {
      name: '429 of fast mode: another member, and this one is left alone',
      status: 429,
      body: {
        type: 'error',
        error: { type: 'rate_limit_error', message: 'This request would exceed your fast mode rate limit.' },
      },
      headers: { 'retry-after': '50' },
      means: { ...rateLimited, cools: false, ...until(50 * second) },
    },
    {
      name: '429 without a header from a host that only imitates Anthropic cools that key',
      status: 429,
      body: { type: 'error', error: { type: 'rate_limit_error', message: 'Too many.' }, request_id: 'x' },
      means: bareRateLimited,
    },
    ...['request-id', 'anthropic-organization-id'].map((name) => ({
      name: `429 with nothing but ${name} from Anthropic itself: another member, and this one is left alone`,
      status: 429,
      body: { type: 'error', error: { type: 'rate_limit_error', message: 'Too many.' } },
      headers: { [name]: 'x' },
      means: { ...rateLimited, reason: 'burst' as const, evidence: 'weak' as const, cools: false },
    })),
    {
      name: '503 overloaded_error',
      status: 503,
      body: { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } },
      means: overloaded,
    },
    {
      name: '429 of MiniMax behind the same shape, until the sentence says',
      status: 429,
      body: {
        type: 'error',
        error: {
          type: 'rate_limit_error',
          message:
            'usage limit exceeded, 5-hour usage limit reached for Token Plan, resets at 2026-05-01T14:30:00Z (2056)',
        },
      },
      means: { ...quota, ...until(2.5 * hour) },
    },
    {
      name: '401 of MiniMax behind the same shape',
      status: 401,
      body: { type: 'error', error: { type: 'authentication_error', message: 'login fail: … (1004)' } },
      means: authRejected,
    },
  ])
})

describe('an Anthropic stream of a login', () => {
  events('anthropic', [
    {
      name: 'authentication_error as first event may be mended by a refresh',
      data: { type: 'error', error: { type: 'authentication_error', message: 'Invalid bearer token' } },
      oauth: true,
      means: { kind: 'auth-expired' },
    },
  ])
})
