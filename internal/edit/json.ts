import { applyEdits, modify, type Node, type ParseError, parse, parseTree, printParseErrorCode } from 'jsonc-parser'
import { type Change, EditError, lineEndOf, type Path, type Value, valueAt } from './values.ts'

const byteOrderMark = '\ufeff'
const lenient = { allowTrailingComma: true, allowEmptyContent: true }

/**
 * The JSON text with some values set, added or taken away. Comments, unknown fields, their order, indentation and numbers
 * that JavaScript could not hold stay. Throws an EditError for what is no JSON object.
 */
export function editJson(text: string, changes: readonly Change[]): string {
  const marked = text.startsWith(byteOrderMark)
  const bare = marked ? text.slice(1) : text
  if (!isBlank(bare)) assertObject(bare)
  const edited = changes.reduce(edit, isBlank(bare) ? '{}' : bare)
  const ended = isBlank(bare) ? `${edited}\n` : edited
  return marked ? byteOrderMark + ended : ended
}

/** The value at the path of a JSON text with comments; undefined where there is none, or the text is no JSON. */
export function jsonAt(text: string, path: readonly string[]): unknown {
  return valueAt(parse(text.replace(byteOrderMark, ''), [], lenient), path)
}

function edit(text: string, { path, value }: Change): string {
  const once = withoutDoubles(text, path)
  if (value === undefined) return jsonAt(once, path) === undefined ? once : set(once, path, undefined)
  const [reached, inner] = nested(once, path, value)
  return set(once, reached, inner)
}

/** The longest part of the path that leads through objects and one name further, and what belongs there. */
function nested(text: string, path: Path, value: Value): [readonly string[], Value] {
  for (let length = 1; length < path.length; length++) {
    const outer = jsonAt(text, path.slice(0, length))
    if (typeof outer === 'object' && outer !== null && !Array.isArray(outer)) continue
    const inner = path.slice(length).reduceRight<Value>((inside, name) => ({ [name]: inside }), value)
    return [path.slice(0, length), inner]
  }
  return [path, value]
}

/** Of a repeated name the last one counts for those who read the file: the others go before it is changed. */
function withoutDoubles(text: string, path: Path): string {
  let node = parseTree(text, [], lenient)
  for (const [depth, name] of path.entries()) {
    const same = node?.children?.filter(({ children }) => children?.[0]?.value === name) ?? []
    if (same.length > 1) return withoutDoubles(set(text, path.slice(0, depth + 1), undefined), path)
    node = same[0]?.children?.[1] as Node | undefined
  }
  return text
}

function set(text: string, path: readonly string[], value: Value | undefined): string {
  return applyEdits(text, modify(text, [...path], value, formatting(text)))
}

/** What is added looks like its surroundings: on lines of its own only where the file has lines. */
function formatting(text: string) {
  const eol = lineEndOf(text)
  const [, indent] = /\n([\t ]+)\S/.exec(text) ?? []
  if (!text.includes('\n') && text !== '{}') return {}
  const insertSpaces = indent?.[0] !== '\t'
  return { formattingOptions: { eol, insertSpaces, tabSize: insertSpaces ? (indent?.length ?? 2) : 1 } }
}

function assertObject(text: string): void {
  const errors: ParseError[] = []
  const tree = parseTree(text, errors, lenient)
  const [first] = errors
  if (first) {
    const line = text.slice(0, first.offset).split('\n').length
    throw new EditError(`line ${line} is not JSON (${printParseErrorCode(first.error)})`)
  }
  if (tree?.type !== 'object') throw new EditError('it holds no JSON object')
}

function isBlank(text: string): boolean {
  return text.trim() === ''
}
