import { isDeepStrictEqual } from 'node:util'
import { parse, stringify, TomlError } from 'smol-toml'
import { type Statement, statementsOf } from './toml-statements.ts'
import { type Change, EditError, isRecord, lineEndOf, valueAt } from './values.ts'

/**
 * The TOML text with some keys of the root set, whole tables put in place, or either taken away; comments and everything
 * else stay. What comes out is parsed and compared with what was asked: an EditError is thrown rather than a wrong text given.
 */
export function editToml(text: string, changes: readonly Change[]): string {
  const before = documentOf(text)
  const edited = changes.reduce(edit, text)
  let after: unknown
  try {
    after = documentOf(edited)
  } catch {
    after = null
  }
  if (isDeepStrictEqual(plain(after), plain(changes.reduce(expected, before)))) return edited
  throw new EditError(
    `${changes.map(({ path }) => path.join('.')).join(' and ')} cannot be put into it as it is written`,
  )
}

/** The value at the path of a TOML text; undefined where there is none, or the text is no TOML. */
export function tomlAt(text: string, path: readonly string[]): unknown {
  try {
    return valueAt(documentOf(text), path)
  } catch {
    return undefined
  }
}

function documentOf(text: string): unknown {
  try {
    return parse(text.replace(/^\ufeff/, ''), { integersAsBigInt: true })
  } catch (error) {
    if (error instanceof TomlError) throw new EditError(`line ${error.line} is not TOML`)
    throw error
  }
}

function expected(document: unknown, { path, value }: Change): unknown {
  const fields: Record<string, unknown> = isRecord(document) ? { ...document } : {}
  const [name, ...rest] = path
  const [next, ...others] = rest
  if (next !== undefined) {
    fields[name] = expected(fields[name], { path: [next, ...others], value })
  } else if (value === undefined) delete fields[name]
  else fields[name] = value
  return fields
}

/**
 * The document in ordinary objects, with whole numbers in one form; empty tables count as none, because one that held only
 * another may go with it.
 */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value)
  if (!isTable(value)) return value
  const fields = Object.entries(value).map(([name, inner]) => [name, plain(inner)] as const)
  return Object.fromEntries(fields.filter(([, inner]) => !isTable(inner) || Object.keys(inner).length > 0))
}

function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return isRecord(value) && !(value instanceof Date)
}

function edit(text: string, change: Change): string {
  const { path, value } = change
  const all = statementsOf(text)
  const own = all.filter((each) => path.every((name, at) => each.path[at] === name))
  if (value === undefined) return without(text, all, own).text
  if (isTable(value)) return putTable(text, all, { own, path, value })
  const [pair] = own
  if (pair?.kind === 'pair' && own.length === 1)
    return text.slice(0, pair.value.start) + phrased(value) + text.slice(pair.value.end)
  return addKey(without(text, all, own).text, path, phrased(value))
}

/**
 * A key stands in the table around it, where that has a header; else among those of the root, before the first table: behind
 * the keys that are there, else at the very beginning.
 */
function addKey(text: string, path: readonly string[], value: string): string {
  const eol = lineEndOf(text)
  const all = statementsOf(text)
  const header = all.findIndex((each) => each.kind === 'table' && isDeepStrictEqual(each.path, path.slice(0, -1)))
  const line = `${keyOf(header === -1 ? path : path.slice(-1))} = ${value}`
  const next = all.findIndex(({ kind }, at) => at > header && kind !== 'pair')
  const last = all[(next === -1 ? all.length : next) - 1]
  if (last) {
    const head = text.slice(0, last.end)
    return `${head}${head.endsWith('\n') ? '' : eol}${line}${eol}${text.slice(last.end)}`
  }
  const [mark, rest] = text.startsWith('\ufeff') ? ['\ufeff', text.slice(1)] : ['', text]
  return `${mark}${line}${eol}${rest.trim() === '' ? rest : eol + rest}`
}

function putTable(
  text: string,
  all: readonly Statement[],
  {
    own,
    path,
    value,
  }: { own: readonly Statement[]; path: readonly string[]; value: Readonly<Record<string, unknown>> },
): string {
  const eol = lineEndOf(text)
  const cut = without(text, all, own)
  const block = tableLines(path, value).join(eol) + eol
  if (own[0]?.kind === 'table' && cut.text.slice(cut.at).trim() !== '')
    return `${cut.text.slice(0, cut.at)}${block}${eol}${cut.text.slice(cut.at).replace(/^\s+/, '')}`
  const rest = cut.text
  const gap = rest.trim() === '' ? '' : `${rest.endsWith('\n') ? '' : eol}${/\n\r?\n$/.test(rest) ? '' : eol}`
  return rest + gap + block
}

/** The text without these statements and what is between two that follow each other, and where the first of them stood. */
function without(text: string, all: readonly Statement[], own: readonly Statement[]): { text: string; at: number } {
  let left = text
  let at = text.length
  for (const [index, statement] of [...all.entries()].toReversed()) {
    if (!own.includes(statement)) continue
    const next = all[index + 1]
    const end = next && own.includes(next) ? at : statement.end
    at = statement.start
    // Of the blank lines around the gap one is enough.
    const rest = left.slice(end)
    const isBlankBefore = /(?:^|\n\r?\n)$/.test(left.slice(0, at))
    left = left.slice(0, at) + (isBlankBefore ? rest.replace(/^\r?\n/, '') : rest)
  }
  return { text: left, at }
}

function tableLines(path: readonly string[], table: Readonly<Record<string, unknown>>): string[] {
  const entries = Object.entries(table)
  const inner = entries.flatMap(([name, value]) => (isTable(value) ? ['', ...tableLines([...path, name], value)] : []))
  const pairs = entries.filter(([, value]) => !isTable(value))
  return [`[${keyOf(path)}]`, ...pairs.map(([name, value]) => `${keyOf([name])} = ${phrased(value)}`), ...inner]
}

function keyOf(path: readonly string[]): string {
  return path.map((name) => (/^[\w-]+$/.test(name) ? name : JSON.stringify(name))).join('.')
}

/** The value as TOML writes it, whatever it is. */
function phrased(value: unknown): string {
  return stringify({ value }).slice('value = '.length).trimEnd()
}
