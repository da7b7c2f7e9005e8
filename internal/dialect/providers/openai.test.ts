import { describe } from 'vitest'
import {
  accountClosed,
  atCapacity,
  authExpired,
  authRejected,
  bareRateLimited,
  billing,
  coded,
  egressBlocked,
  events,
  hour,
  limit,
  minute,
  now,
  overloaded,
  quota,
  rateLimited,
  requestFault,
  second,
  table,
  until,
  upstreamError,
} from '../../../test/support/signal-cases.ts'

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
      name: '429 rate_limit_exceeded that names no model cools the domain for the default time',
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

describe('an OpenAI stream', () => {
  events('openai', [
    ...['response.created', 'response.in_progress', 'response.queued'].map((type) => ({
      name: `${type} says nothing yet`,
      event: type,
      data: { type, response: { error: null } },
      means: 'lifecycle' as const,
    })),
    { name: 'an event name alone is believed', event: 'response.created', data: '{}', means: 'lifecycle' },
    {
      name: 'response.output_text.delta is content',
      event: 'response.output_text.delta',
      data: { type: 'response.output_text.delta', delta: 'insufficient_quota' },
      means: 'content',
    },
    {
      name: 'response.incomplete is content',
      data: { type: 'response.incomplete', response: { incomplete_details: { reason: 'max_output_tokens' } } },
      means: 'content',
    },
    {
      name: 'response.failed rate_limit_exceeded',
      data: { type: 'response.failed', response: { error: { code: 'rate_limit_exceeded', message: 'Slow.' } } },
      means: { kind: 'rate-limited', scope: 'domain', evidence: 'strong', status: null, until: null },
    },
    {
      name: 'response.failed "Request too large" does nothing to the member',
      data: {
        type: 'response.failed',
        response: { error: { code: 'rate_limit_exceeded', message: 'Request too large' } },
      },
      means: { kind: 'request-fault' },
    },
    {
      name: 'response.failed insufficient_quota',
      data: { type: 'response.failed', response: { error: { code: 'insufficient_quota' } } },
      means: { kind: 'quota-exhausted', reason: 'billing', forMs: hour },
    },
    {
      name: 'response.failed server_is_overloaded',
      data: { type: 'response.failed', response: { error: { code: 'server_is_overloaded' } } },
      means: { kind: 'overloaded' },
    },
    {
      name: 'response.failed context_length_exceeded does nothing to the member',
      data: { type: 'response.failed', response: { error: { code: 'context_length_exceeded' } } },
      means: { kind: 'request-fault' },
    },
    {
      name: 'response.failed with an unknown code does nothing to the member',
      data: { type: 'response.failed', response: { error: { code: 'invalid_prompt' } } },
      means: { kind: 'request-fault' },
    },
    { name: 'response.failed without an error', data: { type: 'response.failed' }, means: { kind: 'request-fault' } },
    {
      name: 'error with the code beside it',
      event: 'error',
      data: { type: 'error', code: 'slow_down', message: 'Slow.', param: null },
      means: { kind: 'rate-limited', reason: 'slow-down', forMs: 5_000 },
    },
    {
      name: 'error with the code inside',
      data: { type: 'error', error: { type: 'server_error', message: 'Oops.' } },
      means: { kind: 'upstream-error' },
    },
    { name: 'error that is not JSON', event: 'error', data: 'overloaded', means: { kind: 'request-fault' } },
    {
      name: 'the first chunk of a chat completion says nothing yet when it has only a role',
      data: { object: 'chat.completion.chunk', choices: [{ delta: { role: 'assistant', content: '' } }], error: null },
      means: 'lifecycle',
    },
    {
      name: 'data: {"error": …} of a chat completion',
      data: { error: { message: 'Rate limit reached', type: 'tokens', code: 'rate_limit_exceeded' } },
      means: { kind: 'rate-limited', scope: 'domain' },
    },
    {
      name: 'data: {"error": …} that names only the kind of limit is weak evidence',
      data: { error: { message: 'Rate limit reached', type: 'rate_limit_error' } },
      means: { kind: 'rate-limited', scope: 'member', evidence: 'weak' },
    },
    { name: '[DONE] is content', data: '[DONE]', means: 'content' },
    { name: 'no data is content', data: '', means: 'content' },
  ])
})

describe('OpenAI API in 2026', () => {
  table('openai', [
    {
      name: '429 of flex processing without capacity cools nobody',
      status: 429,
      body: coded('resource_unavailable', 'Resource unavailable: no flex capacity now.', 'resource_unavailable'),
      means: overloaded,
    },
    {
      name: '403 of an organisation that is not verified for the model does nothing to the member',
      status: 403,
      body: coded('model_not_found', 'Your organization must be verified to use the model `gpt-x`.'),
      means: requestFault,
    },
    {
      name: '429 per image is a limit of the organisation, until its reset',
      status: 429,
      body: coded('rate_limit_exceeded', 'Rate limit reached for gpt-image on input-images per min: Limit 5.'),
      headers: { 'x-ratelimit-remaining-input-images': '0', 'x-ratelimit-reset-input-images': '12s' },
      means: { ...rateLimited, scope: 'domain', ...until(12 * second) },
    },
    {
      name: '429 per token is a limit of the model for the organisation, until the sentence says',
      status: 429,
      body: coded(
        'rate_limit_exceeded',
        'Rate limit reached for gpt-5 in organization org-x on tokens per min (TPM). Please try again in 1.5s.',
      ),
      means: { ...rateLimited, scope: 'domain-model', ...until(1_500) },
    },
    {
      name: '503 slow_down is overload',
      status: 503,
      body: coded('slow_down', 'Slow down.'),
      means: overloaded,
    },
    { name: 'a 403 that Cloudflare answers as text', status: 403, body: 'error code: 1020\n', means: egressBlocked },
    {
      name: 'Cloudflare limits our address, with a Retry-After of its own',
      status: 429,
      body: 'error code: 1015',
      headers: { 'retry-after': '30', server: 'cloudflare' },
      means: egressBlocked,
    },
    {
      name: 'Cloudflare limits our address, as a page',
      status: 429,
      body: '<!DOCTYPE html><title>Access denied</title><h1>Error 1015</h1>',
      headers: { 'retry-after': '30' },
      means: egressBlocked,
    },
  ])
})

describe('an OpenAI stream that is limited', () => {
  events('openai', [
    {
      name: 'response.failed rate_limit_exceeded lasts as long as its sentence says',
      data: {
        type: 'response.failed',
        response: { error: { code: 'rate_limit_exceeded', message: 'Limit 30000. Please try again in 11.054s.' } },
      },
      means: { kind: 'rate-limited', scope: 'domain', until: now + 11_054 },
    },
    {
      name: 'error rate_limit_exceeded of a day',
      data: { type: 'error', code: 'rate_limit_exceeded', message: 'Please try again in 2h15m30s.' },
      means: { kind: 'rate-limited', until: now + 2 * hour + 15.5 * minute },
    },
    ...['requests', 'api_error'].map((type) => ({
      name: `an error of the type ${type}, which repeats a status`,
      data: { error: { type, message: 'No.' } },
      means: { kind: type === 'requests' ? ('rate-limited' as const) : ('upstream-error' as const) },
    })),
    {
      name: 'an item that has been opened is not an answer yet',
      data: { type: 'response.output_item.added', item: { type: 'reasoning', summary: [], encrypted_content: 'gAA' } },
      means: 'lifecycle',
    },
    {
      name: 'an item with something in it is content',
      data: { type: 'response.output_item.added', item: { type: 'message', content: [{ text: 'Hi' }] } },
      means: 'content',
    },
    {
      name: 'an item that is none is content',
      data: { type: 'response.output_item.added' },
      means: 'content',
    },
    {
      name: 'a part that is empty is not an answer yet',
      data: { type: 'response.content_part.added', part: { type: 'output_text', text: '' } },
      means: 'lifecycle',
    },
    {
      name: 'a part with text is content',
      data: { type: 'response.content_part.added', part: { type: 'output_text', text: 'Hi' } },
      means: 'content',
    },
    { name: 'a part that is none is content', data: { type: 'response.content_part.added' }, means: 'content' },
  ])
})
