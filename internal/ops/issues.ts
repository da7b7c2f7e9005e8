import type { z } from 'zod'
import { suggest } from '../config/config.ts'

/** One sentence that names every problem of a call's arguments; an unknown field comes with the nearest known one. */
export function explainIssues(issues: readonly z.core.$ZodIssue[], fields: readonly string[]): string {
  return issues.map((issue) => explain(issue, fields)).join('; ')
}

function explain(issue: z.core.$ZodIssue, fields: readonly string[]): string {
  const where = issue.path.map(String).join('.')
  if (issue.code === 'unrecognized_keys')
    return issue.keys
      .map((key) => `unknown field ${where ? `${where}.` : ''}${key}${near(key, where ? [] : fields)}`)
      .join('; ')
  return where ? `${where}: ${saying(issue.message)}` : saying(issue.message)
}

/** The schema's sentence in fewer words. */
export function saying(message: string): string {
  return message.replace(/^Invalid input: /, '').replace(/^expected (\w+), received undefined$/, 'is missing ($1)')
}

function near(key: string, fields: readonly string[]): string {
  const found = suggest(key, fields)
  return found === null ? '' : `, did you mean ${found}?`
}
