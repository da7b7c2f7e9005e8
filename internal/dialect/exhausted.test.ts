import { describe, expect, test } from 'vitest'
import { type ClientKind, dialectOf, type Exhaustion, type Provider, providers } from './dialect.ts'

const now = Date.parse('2026-05-01T12:00:00Z')
const minute = 60_000
const day = 86_400_000

const cooling: Exhaustion = { pool: 'openai', members: 3, retryAt: now + 125 * minute, first: 'work' }
const sentence = 'openai quota exceeded: all 3 members are cooling. It will reset at 14:05 UTC (work first).'
const openaiShaped = ['openai', 'codex', 'openrouter', 'azure', 'generic'] as const

function answerOf(provider: Provider, exhaustion: Exhaustion, client: ClientKind = 'heeds-429') {
  const { status, headers, body } = dialectOf(provider).exhausted(exhaustion, now, client)
  return { status, headers, body: JSON.parse(body) }
}

const messageOf = (exhaustion: Exhaustion) => answerOf('openai', exhaustion).body.error.message

describe('an exhausted pool', () => {
  test.each(openaiShaped)('%s answers usage_limit_reached', (provider) => {
    expect(answerOf(provider, cooling)).toEqual({
      status: 429,
      headers: { 'content-type': 'application/json', 'x-should-retry': 'false', 'retry-after': '7500' },
      body: {
        error: {
          type: 'usage_limit_reached',
          code: 'insufficient_quota',
          message: sentence,
          resets_at: (now + 125 * minute) / 1_000,
          resets_in_seconds: 7_500,
          param: null,
        },
      },
    })
  })

  test('anthropic answers rate_limit_error', () => {
    expect(answerOf('anthropic', cooling)).toEqual({
      status: 429,
      headers: { 'content-type': 'application/json', 'x-should-retry': 'false', 'retry-after': '7500' },
      body: { type: 'error', error: { type: 'rate_limit_error', message: sentence } },
    })
  })

  test('anthropic never says less than 61 s', () => {
    expect(answerOf('anthropic', { ...cooling, retryAt: now + 1_000 }).headers).toMatchObject({ 'retry-after': '61' })
  })

  test('gemini answers RESOURCE_EXHAUSTED with RetryInfo', () => {
    const details = [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '7500s' }]
    expect(answerOf('gemini', cooling)).toEqual({
      status: 429,
      headers: { 'content-type': 'application/json', 'x-should-retry': 'false', 'retry-after': '7500' },
      body: { error: { code: 429, status: 'RESOURCE_EXHAUSTED', message: sentence, details } },
    })
  })

  test('waits are rounded up, at least 1 s', () => {
    const soon = (ms: number) => answerOf('openai', { ...cooling, retryAt: now + ms })
    expect(soon(1).headers).toMatchObject({ 'retry-after': '1' })
    expect(soon(-5_000).headers).toMatchObject({ 'retry-after': '1' })
    expect(soon(1_001).headers).toMatchObject({ 'retry-after': '2' })
    expect(soon(1_001).body.error).toMatchObject({ resets_at: now / 1_000 + 2, resets_in_seconds: 2 })
  })

  test('the instant is rounded up, with a date when it is another day', () => {
    const at = (ms: number) => messageOf({ ...cooling, retryAt: now + ms })
    expect(at(29_001)).toContain('It will reset at 12:01 UTC (work first).')
    expect(at(day - minute)).toContain('It will reset at 2026-05-02 11:59 UTC (work first).')
    expect(at(3 * day)).toContain('It will reset at 2026-05-04 12:00 UTC (work first).')
    expect(at(-1)).toContain('It will reset at 12:00 UTC (work first).')
  })

  test('one member is spoken of as one, and who recovers first only where it is known', () => {
    const message = messageOf({ ...cooling, members: 1, first: null })
    expect(message).toBe('openai quota exceeded: its only member is cooling. It will reset at 14:05 UTC.')
    expect(messageOf({ ...cooling, members: 1 })).toBe(
      'openai quota exceeded: its only member is cooling. It will reset at 14:05 UTC (work).',
    )
  })
})

describe('a pool that only a person can help', () => {
  const stuck: Exhaustion = { pool: 'openai', members: 3, retryAt: null, first: null }

  test.each(providers)('%s says so and names the command, for one hour', (provider) => {
    const { status, headers, body } = answerOf(provider, stuck)
    expect(status).toBe(429)
    expect(headers).toMatchObject({ 'retry-after': '3600', 'x-should-retry': 'false' })
    expect(body.error.message).toBe(
      'openai quota exceeded: all 3 members need a person, nothing will reset before. See spillway status, then run: spillway cred login NAME',
    )
    if ('resets_at' in body.error)
      expect(body.error).toMatchObject({ resets_at: now / 1_000 + 3_600, resets_in_seconds: 3_600 })
  })

  test('the command is what helps the member that waits', () => {
    expect(messageOf({ ...stuck, remedy: 'spillway cred enable work' })).toMatch(/then run: spillway cred enable work$/)
  })

  test('the command names the member when it is known', () => {
    expect(messageOf({ pool: 'p', members: 1, retryAt: null, first: 'work' })).toBe(
      'p quota exceeded: its only member needs a person, nothing will reset before. See spillway status, then run: spillway cred login work',
    )
  })
})

describe('to clients that heed 402, an exhausted pool', () => {
  const headers = { 'content-type': 'application/json', 'x-should-retry': 'false' }

  test.each(openaiShaped)('%s answers insufficient_quota', (provider) => {
    const error = { type: 'insufficient_quota', code: 'insufficient_quota', message: sentence, param: null }
    expect(answerOf(provider, cooling, 'heeds-402')).toEqual({ status: 402, headers, body: { error } })
  })

  test('anthropic answers billing_error', () => {
    const error = { type: 'billing_error', message: sentence }
    expect(answerOf('anthropic', cooling, 'heeds-402')).toEqual({
      status: 402,
      headers,
      body: { type: 'error', error },
    })
  })

  test('gemini answers FAILED_PRECONDITION', () => {
    const error = { code: 402, status: 'FAILED_PRECONDITION', message: sentence }
    expect(answerOf('gemini', cooling, 'heeds-402')).toEqual({ status: 402, headers, body: { error } })
  })

  test.each(providers)('%s says that a person must act', (provider) => {
    const { status, body } = answerOf(
      provider,
      { ...cooling, retryAt: null, remedy: 'spillway cred enable work' },
      'heeds-402',
    )
    expect(status).toBe(402)
    expect(body.error.message).toBe(
      'openai quota exceeded: all 3 members need a person, nothing will reset before. See spillway status, then run: spillway cred enable work',
    )
  })

  /** opencode, measured: each of these anywhere in the body, and it asks again. */
  const retried = /429|500|502|503|504|524/
  const names: readonly [string, Partial<Exhaustion>, string][] = [
    ['a pool', { pool: 'team-504' }, 'pool quota exceeded: all its members are cooling. It will reset at 14:05 UTC.'],
    ['a member', { first: 'key-429' }, 'pool quota exceeded: all its members are cooling. It will reset at 14:05 UTC.'],
    ['the count', { members: 1_500 }, 'pool quota exceeded: all its members are cooling. It will reset at 14:05 UTC.'],
    [
      'a command',
      { retryAt: null, remedy: 'spillway cred login key-502' },
      'pool quota exceeded: all its members need a person, nothing will reset before. See spillway status.',
    ],
  ]
  test.each(names)('leaves names and counts out when %s would make opencode ask again', (_what, change, message) => {
    for (const provider of providers) {
      const { body } = dialectOf(provider).exhausted({ ...cooling, ...change }, now, 'heeds-402')
      expect(body).not.toMatch(retried)
      expect(JSON.parse(body).error.message).toBe(message)
    }
  })

  test('names nothing that would make opencode ask again, whenever it is over', () => {
    const answers = Array.from({ length: 1_440 }, (_, at) =>
      answerOf('openai', { ...cooling, retryAt: now + at * 7 * 61 * minute }, 'heeds-402'),
    )
    expect(answers.filter(({ body }) => retried.test(JSON.stringify(body)))).toEqual([])
    expect(answers.filter(({ headers }) => 'retry-after' in headers)).toEqual([])
  })
})
