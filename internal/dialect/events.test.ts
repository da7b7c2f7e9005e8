import { describe, expect, test } from 'vitest'
import type { Outcome } from '../pool/pool.ts'
import { dialectOf, type Provider } from './dialect.ts'

const now = Date.parse('2026-05-01T12:00:00Z')
const hour = 3_600_000

/** `event` is the SSE event name; `data` is text as it came, or a value that is sent as JSON. */
interface Case {
  readonly name: string
  readonly event?: string
  readonly data: unknown
  readonly means: 'lifecycle' | 'content' | Partial<Outcome>
}

function table(provider: Provider, cases: readonly Case[]): void {
  test.each(cases)('$name', ({ event = null, data, means }) => {
    const text = typeof data === 'string' ? data : JSON.stringify(data)
    const meaning = dialectOf(provider).classifyEvent({ event, data: text }, now)
    if (typeof means === 'string') expect(meaning).toBe(means)
    else expect(meaning).toMatchObject(means)
  })
}

describe('an OpenAI stream', () => {
  table('openai', [
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
      name: 'the first chunk of a chat completion is content, also when it has only a role',
      data: { object: 'chat.completion.chunk', choices: [{ delta: { role: 'assistant', content: '' } }], error: null },
      means: 'content',
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

describe('a Codex stream or WebSocket', () => {
  table('codex', [
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

describe('an Anthropic stream', () => {
  const error = (type: string) => ({ event: 'error', data: { type: 'error', error: { type, message: 'No.' } } })
  table('anthropic', [
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

describe('a Gemini stream', () => {
  const error = { error: { code: 429, status: 'RESOURCE_EXHAUSTED', message: 'No.' } }
  const limited: Partial<Outcome> = { kind: 'rate-limited', scope: 'model', status: 429 }
  table('gemini', [
    { name: 'a candidate is content', data: { candidates: [{}] }, means: 'content' },
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

describe('an OpenRouter stream', () => {
  table('openrouter', [
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
