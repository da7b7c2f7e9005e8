import { describe } from 'vitest'
import {
  accountBilling,
  authRejected,
  bareRateLimited,
  coded,
  events,
  hour,
  modelQuota,
  overloaded,
  plan,
  quota,
  rateLimited,
  requestFault,
  second,
  success,
  table,
  until,
} from '../../../test/support/signal-cases.ts'

describe('Kimi and Moonshot, also without their names', () => {
  table('generic', [
    ...[
      "You've reached your usage limit for this billing cycle. Your quota will be refreshed in the next cycle.",
      "You've reached your weekly (7-day) usage limit. Your quota will reset when the current window ends.",
    ].map((message) => ({
      name: `403 "${message.slice(0, 40)}…" is a used-up plan`,
      status: 403,
      body: coded(null, message, 'access_terminated_error'),
      means: quota,
    })),
    {
      name: '403 of a client that is not allowed has the same type and does nothing to the member',
      status: 403,
      body: coded(null, 'Kimi For Coding is currently only available for Coding Agents.', 'access_terminated_error'),
      means: requestFault,
    },
    {
      name: '402 of a membership that cannot be verified',
      status: 402,
      body: coded(null, 'We are unable to verify your membership benefits.', 'payment_required_error'),
      means: accountBilling,
    },
    {
      name: '429 engine_overloaded_error cools nobody',
      status: 429,
      body: coded(null, 'The engine is currently overloaded, please try again later', 'engine_overloaded_error'),
      means: overloaded,
    },
    {
      name: '429 exceeded_current_quota_error is a matter of billing',
      status: 429,
      body: coded(null, 'Your account is suspended due to insufficient balance', 'exceeded_current_quota_error'),
      means: accountBilling,
    },
    {
      name: '429 rate_limit_reached_error, until the sentence says',
      status: 429,
      body: coded(
        null,
        'reached organization max RPM: 3, please try again after 1 seconds',
        'rate_limit_reached_error',
      ),
      means: { ...rateLimited, ...until(second) },
    },
  ])
})

describe('MiniMax, also without its name', () => {
  table('generic', [
    {
      name: '200 with base_resp 1002 instead of an answer',
      status: 200,
      body: { choices: null, base_resp: { status_code: 1002, status_msg: 'rate limit exceeded' } },
      means: { ...rateLimited, status: null },
    },
    {
      name: '200 with base_resp 0 is an answer',
      status: 200,
      body: { choices: [{}], base_resp: { status_code: 0, status_msg: '' } },
      means: success,
    },
    ...(
      [
        ['1008', accountBilling],
        ['2049', authRejected],
        ['1026', requestFault],
      ] as const
    ).map(([status_code, means]) => ({
      name: `200 with base_resp ${status_code}`,
      status: 200,
      body: { base_resp: { status_code, status_msg: 'No.' } },
      means: { ...means, status: null },
    })),
  ])
})

describe('a stream of MiniMax', () => {
  events('minimax', [
    {
      name: 'base_resp 2056 in a chunk',
      data: { choices: null, base_resp: { status_code: 2056, status_msg: 'usage limit exceeded' } },
      means: { kind: 'quota-exhausted', forMs: hour },
    },
    {
      name: 'base_resp 2061: the plan lacks the model',
      data: { base_resp: { status_code: 2061, status_msg: 'No.' } },
      means: { kind: 'quota-exhausted', reason: 'plan', scope: 'model' },
    },
    { name: 'base_resp 0 is content', data: { choices: [{}], base_resp: { status_code: 0 } }, means: 'content' },
  ])
})

describe("a stream of MiniMax in Anthropic's shape", () => {
  events(
    'minimax',
    [
      {
        name: 'base_resp 1008 in an event',
        data: { base_resp: { status_code: 1008, status_msg: 'insufficient balance' } },
        means: { kind: 'quota-exhausted', reason: 'billing' },
      },
    ],
    'anthropic',
  )
})

describe('DashScope, also without its name', () => {
  table('generic', [
    ...[
      'Allocated quota exceeded, please increase your quota limit.',
      'You exceeded your current quota. For details, see: https://help.aliyun.com/zh/model-studio/error-code#token-limit',
    ].map((message) => ({
      name: `429 insufficient_quota "${message.slice(0, 30)}…" is the tokens of a minute`,
      status: 429,
      body: coded('insufficient_quota', message, 'insufficient_quota'),
      means: rateLimited,
    })),
    {
      name: '403 AllocationQuota.FreeTierOnly is about the model',
      status: 403,
      body: coded('AllocationQuota.FreeTierOnly', 'The free tier of the model has been exhausted.'),
      means: modelQuota,
    },
    { name: '429 limit_requests', status: 429, body: coded('limit_requests'), means: rateLimited },
    { name: '429 Throttling.RateQuota', status: 429, body: { code: 'Throttling.RateQuota' }, means: rateLimited },
    {
      name: '400 Arrearage',
      status: 400,
      body: { code: 'Arrearage', message: 'Access denied.' },
      means: accountBilling,
    },
    { name: '400 data_inspection_failed', status: 400, body: coded('data_inspection_failed'), means: requestFault },
    { name: '401 InvalidApiKey', status: 401, body: { code: 'InvalidApiKey' }, means: authRejected },
  ])
})

describe('DashScope by name', () => {
  table('dashscope', [
    {
      name: '429 insufficient_quota is the tokens of a minute, whatever it says',
      status: 429,
      body: coded('insufficient_quota'),
      means: rateLimited,
    },
  ])
})

describe('Volcengine Ark, also without its name', () => {
  table('generic', [
    {
      name: '429 AccountQuotaExceeded, until the sentence says',
      status: 429,
      body: coded(
        'AccountQuotaExceeded',
        'It will reset at 2026-05-01 22:30:00 +0800 CST. We recommend …',
        'TooManyRequests',
      ),
      means: { ...quota, ...until(2.5 * hour) },
    },
    { name: '429 ServerOverloaded', status: 429, body: coded('ServerOverloaded'), means: overloaded },
    { name: '400 InvalidSubscription is the plan', status: 400, body: coded('InvalidSubscription'), means: plan },
    { name: '403 AccountOverdueError', status: 403, body: coded('AccountOverdueError'), means: accountBilling },
    {
      name: '429 RateLimitExceeded.EndpointRPMExceeded',
      status: 429,
      body: coded('RateLimitExceeded.EndpointRPMExceeded'),
      means: rateLimited,
    },
    { name: '401 AuthenticationError', status: 401, body: coded('AuthenticationError'), means: authRejected },
    {
      name: '400 InputTextSensitiveContentDetected',
      status: 400,
      body: coded('InputTextSensitiveContentDetected'),
      means: requestFault,
    },
  ])
})

describe('Volcengine Ark by name', () => {
  table('ark', [
    {
      name: '429 SetLimitExceeded is about the model',
      status: 429,
      body: coded('SetLimitExceeded'),
      means: modelQuota,
    },
  ])
})

describe('SiliconFlow, also without its name', () => {
  table('generic', [
    ...[402, 403].map((status) => ({
      name: `${status} 30001 is a matter of billing`,
      status,
      body: { code: 30001, message: 'Sorry, your account balance is insufficient', data: null },
      means: accountBilling,
    })),
    {
      name: '503 50505 is overload',
      status: 503,
      body: { code: 50505, message: 'Model service overloaded. Please try again later.' },
      means: overloaded,
    },
    {
      name: '429 with a sentence only',
      status: 429,
      body: { message: 'Request was rejected due to rate limiting. Details:TPM limit reached.' },
      means: bareRateLimited,
    },
  ])
})
