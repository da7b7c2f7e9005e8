import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { explainIssues } from './issues.ts'
import { lengthMs } from './verb.ts'

const schema = z.strictObject({
  name: z.string().min(1).max(10),
  forMs: lengthMs.optional(),
  pools: z.array(z.string()).max(2).optional(),
  credentials: z.record(z.string(), z.string()).optional(),
  weight: z.int().min(1).max(1000).optional(),
  kind: z.enum(['a', 'b']).optional(),
  keep: z.union([z.boolean(), z.strictObject({ x: z.string() })]).optional(),
})

function said(given: unknown): string {
  const { error } = schema.safeParse(given)
  return explainIssues(error?.issues ?? [], Object.keys(schema.shape))
}

describe('what a schema found is said in words', () => {
  test.each([
    ['a missing name', {}, 'name: is missing (text)'],
    ['an empty name', { name: '' }, 'name: is empty'],
    ['a long name', { name: 'abcdefghijk' }, 'name: must be at most 10 characters'],
    ['a number for text', { name: 3 }, 'name: must be text'],
    ['a time that is too short', { name: 'x', forMs: 0 }, 'for: must be at least 1s'],
    ['a time that is too long', { name: 'x', forMs: 400 * 86_400_000 }, 'for: must be at most 365d'],
    ['half a number', { name: 'x', weight: 1.5 }, 'weight: must be a whole number'],
    ['a number that is too small', { name: 'x', weight: 0 }, 'weight: must be at least 1'],
    ['a list that is too long', { name: 'x', pools: ['a', 'b', 'c'] }, 'pools: must be at most 2 of them'],
    ['a number for a section', { name: 'x', credentials: 3 }, 'credentials: must be names with their values'],
    ['another word', { name: 'x', kind: 'c' }, 'kind: must be a or b'],
    ['none of several forms', { name: 'x', keep: 3 }, 'keep: must be true or false, or names with their values'],
    ['a flaw in one of several forms', { name: 'x', keep: { x: 3 } }, 'keep.x: must be text'],
    ['an unknown field', { name: 'x', weigth: 1 }, 'unknown field weigth, did you mean weight?'],
  ])('%s', (_name, given, sentence) => {
    expect(said(given)).toBe(sentence)
  })
})
