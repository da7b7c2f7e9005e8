import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml'
import type { Problem } from '../problems/problem.ts'

/** A YAML text as a plain value, with what is wrong with its syntax and the way back to its lines. */
export interface Source {
  readonly value: unknown
  readonly problems: readonly Problem[]
  /** The line, from 1, of the deepest part of a dotted name that stands in the text; null when no part does. */
  lineOf(key: string): number | null
}

/** Deeper than any setting; it only stops aliases that contain themselves. */
const maxDepth = 10

/** Reads a YAML text; duplicate keys are problems, and syntax errors leave `value` undefined. */
export function readSource(text: string, file: string): Source {
  const lineCounter = new LineCounter()
  const document = parseDocument(text, { lineCounter, prettyErrors: false, uniqueKeys: false })
  const lineAt = (offset: number) => lineCounter.linePos(offset).line
  const problem = (line: number | null, key: string, message: string): Problem => ({
    file,
    line,
    key,
    message,
    hint: null,
  })
  const broken = [...document.errors, ...document.warnings].map(({ pos, message }) =>
    problem(lineAt(pos[0]), '', said(message)),
  )
  if (broken.length > 0) return { value: undefined, problems: broken, lineOf: () => null }

  const index = indexLines(document, lineAt)
  const problems = index.repeated.map(({ key, line, first }) =>
    problem(line, key, `given twice, first on line ${first}`),
  )
  return { value: plainValue(document, problem, problems), problems, lineOf: (key) => nearest(index.lines, key) }
}

function plainValue(
  document: Document,
  problem: (line: null, key: string, message: string) => Problem,
  problems: Problem[],
): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 })
  } catch {
    problems.push(problem(null, '', 'has an alias without its anchor, or too many aliases'))
    return undefined
  }
}

interface Index {
  readonly lines: Map<string, number>
  readonly repeated: { readonly key: string; readonly line: number; readonly first: number }[]
}

function indexLines(document: Document, lineAt: (offset: number) => number): Index {
  const index: Index = { lines: new Map(), repeated: [] }
  const visit = (node: unknown, path: readonly string[]): void => {
    if (path.length > maxDepth) return
    if (isAlias(node)) visit(node.resolve(document), path)
    if (isSeq(node)) {
      for (const [position, item] of node.items.entries()) enter(item, [...path, String(position)])
    }
    if (!isMap(node)) return
    for (const { key, value } of node.items) {
      const name = isScalar(key) ? String(key.value) : String(key)
      enter(key, [...path, name])
      visit(value, [...path, name])
    }
  }
  const enter = (node: unknown, path: readonly string[]): void => {
    const offset = (node as Node | null)?.range?.[0]
    if (offset === undefined) return
    const key = path.join('.')
    const line = lineAt(offset)
    const first = index.lines.get(key)
    if (first === undefined) index.lines.set(key, line)
    else index.repeated.push({ key, line, first })
  }
  visit(document.contents, [])
  return index
}

function nearest(lines: ReadonlyMap<string, number>, key: string): number | null {
  for (const path = key.split('.'); path.length > 0; path.pop()) {
    const line = lines.get(path.join('.'))
    if (line !== undefined) return line
  }
  return null
}

/** What the parser says without the piece of text that some messages quote: it might be a secret. */
function said(message: string): string {
  const sentence = message.split('\n', 1)[0]!.replace(/(: | %).*$/, '')
  return `not valid YAML: ${sentence.charAt(0).toLowerCase()}${sentence.slice(1)}`
}
