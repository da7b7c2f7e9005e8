import { EditError } from './values.ts'

/** A header or a key with its value in a TOML text. */
export interface Statement {
  readonly kind: 'pair' | 'table' | 'tables'
  /** From the document's root: a pair in a table has the table's names before its own. */
  readonly path: readonly string[]
  /** Its lines: from the first one's beginning to behind the last one's end. */
  readonly start: number
  readonly end: number
  /** Its value; empty for a header. */
  readonly value: { readonly start: number; readonly end: number }
}

/** The statements of a valid TOML text, in their order; what is between them is blank or a comment. */
export function statementsOf(text: string): Statement[] {
  const statements: Statement[] = []
  let table: readonly string[] = []
  for (let at = skipBlank(text, 0); at < text.length; at = skipBlank(text, at)) {
    const start = text.lastIndexOf('\n', at - 1) + 1
    const header = /^\[\[?/.exec(text.slice(at, at + 2))?.[0]
    const names = keyAt(text, at + (header?.length ?? 0))
    const valueStart = header ? names.end : skipInline(text, text.indexOf('=', names.end) + 1)
    const valueEnd = header ? names.end : skipValue(text, valueStart)
    const end = endOfLine(text, valueEnd)
    if (header) table = names.path
    const kind = header === undefined ? 'pair' : header === '[' ? 'table' : 'tables'
    const path = header ? names.path : [...table, ...names.path]
    statements.push({ kind, path, start, end, value: { start: valueStart, end: valueEnd } })
    at = end
  }
  return statements
}

/** Strings of every kind, the long ones first, and comments: where brackets and line ends mean nothing. */
const quiet = /"""(?:\\[\s\S]|[^\\])*?"{3,5}|'''[\s\S]*?'{3,5}|"(?:\\.|[^"\\\r\n])*"|'[^'\r\n]*'|#[^\r\n]*/y
const name = /[\t ]*(?:("(?:\\.|[^"\\])*")|'([^']*)'|([\w-]+))[\t ]*/y

function keyAt(text: string, from: number): { path: string[]; end: number } {
  const path: string[] = []
  for (let at = from; ; at++) {
    name.lastIndex = at
    const found = name.exec(text)
    if (!found) throw new EditError(`line ${lineAt(text, at)} is not TOML`)
    const [, basic, literal, bare] = found
    path.push(basic === undefined ? (literal ?? bare ?? '') : unescaped(basic))
    at = name.lastIndex
    if (text[at] !== '.') return { path, end: at }
  }
}

/** JSON knows all escapes of a basic string but the long ones. */
function unescaped(quoted: string): string {
  return JSON.parse(quoted.replace(/\\U([\dA-Fa-f]{8})/g, (_, code) => String.fromCodePoint(Number.parseInt(code, 16))))
}

function skipValue(text: string, from: number): number {
  let end = from
  for (let at = from, depth = 0; at < text.length; ) {
    quiet.lastIndex = at
    const [found] = quiet.exec(text) ?? []
    const char = text[at]!
    if (depth === 0 && (char === '#' || char === '\n' || char === '\r')) return end
    if (!found && '[{'.includes(char)) depth++
    if (!found && ']}'.includes(char)) depth--
    at += found?.length ?? 1
    if (!/[\t ]/.test(char)) end = at
  }
  return end
}

function skipInline(text: string, from: number): number {
  let at = from
  while (text[at] === ' ' || text[at] === '\t') at++
  return at
}

function skipBlank(text: string, from: number): number {
  const blank = /(?:\s|#[^\n]*(?:\n|$))*/y
  blank.lastIndex = from
  blank.exec(text)
  return blank.lastIndex
}

function endOfLine(text: string, from: number): number {
  const at = text.indexOf('\n', from)
  return at === -1 ? text.length : at + 1
}

function lineAt(text: string, at: number): number {
  return text.slice(0, at).split('\n').length
}
