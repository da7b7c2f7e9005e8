import { describe } from 'vitest'
import {
  accountBilling,
  accountClosed,
  authExpired,
  authRejected,
  bareAuthRejected,
  bareRateLimited,
  billing,
  egressBlocked,
  events,
  hour,
  iso,
  minute,
  modelQuota,
  overloaded,
  quota,
  rateLimited,
  requestFault,
  second,
  table,
  until,
  upstreamError,
} from '../../../test/support/signal-cases.ts'
import type { Outcome } from '../../pool/pool.ts'

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
      body: google(429, 'RESOURCE_EXHAUSTED', [perDay, retry('72000s')]),
      means: { ...modelQuota, ...until(20 * hour) },
    },
    {
      name: '429 per day: to midnight in California (7:00 UTC), whatever a short delay of another window says',
      status: 429,
      body: google(429, 'RESOURCE_EXHAUSTED', [perDay, retry('44s')]),
      means: { ...modelQuota, ...until(19 * hour) },
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

describe('a Gemini stream', () => {
  const error = { error: { code: 429, status: 'RESOURCE_EXHAUSTED', message: 'No.' } }
  const limited: Partial<Outcome> = { kind: 'rate-limited', scope: 'model', status: 429 }
  events('gemini', [
    { name: 'a text is content', data: { candidates: [{ content: { parts: [{ text: 'Hi' }] } }] }, means: 'content' },
    { name: 'data: {"error": …}', data: error, means: limited },
    { name: 'an array element with an error', data: [error], means: limited },
    { name: 'the beginning of an array', data: `[${JSON.stringify(error)}\n`, means: limited },
    { name: 'a later element of an array', data: `,\r\n${JSON.stringify(error)}]`, means: limited },
    { name: 'half an element is content', data: '[{"error": {"code"', means: 'content' },
    {
      name: '500 in band',
      data: { error: { code: 500, status: 'INTERNAL' } },
      means: { kind: 'upstream-error', status: 500 },
    },
  ])
})

describe('Google in 2026', () => {
  table('gemini', [
    ...['SERVICE_DISABLED', 'VALIDATION_REQUIRED', 'CONSUMER_INVALID', 'API_KEY_SERVICE_BLOCKED'].map((word) => ({
      name: `403 ${word} waits for a person`,
      status: 403,
      body: { error: { code: 403, status: 'PERMISSION_DENIED', message: 'No.', details: [{ reason: word }] } },
      means: accountClosed,
    })),
    ...['API_KEY_IP_ADDRESS_BLOCKED', 'API_KEY_HTTP_REFERRER_BLOCKED'].map((word) => ({
      name: `403 ${word}: the key is not for where it is used from, which may pass`,
      status: 403,
      body: { error: { code: 403, status: 'PERMISSION_DENIED', message: 'No.', details: [{ reason: word }] } },
      means: bareAuthRejected,
    })),
    {
      name: '403 of a key that was leaked',
      status: 403,
      body: { error: { code: 403, status: 'PERMISSION_DENIED', message: 'Your API key was reported as leaked.' } },
      means: authRejected,
    },
    ...(
      [
        [403, 'BILLING_DISABLED'],
        [429, 'INSUFFICIENT_G1_CREDITS_BALANCE'],
      ] as const
    ).map(([status, word]) => ({
      name: `${status} ${word} is a matter of billing`,
      status,
      body: { error: { code: status, status: 'X', message: 'No.', details: [{ reason: word }] } },
      means: accountBilling,
    })),
    {
      name: '429 of used-up prepayment is a matter of billing for all models',
      status: 429,
      body: {
        error: { code: 429, status: 'RESOURCE_EXHAUSTED', message: 'Your prepayment credits are depleted. Go to …' },
      },
      means: accountBilling,
    },
    {
      name: '429 QUOTA_EXHAUSTED of a Gemini login, until quotaResetDelay',
      status: 429,
      body: {
        error: {
          code: 429,
          status: 'RESOURCE_EXHAUSTED',
          message: 'You have exhausted your capacity on this model.',
          details: [
            { reason: 'QUOTA_EXHAUSTED', metadata: { quotaResetDelay: '3h', quotaResetTimeStamp: iso(2 * hour) } },
          ],
        },
      },
      means: { ...modelQuota, ...until(3 * hour) },
    },
    {
      name: '429 of a used-up model that tells its reset in the sentence only',
      status: 429,
      body: {
        error: {
          code: 429,
          status: 'RESOURCE_EXHAUSTED',
          message: 'You have exhausted your capacity on this model. Your quota will reset after 1h43m56s.',
        },
      },
      means: { ...modelQuota, ...until(hour + 43 * minute + 56 * second) },
    },
    {
      name: '429 RATE_LIMIT_EXCEEDED of a Gemini login',
      status: 429,
      body: {
        error: {
          code: 429,
          status: 'RESOURCE_EXHAUSTED',
          message: 'No.',
          details: [{ reason: 'RATE_LIMIT_EXCEEDED' }],
        },
      },
      means: { ...rateLimited, scope: 'model' },
    },
    {
      name: '429 RESOURCE_EXHAUSTED with the delay in the sentence only',
      status: 429,
      body: { error: { code: 429, status: 'RESOURCE_EXHAUSTED', message: 'Quota exceeded. Please retry in 25.5s.' } },
      means: { ...rateLimited, scope: 'model', ...until(25_500) },
    },
    ...[
      { message: 'No capacity available for model gemini-2.5-pro on the server', details: [] },
      { message: 'No.', details: [{ reason: 'MODEL_CAPACITY_EXHAUSTED' }] },
      { message: 'The model is overloaded. Please try again later.', details: [] },
    ].map((error) => ({
      name: `503 of a busy service: ${JSON.stringify(error)}`,
      status: 503,
      body: { error: { code: 503, status: 'UNAVAILABLE', ...error } },
      means: overloaded,
    })),
  ])
})
