import { describe } from 'vitest'
import {
  accountBilling,
  accountClosed,
  authRejected,
  bareRateLimited,
  events,
  hour,
  modelMissing,
  now,
  overloaded,
  plan,
  quota,
  rateLimited,
  requestFault,
  table,
  until,
} from '../../../test/support/signal-cases.ts'

describe('Z.ai, also without its name', () => {
  table('generic', [
    {
      name: '429 1308 in Chinese, until the time in Beijing that the sentence names',
      status: 429,
      body: { error: { code: '1308', message: '已达到 5 小时的使用上限。您的限额将在 2026-05-01 23:00:00 重置。' } },
      means: { ...quota, ...until(3 * hour) },
    },
    {
      name: '429 1310 in English',
      status: 429,
      body: { error: { code: 1310, message: 'Weekly limit exhausted. Your limit will reset at 2026-05-01 21:00:00' } },
      means: { ...quota, ...until(hour) },
    },
    {
      name: 'the sentence without its number',
      status: 429,
      body: { message: '已达到每周使用上限' },
      means: quota,
    },
    {
      name: '429 1113 is a matter of billing',
      status: 429,
      body: { error: { code: '1113', message: 'Insufficient balance or no resource package.' } },
      means: accountBilling,
    },
    ...['1309', '1313'].map((code) => ({
      name: `429 ${code} is the plan`,
      status: 429,
      body: { error: { code, message: 'No.' } },
      means: plan,
    })),
    ...['1305', '1312'].map((code) => ({
      name: `429 ${code} is overload`,
      status: 429,
      body: { error: { code, message: 'No.' } },
      means: overloaded,
    })),
    { name: '429 1302', status: 429, body: { error: { code: '1302', message: 'No.' } }, means: rateLimited },
    {
      name: '429 1311: the plan lacks the model',
      status: 429,
      body: { error: { code: '1311', message: 'No.' } },
      means: modelMissing,
    },
  ])
})

describe('Z.ai by name', () => {
  table('zai', [
    {
      name: '401 1002 is a dead key',
      status: 401,
      body: { error: { code: '1002', message: 'Authorization Token illegal' } },
      means: authRejected,
    },
    {
      name: '429 1112 is a closed account',
      status: 429,
      body: { error: { code: '1112', message: 'Your account has been locked' } },
      means: accountClosed,
    },
    { name: '400 1301 is a safety block', status: 400, body: { error: { code: '1301' } }, means: requestFault },
    {
      name: 'an error beside a 200 is that error',
      status: 200,
      body: { code: 429, msg: 'No.', success: false },
      means: { ...bareRateLimited, status: 429 },
    },
  ])
})

describe('a stream of Z.ai', () => {
  events('generic', [
    {
      name: 'error 1308 as first event',
      data: { error: { code: '1308', message: 'Usage limit reached. Your limit will reset at 2026-05-01 23:00:00' } },
      means: { kind: 'quota-exhausted', until: now + 3 * hour },
    },
  ])
})
