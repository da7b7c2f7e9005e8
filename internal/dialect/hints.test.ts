import { describe } from 'vitest'
import {
  type Case,
  day,
  epoch,
  hour,
  iso,
  limit,
  minute,
  now,
  quota,
  second,
  table,
  until,
} from '../../test/support/signal-cases.ts'
import type { Outcome } from '../pool/pool.ts'

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
    limited(
      'an epoch in the reset of a window',
      { 'x-ratelimit-reset-requests': epoch(2 * minute) },
      until(2 * minute),
    ),
    limited('a date in the reset of a window', { 'x-ratelimit-reset-requests': iso(minute) }, until(minute)),
    limited('a small X-RateLimit-Reset is seconds', { 'x-ratelimit-reset': '240' }, until(4 * minute)),
    limited(
      'RateLimit-Reset of the IETF drafts',
      { 'ratelimit-reset': '50', 'ratelimit-remaining': '0' },
      until(50_000),
    ),
    limited(
      'RateLimit of the later IETF drafts: only what is used up',
      { ratelimit: '"minute";r=0;t=50, "day";r=120;t=3600', 'ratelimit-policy': '"minute";q=10;w=60' },
      until(50_000),
    ),
    limited('RateLimit of the earlier IETF drafts', { ratelimit: 'limit=100, remaining=0, reset=50' }, until(50_000)),
    limited('RateLimit without a reset', { ratelimit: 'limit=100' }, absent),
    ...['reset_at', 'resets_at'].map((name) => ({
      name: `${name} in the body`,
      status: 429,
      body: limit({ [name]: iso(hour) }),
      means: { ...quota, ...until(hour) },
    })),
    ...['reset_after_seconds', 'retry_after_seconds', 'retry_after'].map((name) => ({
      name: `${name} in the body`,
      status: 429,
      body: limit({ [name]: 90 }),
      means: { ...quota, ...until(90 * second) },
    })),
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
