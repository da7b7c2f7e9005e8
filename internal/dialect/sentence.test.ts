import { expect, test } from 'vitest'
import { resetIn } from './sentence.ts'
import { pacificMidnight } from './zones.ts'

const now = Date.parse('2026-05-01T12:00:00Z')
const second = 1_000
const minute = 60 * second
const hour = 60 * minute

test.each([
  ['resets at 2026-05-01T14:30:00Z', 2.5 * hour],
  ['resets at 2026-05-01T14:30:00.250+02:00', 0.5 * hour],
  ['It will reset at 2026-05-01 22:30:00 +0800 CST.', 2.5 * hour],
  ['reset at 2026-05-01 08:30 -0700', 3.5 * hour],
  ['reset at 2026/05/01 21:00:00 (UTC+8)', hour],
  ['regain access on 2026-05-01 at 13:00 UTC.', hour],
  ['Please try again in 11.054s.', 11_054],
  ['Please try again in 2h15m30s', 2 * hour + 15.5 * minute],
  ['try again after 1 seconds', second],
  ['Please wait 30 seconds before retrying.', 30 * second],
  ['Retry after: 250 milliseconds', 250],
  ['will reset in 1 day, 2 hours and 3 minutes', 26 * hour + 3 * minute],
  ['available in 5 mins', 5 * minute],
  ['请在 30 秒后重试', 30 * second],
  ['3 小时后重置', 3 * hour],
  ['2 分钟后', 2 * minute],
  ['1 天后', 24 * hour],
])('"%s" ends in %d ms', (sentence, ms) => {
  expect(resetIn(sentence, null, now)).toBe(now + ms)
})

test('an instant without a zone is read in that of the provider', () => {
  expect(resetIn('reset at 2026-05-01 21:00:00', 480, now)).toBe(now + hour)
})

test.each([
  'reset at 2026-05-01 21:00:00',
  'Limit 300 requests in 5 hours',
  'try again in 1 month',
  'try again later',
  'reset at 2026-04-01T00:00:00Z',
  '',
])('"%s" says no end that can be believed', (sentence) => {
  expect(resetIn(sentence, null, now)).toBeNull()
})

test.each([
  ['2026-05-01T12:00:00Z', '2026-05-02T07:00:00Z'],
  ['2026-12-01T07:59:59.500Z', '2026-12-01T08:00:00Z'],
  // The clocks change at 2:00 on the day that ends then.
  ['2026-03-08T09:00:00Z', '2026-03-09T07:00:00Z'],
  ['2026-11-01T08:00:00Z', '2026-11-02T08:00:00Z'],
])('after %s, midnight in California is at %s', (at, midnight) => {
  expect(new Date(pacificMidnight(Date.parse(at))).toISOString()).toBe(midnight.replace('Z', '.000Z'))
})
