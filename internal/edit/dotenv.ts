import { type Change, lineEndOf } from './values.ts'

/** One assignment as the package dotenv reads it: a name, and a value that may be quoted over several lines. */
const assignment =
  /^[ \t]*(?:export[ \t]+)?([\w.-]+)(?:[ \t]*=[ \t]*|:[ \t]+)('(?:\\'|[^'])*'|"(?:\\"|[^"])*"|`(?:\\`|[^`])*`|[^#\r\n]*)[^\r\n]*(?:\r?\n|$)/gm

interface Line {
  readonly name: string
  readonly value: string
  readonly start: number
  readonly end: number
}

/** The dotenv text with variables set or taken away; comments, order and the other lines stay. */
export function editDotenv(text: string, changes: readonly Change[]): string {
  return changes.reduce(edit, text)
}

/** The value of a variable in a dotenv text, without quotes; undefined where it is not set. */
export function dotenvValue(text: string, name: string): string | undefined {
  // Of several lines the last one counts.
  const value = linesOf(text).findLast((line) => line.name === name)?.value
  return value?.replace(/^(['"`])([\s\S]*)\1$/, '$2')
}

function edit(text: string, { path: [name], value }: Change): string {
  const lines = linesOf(text).filter((line) => line.name === name)
  const kept = value === undefined ? undefined : lines.at(-1)
  const eol = lineEndOf(text)
  let edited = text
  for (const line of lines.toReversed())
    edited = edited.slice(0, line.start) + (line === kept ? `${name}=${value}${eol}` : '') + edited.slice(line.end)
  if (kept || value === undefined) return edited
  return `${edited === '' || edited.endsWith('\n') ? edited : edited + eol}${name}=${value}${eol}`
}

function linesOf(text: string): Line[] {
  return [...text.matchAll(assignment)].map(({ index, 0: whole, 1: name = '', 2: value = '' }) => ({
    name,
    value: value.trim(),
    start: index,
    end: index + whole.length,
  }))
}
