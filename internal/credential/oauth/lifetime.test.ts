import { expect, test } from 'vitest'
import { reminderDue } from './lifetime.ts'

const day = 86_400_000

test.each([
  ['a year', 365 * day, null],
  ['a little over 30 days', 30 * day + 1, null],
  ['30 days', 30 * day, 30],
  ['a little over 7 days', 7 * day + 1, 30],
  ['7 days', 7 * day, 7],
  ['a little over a day', day + 1, 7],
  ['a day', day, 1],
  ['a millisecond', 1, 1],
  ['nothing', 0, null],
  ['less than nothing', -day, null],
])('with %s left of a token the reminder that is due is that of %s ms: %s days', (_name, left, due) => {
  expect(reminderDue(left)).toBe(due)
})
