/** The names that lead to a value, from the outside. */
export type Path = readonly [string, ...string[]]

/** What can be put into a file. */
export type Value = string | number | boolean | null | readonly string[] | { readonly [name: string]: Value }

/** A value to put into a document at a path; undefined takes away what is there. */
export interface Change {
  readonly path: Path
  readonly value: Value | undefined
}

/** A text that cannot be changed as asked; the message says what is in the way, and quotes nothing of it but names. */
export class EditError extends Error {
  override readonly name = 'EditError'
}

/** How the text ends its lines: as its first line does. */
export function lineEndOf(text: string): '\n' | '\r\n' {
  const at = text.indexOf('\n')
  return at > 0 && text[at - 1] === '\r' ? '\r\n' : '\n'
}

/** Whether the value is an object with names, and no array. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** What stands at the path of a parsed document; undefined where there is nothing. */
export function valueAt(document: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, name) => (isRecord(value) && Object.hasOwn(value, name) ? value[name] : undefined),
    document,
  )
}
