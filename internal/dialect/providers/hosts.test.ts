import { describe } from 'vitest'
import {
  accountBilling,
  accountClosed,
  authExpired,
  authRejected,
  bareRateLimited,
  coded,
  egressBlocked,
  hour,
  overloaded,
  quota,
  rateLimited,
  requestFault,
  second,
  table,
  until,
} from '../../../test/support/signal-cases.ts'

describe('xAI, also without its name', () => {
  table('generic', [
    ...(
      [
        [
          429,
          'Some resource has been exhausted',
          'Your team 1 has either used all available credits or reached its monthly spending limit.',
        ],
        [403, 'personal-team-blocked:spending-limit', 'You have run out of credits or need a Grok subscription.'],
      ] as const
    ).map(([status, code, error]) => ({
      name: `${status} ${code} is a matter of billing`,
      status,
      body: { code, error },
      means: accountBilling,
    })),
    {
      name: '429 of a rate',
      status: 429,
      body: { code: 'Some resource has been exhausted', error: 'Too many requests for team 1 and model grok.' },
      means: bareRateLimited,
    },
    {
      name: '400 of a dead key is no request fault',
      status: 400,
      body: { code: 'invalid-argument', error: 'Incorrect API key provided: xa***bX.' },
      means: authRejected,
    },
    {
      name: '400 of a dead login may be mended by a refresh',
      status: 400,
      body: { code: 'invalid-argument', error: 'Incorrect API key provided: xa***bX.' },
      oauth: true,
      means: authExpired,
    },
    {
      name: '403 of a safety check does nothing to the member',
      status: 403,
      body: { code: 'permission-denied', error: 'Content violates usage guidelines.' },
      means: requestFault,
    },
  ])
})

describe('others without their names', () => {
  table('generic', [
    {
      name: 'DeepSeek: 402 Insufficient Balance',
      status: 402,
      body: coded('invalid_request_error', 'Insufficient Balance', 'unknown_error'),
      means: accountBilling,
    },
    {
      name: 'DeepSeek: 401 Authentication Fails',
      status: 401,
      body: coded('invalid_request_error', 'Authentication Fails, Your api key: ****ab is invalid'),
      means: authRejected,
    },
    {
      name: 'DeepSeek: 503 too busy',
      status: 503,
      body: coded('invalid_request_error', 'Service is too busy. We advise …', 'service_unavailable_error'),
      means: overloaded,
    },
    {
      name: 'Mistral: 429 with seconds to the reset',
      status: 429,
      body: { object: 'error', message: 'Rate limit exceeded', type: 'rate_limited', code: '1300' },
      headers: { 'ratelimitbysize-remaining': '0', 'ratelimitbysize-reset': '9' },
      means: { ...rateLimited, ...until(9 * second) },
    },
    {
      name: 'Mistral: 429 service_tier_capacity_exceeded is overload',
      status: 429,
      body: { type: 'service_tier_capacity_exceeded', code: '3505' },
      means: overloaded,
    },
    { name: 'Groq: 498 flex capacity', status: 498, body: coded('capacity_exceeded'), means: overloaded },
    {
      name: 'Groq: 413 request too large for the tokens of a minute does nothing to the member',
      status: 413,
      body: coded('rate_limit_exceeded', 'Request too large for model x on tokens per minute (TPM)', 'tokens'),
      means: requestFault,
    },
    {
      name: 'Groq: 400 organization_restricted waits for a person',
      status: 400,
      body: coded('organization_restricted'),
      means: accountClosed,
    },
    {
      name: 'Groq: 403 is about our address',
      status: 403,
      body: { error: { message: 'Access denied. Please check your network settings.' } },
      means: egressBlocked,
    },
    {
      name: 'Together: 402 credit_limit',
      status: 402,
      body: coded(null, 'No.', 'credit_limit'),
      means: accountBilling,
    },
    {
      name: 'Together: 403 of a context that is too long does nothing to the member',
      status: 403,
      body: coded(
        null,
        'Input token count + max_tokens must be less than the context length.',
        'invalid_request_error',
      ),
      means: requestFault,
    },
    {
      name: 'Fireworks: 412 of a suspended account is a matter of billing',
      status: 412,
      body: coded(
        'PRECONDITION_FAILED',
        'Account a is suspended, possibly due to reaching the monthly spending limit or …',
      ),
      means: accountBilling,
    },
    {
      name: 'Cerebras: 429 queue_exceeded is overload',
      status: 429,
      body: {
        message: "We're experiencing high traffic right now!",
        type: 'too_many_requests_error',
        code: 'queue_exceeded',
      },
      means: overloaded,
    },
    { name: 'Cerebras: 401 wrong_api_key', status: 401, body: { code: 'wrong_api_key' }, means: authRejected },
    {
      name: 'Cohere: 429 of a month is used up',
      status: 429,
      body: { message: 'You are using a Trial key, which is limited to 1000 API calls / month. You can …' },
      means: quota,
    },
    {
      name: 'Cohere: 429 of a minute is a rate',
      status: 429,
      body: { message: 'You are using a Trial key, which is limited to 20 API calls / minute.' },
      means: bareRateLimited,
    },
    { name: 'Cohere: 401 invalid api token', status: 401, body: { message: 'invalid api token' }, means: authRejected },
    {
      name: 'Nvidia NIM: 403 Authorization failed',
      status: 403,
      body: { status: 403, title: 'Forbidden', detail: 'Authorization failed' },
      means: authRejected,
    },
    {
      name: 'Perplexity: 401 insufficient_quota is a matter of billing',
      status: 401,
      body: { error: { message: 'You exceeded your current quota.', type: 'insufficient_quota', code: 401 } },
      means: accountBilling,
    },
    {
      name: 'GitHub Copilot: 429 user_weekly_rate_limited, until Retry-After',
      status: 429,
      body: coded('user_weekly_rate_limited'),
      headers: { 'retry-after': '208800' },
      means: { ...quota, ...until(58 * hour) },
    },
    { name: 'GitHub Copilot: 402 quota_exceeded', status: 402, body: coded('quota_exceeded'), means: quota },
    {
      name: 'GitHub Models: 429 RateLimitReached is about the model',
      status: 429,
      body: coded(
        'RateLimitReached',
        'Rate limit of 10 per 60s exceeded for UserByModelByMinute. Please wait 30 seconds.',
      ),
      headers: { 'x-ratelimit-timeremaining': '28' },
      means: { ...rateLimited, scope: 'model', ...until(28 * second) },
    },
    {
      name: 'an account that is suspended',
      status: 403,
      body: { message: 'Your account org_1 has been suspended.' },
      means: accountClosed,
    },
    {
      name: '403 without access to a model does nothing to the member',
      status: 403,
      body: coded('forbidden', 'You do not have access to this model.'),
      means: requestFault,
    },
    {
      name: '400 that quotes a request with such a sentence does nothing to the member',
      status: 400,
      body: coded(null, "messages[0]: 'Incorrect API key provided', insufficient balance, usage limit reached"),
      means: requestFault,
    },
  ])
})

describe('Amazon Bedrock', () => {
  table('bedrock', [
    {
      name: '403 Bearer Token has expired',
      status: 403,
      body: { Message: 'Bearer Token has expired' },
      headers: { 'x-amzn-errortype': 'AccessDeniedException' },
      means: authRejected,
    },
    {
      name: '403 UnrecognizedClientException with its address behind it',
      status: 403,
      body: { message: 'The security token included in the request is invalid.' },
      headers: { 'x-amzn-errortype': 'UnrecognizedClientException:http://internal.amazon.com/' },
      means: authRejected,
    },
    {
      name: '429 of the tokens of a day is used up',
      status: 429,
      body: { message: 'Too many tokens per day, please wait before trying again.' },
      headers: { 'x-amzn-errortype': 'ThrottlingException' },
      means: quota,
    },
    {
      name: '429 ThrottlingException, named in the body',
      status: 429,
      body: { __type: 'com.amazon.coral.service#ThrottlingException', message: 'Too many requests.' },
      means: rateLimited,
    },
    {
      name: '403 without access to the model does nothing to the member',
      status: 403,
      body: { message: "You don't have access to the model with the specified model ID." },
      headers: { 'x-amzn-errortype': 'AccessDeniedException' },
      means: requestFault,
    },
    {
      name: '400 ValidationException does nothing to the member',
      status: 400,
      body: { message: 'The provided model identifier is invalid.' },
      headers: { 'x-amzn-errortype': 'ValidationException' },
      means: requestFault,
    },
  ])
})
