import { describe } from 'vitest'
import {
  accountClosed,
  authExpired,
  authRejected,
  bareRateLimited,
  coded,
  day,
  egressBlocked,
  epoch,
  events,
  hour,
  limit,
  minute,
  modelQuota,
  now,
  overloaded,
  quota,
  requestFault,
  second,
  table,
  until,
} from '../../../test/support/signal-cases.ts'

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

describe('a Codex stream or WebSocket', () => {
  events('codex', [
    { name: 'codex.rate_limits says nothing yet', data: { type: 'codex.rate_limits' }, means: 'lifecycle' },
    {
      name: 'a first frame with status 429 is as over HTTP',
      data: {
        type: 'error',
        status: 429,
        error: { type: 'usage_limit_reached', resets_at: (now + 2 * hour) / 1_000 },
      },
      means: { kind: 'quota-exhausted', reason: 'quota', status: 429, until: now + 2 * hour },
    },
    {
      name: 'a first frame with status_code and headers is as over HTTP',
      data: {
        type: 'error',
        status_code: 429,
        error: { type: 'usage_limit_reached' },
        headers: { 'X-Codex-Primary-Used-Percent': 100, 'X-Codex-Primary-Reset-At': (now + hour) / 1_000 },
      },
      means: { kind: 'quota-exhausted', status: 429, until: now + hour },
    },
    {
      name: 'a frame with Retry-After',
      data: { type: 'error', status: 429, error: {}, headers: { 'Retry-After': '12' } },
      means: { kind: 'rate-limited', evidence: 'strong', until: now + 12_000 },
    },
    {
      name: 'a frame with status 401 is a token that has expired',
      data: { type: 'error', status: 401, error: { message: 'Unauthorized' } },
      means: { kind: 'auth-expired', status: 401 },
    },
    {
      name: 'a frame about the connection does nothing to the member',
      data: { type: 'error', status: 400, error: { code: 'websocket_connection_limit_reached' } },
      means: { kind: 'request-fault' },
    },
    {
      name: 'a status that is none does not count',
      data: { type: 'error', status: 'error', status_code: 200, error: { code: 'usage_not_included' } },
      means: { kind: 'quota-exhausted', reason: 'plan', status: null, forMs: hour },
    },
  ])
})

describe('Codex plans in 2026', () => {
  table('codex', [
    {
      name: '429 usage_limit_reached with seconds to the reset of the used-up window',
      status: 429,
      body: limit({}),
      headers: {
        'x-codex-active-limit': 'premium',
        'x-codex-primary-used-percent': '100',
        'x-codex-primary-reset-after-seconds': '471285',
        'x-codex-secondary-used-percent': '0',
        'x-codex-secondary-reset-after-seconds': '0',
      },
      oauth: true,
      means: { ...quota, ...until(471_285 * second) },
    },
    {
      name: '429 of a member whose credits are used up: 1 h',
      status: 429,
      body: limit({ plan_type: 'team' }),
      headers: { 'x-codex-active-limit': 'codex', 'x-codex-primary-used-percent': '41' },
      oauth: true,
      means: quota,
    },
    ...['codex_bengalfox', 'bengalfox'].map((active) => ({
      name: `429 of the additional limit ${active} is about its models, until its own window resets`,
      status: 429,
      body: limit({}),
      headers: {
        'x-codex-active-limit': active,
        'x-codex-bengalfox-primary-used-percent': '100',
        'x-codex-bengalfox-primary-reset-at': epoch(hour),
        'x-codex-primary-used-percent': '10',
        'x-codex-primary-reset-at': epoch(day),
      },
      oauth: true as const,
      means: { ...modelQuota, ...until(hour) },
    })),
    {
      name: '429 of an additional limit with a reset in its body',
      status: 429,
      body: limit({ resets_in_seconds: 60 }),
      headers: { 'x-codex-active-limit': 'codex_other' },
      oauth: true,
      means: { ...modelQuota, ...until(minute) },
    },
    { name: '503 slow_down', status: 503, body: coded('slow_down', 'Slow down.'), oauth: true, means: overloaded },
    {
      name: '404 without a body from Cloudflare blocks the path for our address',
      status: 404,
      body: '',
      headers: { server: 'cloudflare' },
      oauth: true,
      means: egressBlocked,
    },
    { name: '404 without a body from elsewhere', status: 404, body: '', oauth: true, means: requestFault },
    {
      name: '400 of a model that Codex does not offer with this account does nothing to the member',
      status: 400,
      body: { detail: "The 'gpt-x' model is not supported when using Codex with a ChatGPT account." },
      oauth: true,
      means: requestFault,
    },
  ])
})

describe('the beginning of a Codex stream', () => {
  events('codex', [
    ...['codex.response.metadata', 'codex.rate_limits'].map((type) => ({
      name: `${type} says nothing yet`,
      data: { type },
      means: 'lifecycle' as const,
    })),
    {
      name: 'usage_limit_reached in band',
      data: { type: 'response.failed', response: { error: { type: 'usage_limit_reached', resets_in_seconds: 5_000 } } },
      means: { kind: 'quota-exhausted', until: now + 5_000 * second },
    },
  ])
})
