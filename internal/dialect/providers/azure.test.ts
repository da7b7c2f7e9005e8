import { describe } from 'vitest'
import {
  authExpired,
  authRejected,
  bareAuthRejected,
  bareModelLimit,
  overloaded,
  rateLimited,
  requestFault,
  second,
  table,
  until,
} from '../../../test/support/signal-cases.ts'

describe('Azure OpenAI', () => {
  const azure = (code: string) => ({ error: { code, message: 'No.' } })
  table('azure', [
    {
      name: '429 + retry-after-ms',
      status: 429,
      body: azure('429'),
      headers: { 'retry-after-ms': '2500', 'retry-after': '3' },
      means: { ...rateLimited, scope: 'model', ...until(2_500) },
    },
    ...['0', '-1'].map((value) => ({
      name: `x-ratelimit-* of ${value} are no hints`,
      status: 429,
      body: azure('429'),
      headers: {
        'x-ratelimit-remaining-requests': value,
        'x-ratelimit-reset-requests': value,
        'x-ratelimit-reset-tokens': value,
      },
      means: bareModelLimit,
    })),
    {
      name: 'a reset in plain seconds counts though what remains is −1',
      status: 429,
      headers: { 'x-ratelimit-remaining-tokens': '-1', 'x-ratelimit-reset-tokens': '30' },
      means: { ...rateLimited, scope: 'model', ...until(30 * second) },
    },
    { name: '401 of a key', status: 401, body: azure('401'), means: { ...authRejected, evidence: 'weak' } },
    { name: '401 of an Entra token', status: 401, body: azure('401'), oauth: true, means: authExpired },
    { name: '404 does nothing to the member', status: 404, body: azure('DeploymentNotFound'), means: requestFault },
    { name: '529', status: 529, means: overloaded },
    {
      name: '429 of a busy service cools nobody: the quota of the member is not used up',
      status: 429,
      body: {
        error: {
          code: 'too_many_requests',
          message: 'The system is currently experiencing high demand and cannot process your request.',
        },
      },
      means: overloaded,
    },
    {
      name: '400 of the content filter does nothing to the member',
      status: 400,
      body: { error: { code: 'bad', message: 'Filtered', innererror: { code: 'ResponsibleAIPolicyViolation' } } },
      means: requestFault,
    },
    {
      name: '401 of a dead key is a suspect on weak evidence, which its own probe confirms',
      status: 401,
      body: { error: { code: '401', message: 'Access denied due to invalid subscription key or wrong API endpoint.' } },
      means: bareAuthRejected,
    },
  ])
})
