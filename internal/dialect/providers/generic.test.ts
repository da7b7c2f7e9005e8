import { describe } from 'vitest'
import {
  accountBilling,
  authRejected,
  bareRateLimited,
  billing,
  coded,
  events,
  limit,
  minute,
  overloaded,
  quota,
  rateLimited,
  requestFault,
  table,
  until,
  upstreamError,
} from '../../../test/support/signal-cases.ts'

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
    ...['quota_exceeded', 'rate_limit_exceeded'].map((code) => ({
      name: `403 ${code}`,
      status: 403,
      body: { code, message: 'No.' },
      means: quota,
    })),
    { name: '403 insufficient_quota', status: 403, body: coded('insufficient_quota'), means: accountBilling },
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

describe('a generic stream', () => {
  events('generic', [
    {
      name: 'a rate limit is one: only under 403 its code speaks of a window',
      data: { error: { code: 'rate_limit_exceeded', message: 'No.' } },
      means: { kind: 'rate-limited', reason: 'rate-limited', forMs: null },
    },
    { name: 'quota_exceeded', data: { error: { code: 'quota_exceeded', message: 'No.' } }, means: quota },
  ])
})
