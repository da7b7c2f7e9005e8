import type { z } from 'zod'
import { formatDuration, suggest } from '../config/config.ts'

/** One sentence that names every problem of a call's arguments; an unknown field comes with the nearest known one. */
export function explainIssues(issues: readonly z.core.$ZodIssue[], fields: readonly string[]): string {
  return issues
    .flatMap(pointed)
    .map((issue) => explain(issue, fields))
    .join('; ')
}

/** What is wrong within the one of several forms that a value was meant as, else that it is none of them. */
export function pointed(issue: z.core.$ZodIssue): readonly z.core.$ZodIssue[] {
  if (issue.code !== 'invalid_union') return [issue]
  const meant = issue.errors.find((form) => !form.some(isOfAnotherKind))
  return meant?.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] })).flatMap(pointed) ?? [issue]
}

function isOfAnotherKind({ code, path }: z.core.$ZodIssue): boolean {
  return path.length === 0 && (code === 'invalid_type' || code === 'invalid_value')
}

function explain(issue: z.core.$ZodIssue, fields: readonly string[]): string {
  // Lengths of time are flags without the unit to whoever types them.
  const where = issue.path.map(String).join('.').replace(/Ms$/, '')
  if (issue.code === 'unrecognized_keys')
    return issue.keys
      .map((key) => `unknown field ${where ? `${where}.` : ''}${key}${near(key, where ? [] : fields)}`)
      .join('; ')
  return where ? `${where}: ${saying(issue)}` : saying(issue)
}

const kinds: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  record: 'names with their values',
  object: 'names with their values',
}

/** What the schema found, as a sentence about the value. */
export function saying(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return isMissing(issue) ? `is missing (${wanted(issue)})` : `must be ${wanted(issue)}`
    case 'too_small':
      return issue.minimum === 1 && issue.origin === 'string'
        ? 'is empty'
        : `must be at least ${amount(issue, issue.minimum)}`
    case 'too_big':
      return `must be at most ${amount(issue, issue.maximum)}`
    case 'invalid_value':
      return `must be ${wanted(issue)}`
    case 'invalid_union':
      return `must be ${issue.errors.flatMap((form) => form.filter(isOfAnotherKind).map(wanted)).join(', or ')}`
    default:
      return issue.message.replace(/^Invalid input: /, '')
  }
}

/** What may stand in the place of a value of another kind. */
function wanted(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type') return kinds[issue.expected] ?? issue.expected
  return issue.code === 'invalid_value' ? issue.values.map(String).join(' or ') : ''
}

/** zod says so in its message only: the value itself stands in no issue. */
function isMissing({ message }: { readonly message: string }): boolean {
  return message.endsWith('received undefined')
}

function amount(
  issue: { readonly origin: string; readonly path: readonly PropertyKey[] },
  bound: number | bigint,
): string {
  if (issue.origin === 'string') return `${bound} characters`
  if (issue.origin === 'array') return `${bound} of them`
  return /Ms$/.test(String(issue.path.at(-1))) ? formatDuration(Number(bound)) : String(bound)
}

function near(key: string, fields: readonly string[]): string {
  const found = suggest(key, fields)
  return found === null ? '' : `, did you mean ${found}?`
}
