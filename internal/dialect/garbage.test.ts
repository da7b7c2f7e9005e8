import fc from 'fast-check'
import { expect, test } from 'vitest'
import { outcomeKinds } from '../pool/pool.ts'
import { classifyTokenError, dialectOf, findClientKey, providers, stripKeyFromQuery } from './dialect.ts'

const now = Date.parse('2026-05-01T12:00:00Z')
const week = 7 * 86_400_000

/** JSON that looks like an error, with anything where a field should be. */
const nearly = fc.record(
  {
    type: fc.constantFrom('error', 'response.failed', 'rate_limit_error', null, 7),
    error: fc.oneof(
      fc.record(
        {
          code: fc.oneof(fc.constantFrom('usage_limit_reached', 'rate_limit_exceeded', 429, 402), fc.anything()),
          type: fc.anything(),
          message: fc.oneof(fc.string(), fc.anything()),
          resets_at: fc.oneof(fc.double(), fc.string(), fc.anything()),
          resets_in_seconds: fc.oneof(fc.double(), fc.anything()),
          details: fc.oneof(fc.array(fc.anything()), fc.anything()),
          metadata: fc.anything(),
        },
        { requiredKeys: [] },
      ),
      fc.anything(),
    ),
    headers: fc.anything(),
    status: fc.anything(),
    detail: fc.anything(),
  },
  { requiredKeys: [] },
)
const body = fc.oneof(
  fc.string(),
  fc.json(),
  nearly.map((value) => JSON.stringify(value) ?? ''),
  fc.constant('[null,[],3]'),
)
const headerName = fc.constantFrom(
  'retry-after',
  'retry-after-ms',
  'x-ratelimit-reset',
  'x-ratelimit-reset-tokens',
  'x-ratelimit-remaining-tokens',
  'x-codex-primary-used-percent',
  'x-codex-primary-reset-at',
  'anthropic-ratelimit-tokens-reset',
  'anthropic-ratelimit-unified-5h-status',
  'anthropic-ratelimit-unified-5h-reset',
  'cf-mitigated',
)
const headerValue = fc.oneof(fc.string(), fc.double().map(String), fc.constantFrom('0', 'rejected', '9e99', '-1'))
const status = fc.constantFrom(200, 204, 302, 400, 401, 402, 403, 404, 429, 500, 503, 529, 599)

test('no answer, however broken, makes a dialect throw, and every hint lies within 7 days', () => {
  const response = fc.record({
    status,
    body: fc.option(body),
    headers: fc.dictionary(headerName, headerValue),
    oauth: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.constantFrom(...providers), response, (provider, { headers, ...facts }) => {
      const dialect = dialectOf(provider)
      const header = (name: string) => headers[name]
      const outcome = dialect.classify({ ...facts, header, headerNames: () => Object.keys(headers) }, now)
      expect(outcomeKinds).toContain(outcome.kind)
      if (outcome.until !== null) {
        expect(outcome.until).toBeGreaterThan(now)
        expect(outcome.until).toBeLessThanOrEqual(now + week)
      }
    }),
    { numRuns: 2_000 },
  )
})

test('no event, however broken, makes a dialect throw', () => {
  const event = fc.record({ event: fc.option(fc.constantFrom('error', 'ping', 'x')), data: body })
  fc.assert(
    fc.property(fc.constantFrom(...providers), event, (provider, event) => {
      const meaning = dialectOf(provider).classifyEvent(event, now)
      expect(['lifecycle', 'content', ...outcomeKinds]).toContain(typeof meaning === 'string' ? meaning : meaning.kind)
    }),
    { numRuns: 2_000 },
  )
})

test('no answer of a token endpoint makes the classification throw', () => {
  fc.assert(
    fc.property(fc.option(status), fc.option(body), (code, text) => {
      expect(['rejected', 'raced', 'transient']).toContain(classifyTokenError('codex', code, text))
    }),
  )
})

test('a query that has been stripped holds no key', () => {
  const spelling = fc.constantFrom('key', 'KEY', 'Key', '%6bey', 'k%65y', '%4bEY', '%6B%65%79')
  const part = fc.oneof(
    fc.string(),
    spelling.map((name) => `${name}=spw_secret`),
  )
  fc.assert(
    fc.property(fc.array(part), (parts) => {
      const stripped = stripKeyFromQuery(parts.join('&'))
      const places = { query: stripped, protocols: null }
      expect(stripped).not.toContain('spw_secret')
      expect(findClientKey(dialectOf('gemini'), () => undefined, places)).toBeNull()
    }),
  )
})
