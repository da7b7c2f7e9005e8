import { describe, expect, test } from 'vitest'
import type { Outcome } from '../pool/pool.ts'
import { dialectOf, type Provider } from './dialect.ts'

const now = Date.parse('2026-05-01T12:00:00Z')
const inMs = (ms: number) => now + ms
const epoch = (ms: number) => String((now + ms) / 1_000)
const iso = (ms: number) => new Date(now + ms).toISOString()
const second = 1_000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

interface Case {
  readonly name: string
  readonly status: number
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly oauth?: true
  readonly means: Partial<Outcome>
}

/** What a row leaves out: strong evidence on the member, no hint, no fixed length. */
const usual = { evidence: 'strong', scope: 'member', model: null, until: null, forMs: null, cools: true } as const

const requestFault: Partial<Outcome> = { kind: 'request-fault', reason: 'request-fault' }
const egressBlocked: Partial<Outcome> = { kind: 'egress-blocked', reason: 'egress-blocked' }
const overloaded: Partial<Outcome> = { kind: 'overloaded', reason: 'overloaded' }
const atCapacity: Partial<Outcome> = { kind: 'overloaded', reason: 'capacity', scope: 'model' }
const upstreamError: Partial<Outcome> = { kind: 'upstream-error', reason: 'upstream-error' }
const rateLimited: Partial<Outcome> = { kind: 'rate-limited', reason: 'rate-limited' }
const bareRateLimited: Partial<Outcome> = { ...rateLimited, evidence: 'weak' }
const billing: Partial<Outcome> = { kind: 'quota-exhausted', reason: 'billing', forMs: hour }
const quota: Partial<Outcome> = { kind: 'quota-exhausted', reason: 'quota', forMs: hour }
const authRejected: Partial<Outcome> = { kind: 'auth-rejected', reason: 'auth-rejected' }
const accountClosed: Partial<Outcome> = { kind: 'auth-rejected', reason: 'account-closed' }
const authExpired: Partial<Outcome> = { kind: 'auth-expired', reason: 'auth-expired' }
const until = (ms: number): Partial<Outcome> => ({ until: inMs(ms), forMs: null, evidence: 'strong' })

/** An error body of OpenAI's shape. */
const coded = (code: string | null, message = 'No.', type: string | null = null) => ({
  error: { message, type, param: null, code },
})
const limit = (resets: object) => ({ error: { type: 'usage_limit_reached', message: 'Enough.', ...resets } })

const classify = (provider: Provider, { status, body, headers = {}, oauth }: Omit<Case, 'name' | 'means'>) =>
  dialectOf(provider).classify(
    {
      status,
      header: (name) => headers[name],
      headerNames: () => Object.keys(headers),
      body: body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body),
      oauth: oauth ?? false,
    },
    now,
  )

function table(provider: Provider, cases: readonly Case[]): void {
  test.each(cases)('$name', ({ means, ...response }) => {
    expect(classify(provider, response)).toEqual({ ...usual, status: response.status, ...means })
  })
}

describe('OpenAI API', () => {
  table('openai', [
    { name: '200 is a success', status: 200, body: '{"error":null}', means: { kind: 'success', reason: 'ok' } },
    { name: '304 is a success', status: 304, means: { kind: 'success', reason: 'ok' } },
    { name: '101 is a success', status: 101, means: { kind: 'success', reason: 'ok' } },
    { name: '307 is passed through and blames nobody', status: 307, means: requestFault },
    {
      name: 'an error stored in a 200 answer blames nobody',
      status: 200,
      body: coded('rate_limit_exceeded'),
      means: { kind: 'success', reason: 'ok' },
    },
    {
      name: '429 rate_limit_exceeded cools the domain for the default time',
      status: 429,
      body: coded('rate_limit_exceeded', 'Rate limit reached', 'requests'),
      means: { ...rateLimited, scope: 'domain' },
    },
    {
      name: '429 rate_limit_exceeded with Retry-After cools the domain until then',
      status: 429,
      body: coded('rate_limit_exceeded'),
      headers: { 'retry-after': '20' },
      means: { ...rateLimited, scope: 'domain', ...until(20 * second) },
    },
    {
      name: '429 slow_down cools for 5 s',
      status: 429,
      body: coded('slow_down', 'Slow down.', 'rate_limit_error'),
      means: { kind: 'rate-limited', reason: 'slow-down', forMs: 5 * second },
    },
    ...[
      'insufficient_quota',
      'credit_balance_exhausted',
      'organization_spend_limit_exceeded',
      'project_spend_limit_exceeded',
      'organization_usage_limit_exceeded',
    ].map((code) => ({
      name: `429 ${code} is a matter of billing`,
      status: 429,
      body: coded(code, 'Pay.'),
      means: { ...billing, scope: 'domain' as const },
    })),
    {
      name: '429 without type and code is a burst of 3 s on weak evidence',
      status: 429,
      body: { error: { message: 'Too many requests', type: null, code: null } },
      means: { kind: 'rate-limited', reason: 'burst', forMs: 3 * second, evidence: 'weak' },
    },
    {
      name: '429 without a body is a burst',
      status: 429,
      means: { kind: 'rate-limited', reason: 'burst', forMs: 3 * second, evidence: 'weak' },
    },
    {
      name: '429 without a body but with a hint is strong evidence until then',
      status: 429,
      headers: { 'retry-after': '7' },
      means: { kind: 'rate-limited', reason: 'burst', ...until(7 * second) },
    },
    {
      name: '429 with an unknown code is weak evidence and backs off by default',
      status: 429,
      body: coded('newly_invented'),
      means: bareRateLimited,
    },
    { name: '401 invalid_api_key is a suspect', status: 401, body: coded('invalid_api_key'), means: authRejected },
    {
      name: '401 account_deactivated is a closed account',
      status: 401,
      body: coded('account_deactivated'),
      means: accountClosed,
    },
    {
      name: '401 not a member of the organisation is a suspect on weak evidence',
      status: 401,
      body: coded(null, 'You must be a member of an organization to use the API', 'invalid_request_error'),
      means: { ...authRejected, evidence: 'weak' },
    },
    {
      name: '401 of an OAuth token has expired',
      status: 401,
      body: coded('invalid_api_key'),
      oauth: true,
      means: authExpired,
    },
    {
      name: 'usage_limit_reached with resets_at',
      status: 429,
      body: limit({ resets_at: (now + 2 * hour) / 1_000, resets_in_seconds: 60 }),
      means: { ...quota, ...until(2 * hour) },
    },
    {
      name: 'usage_limit_reached with resets_in_seconds',
      status: 429,
      body: limit({ resets_in_seconds: 13872 }),
      means: { ...quota, ...until(13872 * second) },
    },
    { name: '401 IP not authorised, by code', status: 401, body: coded('ip_not_authorized'), means: egressBlocked },
    {
      name: '401 IP not authorised, by message',
      status: 401,
      body: coded(null, 'Your IP is not authorized to use this key'),
      means: egressBlocked,
    },
    {
      name: '403 country or region, by code',
      status: 403,
      body: coded('unsupported_country_region_territory', '', 'request_forbidden'),
      means: egressBlocked,
    },
    {
      name: '403 country or region, by message',
      status: 403,
      body: coded(null, 'Country, region, or territory not supported'),
      means: egressBlocked,
    },
    { name: '403 else does nothing to the member', status: 403, body: coded('model_forbidden'), means: requestFault },
    {
      name: '403 with a quota code is quota',
      status: 403,
      body: coded('insufficient_quota'),
      means: { ...billing, scope: 'domain' },
    },
    {
      name: '403 rate_limit_exceeded is no quota code',
      status: 403,
      body: coded('rate_limit_exceeded'),
      means: requestFault,
    },
    { name: '503 server_is_overloaded', status: 503, body: coded('server_is_overloaded'), means: overloaded },
    { name: '503 without an overload code is an upstream error', status: 503, means: upstreamError },
    ...[500, 502, 504].map((status) => ({ name: `${status} is an upstream error`, status, means: upstreamError })),
    {
      name: '429 "Request too large" does nothing to the member',
      status: 429,
      body: coded('rate_limit_exceeded', 'Request too large for gpt-5 on tokens per min (TPM)', 'tokens'),
      headers: { 'retry-after': '60' },
      means: requestFault,
    },
    {
      name: '400 billing_hard_limit_reached is a matter of billing',
      status: 400,
      body: coded('billing_hard_limit_reached'),
      means: { ...billing, scope: 'domain' },
    },
    ...['context_length_exceeded', 'previous_response_not_found', 'cyber_policy'].flatMap((code) =>
      [400, 429, 503].map((status) => ({
        name: `${status} ${code} never moves a member`,
        status,
        body: coded(code),
        means: requestFault,
      })),
    ),
    {
      name: '400 invalid_encrypted_content is about what another account has sealed',
      status: 400,
      body: coded('invalid_encrypted_content'),
      means: { ...requestFault, reason: 'foreign-state' },
    },
    ...[400, 429, 503].map((status) => ({
      name: `${status} model_at_capacity is about this member and this model, and cools nobody`,
      status,
      body: coded('model_at_capacity'),
      means: atCapacity,
    })),
    ...[
      coded(null, 'Selected model is at capacity. Please try a different model.'),
      { detail: 'Selected model is at capacity. Please try a different model.' },
    ].map((body) => ({
      name: `"Selected model is at capacity" in ${Object.keys(body)[0]}`,
      status: 400,
      body,
      means: atCapacity,
    })),
    ...[400, 404, 409, 413, 422].map((status) => ({
      name: `${status} does nothing to the member`,
      status,
      body: coded('whatever'),
      means: requestFault,
    })),
    {
      name: 'a code inside a message is only text',
      status: 400,
      body: coded('invalid_type', 'Got insufficient_quota for messages[0].content, usage_limit_reached'),
      means: requestFault,
    },
    {
      name: 'a code in a body that is not JSON is only text',
      status: 429,
      body: 'insufficient_quota "code":"insufficient_quota"',
      means: { kind: 'rate-limited', reason: 'burst', forMs: 3 * second, evidence: 'weak' },
    },
    {
      name: 'a challenge page under 429 is no rate limit',
      status: 429,
      body: '<!doctype html><title>Just a moment...</title>',
      means: egressBlocked,
    },
  ])
})

describe('hints', () => {
  const burst: Partial<Outcome> = { kind: 'rate-limited', reason: 'burst' }
  const absent: Partial<Outcome> = { ...burst, forMs: 3 * second, evidence: 'weak' }
  const limited = (name: string, headers: Record<string, string>, means: Partial<Outcome>): Case => ({
    name,
    status: 429,
    headers,
    means: { ...burst, ...means },
  })
  table('openai', [
    limited('retry-after-ms', { 'retry-after-ms': '1500', 'retry-after': '2' }, until(1_500)),
    limited('retry-after-ms that is no number', { 'retry-after-ms': 'x', 'retry-after': '2' }, until(2 * second)),
    limited('Retry-After as HTTP date', { 'retry-after': 'Fri, 01 May 2026 12:10:00 GMT' }, until(10 * minute)),
    limited('Retry-After zero', { 'retry-after': '0' }, absent),
    limited('Retry-After negative', { 'retry-after': '-5' }, absent),
    limited('Retry-After NaN', { 'retry-after': 'NaN' }, absent),
    limited('Retry-After 1e12', { 'retry-after': '1e12' }, absent),
    limited('Retry-After in the past', { 'retry-after': 'Fri, 01 May 2026 11:00:00 GMT' }, absent),
    limited('Retry-After as a date of another form', { 'retry-after': 'next Tuesday' }, absent),
    limited('Retry-After beyond 7 days is clamped', { 'retry-after': '1000000000000' }, until(7 * day)),
    limited(
      'only the exhausted window counts, though another resets later',
      {
        'x-ratelimit-remaining-requests': '12',
        'x-ratelimit-reset-requests': '6m0s',
        'x-ratelimit-remaining-tokens': '0',
        'x-ratelimit-reset-tokens': '20ms',
      },
      until(20),
    ),
    limited(
      'of two exhausted windows the latest counts',
      {
        'x-ratelimit-remaining-requests': '0',
        'x-ratelimit-reset-requests': '6m0s',
        'x-ratelimit-remaining-tokens': '0',
        'x-ratelimit-reset-tokens': '1h2m3.5s',
      },
      until(hour + 2 * minute + 3.5 * second),
    ),
    limited('a window that does not say what remains', { 'x-ratelimit-reset-tokens': '1d' }, until(day)),
    limited(
      'the later of Retry-After and the exhausted window',
      { 'retry-after': '20', 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '8.64s' },
      until(20 * second),
    ),
    limited(
      'windows that are not exhausted give no hint',
      { 'x-ratelimit-remaining-requests': '5', 'x-ratelimit-reset-requests': '6m0s' },
      absent,
    ),
    limited('an unreadable duration', { 'x-ratelimit-reset-requests': 'soon' }, absent),
    limited('X-RateLimit-Reset in epoch seconds', { 'x-ratelimit-reset': epoch(minute) }, until(minute)),
    limited('X-RateLimit-Reset in epoch milliseconds', { 'x-ratelimit-reset': String(now + minute) }, until(minute)),
    limited('X-RateLimit-Reset in the past', { 'x-ratelimit-reset': epoch(-minute) }, absent),
    ...[0, -1, null, 'NaN', '', {}, (now - hour) / 1_000].map((value) => ({
      name: `resets_at ${JSON.stringify(value)} counts as absent`,
      status: 429,
      body: limit({ resets_at: value }),
      means: quota,
    })),
    {
      name: 'resets_at as a date',
      status: 429,
      body: limit({ resets_at: iso(hour) }),
      means: { ...quota, ...until(hour) },
    },
    {
      name: 'resets_in_seconds beyond 7 days is clamped',
      status: 429,
      body: '{"error":{"code":"usage_limit_reached","resets_in_seconds":1e999}}',
      means: { ...quota, ...until(7 * day) },
    },
  ])
})

describe('ChatGPT / Codex backend', () => {
  table('codex', [
    {
      name: '429 usage_limit_reached + resets_at',
      status: 429,
      body: limit({ plan_type: 'plus', resets_at: (now + 3 * hour) / 1_000, resets_in_seconds: 10_800 }),
      headers: { 'x-codex-active-limit': 'premium' },
      oauth: true,
      means: { ...quota, ...until(3 * hour) },
    },
    {
      name: '429 usage_limit_reached without a body reset uses the window that is used up',
      status: 429,
      body: limit({}),
      headers: {
        'x-codex-primary-used-percent': '100',
        'x-codex-primary-reset-at': epoch(hour),
        'x-codex-secondary-used-percent': '80',
        'x-codex-secondary-reset-at': epoch(3 * day),
      },
      oauth: true,
      means: { ...quota, ...until(hour) },
    },
    {
      name: '429 usage_not_included is the plan: 1 h',
      status: 429,
      body: coded(null, 'Not in your plan', 'usage_not_included'),
      oauth: true,
      means: { ...quota, reason: 'plan' },
    },
    { name: '429 that says nothing backs off by default', status: 429, oauth: true, means: bareRateLimited },
    {
      name: '2xx with window headers is telemetry',
      status: 200,
      headers: { 'x-codex-primary-used-percent': '100', 'x-codex-primary-reset-at': epoch(hour) },
      oauth: true,
      means: { kind: 'success', reason: 'ok' },
    },
    { name: '401', status: 401, body: { detail: 'Unauthorized' }, oauth: true, means: authExpired },
    {
      name: '401 of a token that nothing can refresh',
      status: 401,
      body: { detail: 'Unauthorized' },
      means: { ...authRejected, evidence: 'weak' },
    },
    {
      name: '402 deactivated_workspace',
      status: 402,
      body: { detail: { code: 'deactivated_workspace' } },
      oauth: true,
      means: accountClosed,
    },
    {
      name: '403 invalid_workspace_selected',
      status: 403,
      body: coded('invalid_workspace_selected'),
      oauth: true,
      means: accountClosed,
    },
    { name: '403 with an empty body', status: 403, oauth: true, means: egressBlocked },
    { name: '403 with HTML', status: 403, body: '<html><body>Forbidden', oauth: true, means: egressBlocked },
    {
      name: '403 with another JSON body does nothing to the member',
      status: 403,
      body: coded('something'),
      oauth: true,
      means: requestFault,
    },
    {
      name: 'HTML with cf-mitigated',
      status: 503,
      body: '<html>',
      headers: { 'cf-mitigated': 'challenge' },
      oauth: true,
      means: egressBlocked,
    },
    {
      name: 'a challenge page',
      status: 401,
      body: ' <html><script src="/cdn-cgi/challenge-platform/h/b/orchestrate"></script>',
      oauth: true,
      means: egressBlocked,
    },
    { name: '529', status: 529, oauth: true, means: overloaded },
  ])
})

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
    { name: '402 billing_error', status: 402, body: error('billing_error'), means: billing },
    {
      name: '429 enforced_spend_limit_reached',
      status: 429,
      body: error('rate_limit_error', 'Cap.', { details: { error_code: 'enforced_spend_limit_reached' } }),
      means: billing,
    },
    {
      name: '400 spend limit',
      status: 400,
      body: error('invalid_request_error', 'You have reached your specified workspace API usage limits. You will …'),
      means: billing,
    },
    {
      name: '400 "credit balance is too low"',
      status: 400,
      body: error('invalid_request_error', 'Your credit balance is too low to access the Anthropic API. Please …'),
      means: billing,
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

describe('Gemini API', () => {
  const google = (code: number, status: string, details: readonly object[] = [], message = 'No.') => ({
    error: { code, status, message, details },
  })
  const reason = (word: string) => ({ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: word })
  const violation = (...ids: string[]) => ({
    '@type': 'type.googleapis.com/google.rpc.QuotaFailure',
    violations: ids.map((quotaId) => ({ quotaId, quotaDimensions: { model: 'gemini-2.5-flash' } })),
  })
  const retry = (retryDelay: string) => ({ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay })
  const perMinute = violation('GenerateRequestsPerMinutePerProjectPerModel-FreeTier')
  const perDay = violation('GenerateContentInputTokensPerModelPerMinute', 'GenerateRequestsPerDayPerProjectPerModel')
  const noModel: Partial<Outcome> = { ...quota, reason: 'model-missing', scope: 'model', forMs: 12 * hour }
  table('gemini', [
    {
      name: '400 API_KEY_INVALID is no request fault',
      status: 400,
      body: google(400, 'INVALID_ARGUMENT', [reason('API_KEY_INVALID')]),
      means: authRejected,
    },
    {
      name: '400 INVALID_ARGUMENT else does nothing to the member',
      status: 400,
      body: google(400, 'INVALID_ARGUMENT'),
      means: requestFault,
    },
    {
      name: '429 per minute with RetryInfo',
      status: 429,
      body: google(429, 'RESOURCE_EXHAUSTED', [perMinute, retry('46.2s')]),
      means: { ...rateLimited, scope: 'model', ...until(46_200) },
    },
    {
      name: '429 per minute without RetryInfo',
      status: 429,
      body: google(429, 'RESOURCE_EXHAUSTED', [perMinute]),
      means: { ...rateLimited, scope: 'model' },
    },
    {
      name: '429 per day with RetryInfo',
      status: 429,
      body: google(429, 'RESOURCE_EXHAUSTED', [perDay, retry('7200s')]),
      means: { ...quota, reason: 'model-quota', scope: 'model', ...until(2 * hour) },
    },
    {
      name: '429 per day without RetryInfo: 1 h',
      status: 429,
      body: google(429, 'RESOURCE_EXHAUSTED', [perDay, retry('0s')]),
      means: { ...quota, reason: 'model-quota', scope: 'model' },
    },
    {
      name: '429 RESOURCE_EXHAUSTED that names no quota',
      status: 429,
      body: google(429, 'RESOURCE_EXHAUSTED'),
      means: { ...bareRateLimited, scope: 'model' },
    },
    {
      name: '429 as an array element',
      status: 429,
      body: [google(429, 'RESOURCE_EXHAUSTED', [perMinute, retry('5s')])],
      means: { ...rateLimited, scope: 'model', ...until(5 * second) },
    },
    { name: '429 without a body', status: 429, means: bareRateLimited },
    {
      name: '"limit: 0" lacks the model, whatever RetryInfo says',
      status: 429,
      body: google(
        429,
        'RESOURCE_EXHAUSTED',
        [perDay, retry('46s')],
        '* Quota exceeded …, limit: 0, model: gemini-3-pro',
      ),
      means: noModel,
    },
    {
      name: 'a quota value of 0 lacks the model',
      status: 429,
      body: google(429, 'RESOURCE_EXHAUSTED', [{ violations: [{ quotaId: 'PerDay', quotaValue: '0' }] }]),
      means: noModel,
    },
    {
      name: '"limit: 0.5" and "limit: 05" are other limits',
      status: 429,
      body: google(429, 'RESOURCE_EXHAUSTED', [perMinute], 'limit: 0.5, limit: 05'),
      means: { ...rateLimited, scope: 'model' },
    },
    {
      name: 'an array element with an error under 200',
      status: 200,
      body: [google(429, 'RESOURCE_EXHAUSTED', [perMinute, retry('5s')])],
      means: { ...rateLimited, scope: 'model', status: 429, ...until(5 * second) },
    },
    {
      name: 'a stored operation that failed is an answer',
      status: 200,
      body: { name: 'operations/1', done: true, ...google(429, 'RESOURCE_EXHAUSTED') },
      means: { kind: 'success', reason: 'ok' },
    },
    { name: '200 without a body', status: 200, means: { kind: 'success', reason: 'ok' } },
    {
      name: '403 consumer suspended',
      status: 403,
      body: google(403, 'PERMISSION_DENIED', [reason('CONSUMER_SUSPENDED')]),
      means: accountClosed,
    },
    {
      name: '403 consumer suspended, by message',
      status: 403,
      body: google(403, 'PERMISSION_DENIED', [], "Permission denied: Consumer 'api_key:AI' has been suspended."),
      means: accountClosed,
    },
    {
      name: '403 else does nothing to the member',
      status: 403,
      body: google(403, 'PERMISSION_DENIED'),
      means: requestFault,
    },
    { name: '402', status: 402, body: google(402, 'FAILED_PRECONDITION'), means: billing },
    { name: '500', status: 500, body: google(500, 'INTERNAL'), means: upstreamError },
    { name: '503', status: 503, body: google(503, 'UNAVAILABLE'), means: upstreamError },
    {
      name: '401 of a key',
      status: 401,
      body: google(401, 'UNAUTHENTICATED'),
      means: { ...authRejected, evidence: 'weak' },
    },
    { name: '401 of a login', status: 401, body: google(401, 'UNAUTHENTICATED'), oauth: true, means: authExpired },
    {
      name: '400 from a location that is not served',
      status: 400,
      body: google(400, 'FAILED_PRECONDITION', [], 'User location is not supported for the API use.'),
      means: egressBlocked,
    },
  ])
})

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

describe('Azure OpenAI', () => {
  const azure = (code: string) => ({ error: { code, message: 'No.' } })
  table('azure', [
    {
      name: '429 + retry-after-ms',
      status: 429,
      body: azure('429'),
      headers: { 'retry-after-ms': '2500', 'retry-after': '3' },
      means: { ...rateLimited, ...until(2_500) },
    },
    ...['0', '-1'].map((value) => ({
      name: `x-ratelimit-* of ${value} are no hints`,
      status: 429,
      body: azure('429'),
      headers: {
        'x-ratelimit-remaining-requests': value,
        'x-ratelimit-reset-requests': value,
        'x-ratelimit-reset-tokens': value,
      },
      means: bareRateLimited,
    })),
    {
      name: 'a reset in plain seconds counts though what remains is −1',
      status: 429,
      headers: { 'x-ratelimit-remaining-tokens': '-1', 'x-ratelimit-reset-tokens': '30' },
      means: { ...rateLimited, ...until(30 * second) },
    },
    { name: '401 of a key', status: 401, body: azure('401'), means: { ...authRejected, evidence: 'weak' } },
    { name: '401 of an Entra token', status: 401, body: azure('401'), oauth: true, means: authExpired },
    { name: '404 does nothing to the member', status: 404, body: azure('DeploymentNotFound'), means: requestFault },
    { name: '529', status: 529, means: overloaded },
  ])
})

describe('generic', () => {
  table('generic', [
    { name: '429', status: 429, means: bareRateLimited },
    {
      name: '429 + Retry-After',
      status: 429,
      headers: { 'retry-after': '9' },
      means: { ...rateLimited, ...until(9_000) },
    },
    { name: '401 is a suspect', status: 401, means: { ...authRejected, evidence: 'weak' } },
    { name: '402', status: 402, means: billing },
    ...['insufficient_quota', 'quota_exceeded', 'rate_limit_exceeded'].map((code) => ({
      name: `403 ${code}`,
      status: 403,
      body: { code, message: 'No.' },
      means: quota,
    })),
    { name: '403 with the code as the error itself', status: 403, body: { error: 'quota_exceeded' }, means: quota },
    {
      name: '403 else does nothing to the member',
      status: 403,
      body: { message: 'quota_exceeded' },
      means: requestFault,
    },
    {
      name: 'usage_limit_reached on any OpenAI-shaped dialect',
      status: 429,
      body: limit({ resets_in_seconds: 60 }),
      means: { ...quota, ...until(minute) },
    },
    { name: '500', status: 500, means: upstreamError },
    { name: '529', status: 529, means: overloaded },
  ])
})
