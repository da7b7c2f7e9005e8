import { fieldNames } from './fields.ts'
import { redact } from './redact.ts'

const allowed: ReadonlySet<string> = new Set(fieldNames)

/** Enough for a sentence of an upstream; a log is not where bodies are kept. */
const maxText = 1_000
/** What is looked at, so that a huge text costs no time; longer than `maxText`, so that no secret is cut in two. */
const maxRead = 16_384
const maxItems = 50
const maxDepth = 3

/** The fields that are on the list, in a form that can be logged; never throws. */
export function cleanFields(fields: object): Record<string, unknown> {
  return cleanRecord(fields, 0)
}

/** A text without credentials and control characters, cut to a length that a log line can bear. */
export function cleanText(text: string): string {
  const clean = redact(text.slice(0, maxRead)).replace(/\p{Cc}+/gu, ' ')
  return clean.length > maxText ? `${clean.slice(0, maxText)}…` : clean
}

function cleanRecord(record: object, depth: number): Record<string, unknown> {
  const clean: Record<string, unknown> = {}
  for (const name of namesOf(record)) {
    if (!allowed.has(name)) continue
    const value = attempt(() => cleanValue(Reflect.get(record, name), depth))
    if (value !== undefined) clean[name] = value
  }
  return clean
}

function namesOf(record: object): readonly string[] {
  return attempt(() => Object.keys(record)) ?? []
}

function cleanValue(value: unknown, depth: number): unknown {
  switch (typeof value) {
    case 'string':
      return cleanText(value)
    case 'number':
    case 'boolean':
      return value
    case 'bigint':
      return String(value)
    case 'object':
      return value === null ? null : cleanObject(value, depth)
    default:
      return undefined
  }
}

function cleanObject(value: object, depth: number): unknown {
  if (value instanceof Error) return cleanError(value, depth)
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString()
  if (depth >= maxDepth) return '[deep]'
  if (Array.isArray(value)) return value.slice(0, maxItems).map((item) => cleanValue(item, depth + 1) ?? null)
  const prototype: unknown = Object.getPrototypeOf(value)
  // Anything with a class of its own, a Secret above all, is not taken apart.
  if (prototype !== Object.prototype && prototype !== null) return '[object]'
  return cleanRecord(value, depth + 1)
}

/** Name, code, message and hint of an error, and the same of what caused it; no stack. */
function cleanError(error: Error, depth: number): Record<string, unknown> {
  const clean: Record<string, unknown> = { name: cleanText(String(error.name)) }
  for (const name of ['code', 'message', 'hint']) {
    const value: unknown = Reflect.get(error, name)
    if (typeof value === 'number') clean[name] = value
    if (typeof value === 'string' && value !== '') clean[name] = cleanText(value)
  }
  if (depth >= maxDepth) return clean
  if (error.cause instanceof Error) clean.cause = cleanError(error.cause, depth + 1)
  if (error instanceof AggregateError) {
    clean.errors = error.errors.slice(0, maxDepth).map((each: unknown) => cleanValue(each, depth + 1) ?? null)
  }
  return clean
}

/** What `read` returns, or undefined when a getter or a proxy throws: a log line is not worth an exception. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
