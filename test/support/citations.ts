import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, extname, join, relative, resolve } from 'node:path'

/** The repository's folder. */
export const root = resolve(import.meta.dirname, '../..')

const skipped = new Set(['node_modules', 'dist', 'coverage', '.git'])

/** All files below a folder of the repository, as paths from its root. */
export function filesBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (skipped.has(entry.name)) return []
    return entry.isDirectory() ? filesBelow(path) : [path]
  })
}

/** The text of a file of the repository. */
export function textOf(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

/** The headings of a Markdown text. */
export function headingsOf(text: string): string[] {
  return [...withoutFences(text).matchAll(/^#+ +(.+?) *$/gm)].map((match) => match[1] as string)
}

/** What a citation may rest on: the files of the repository, the headings of its documents, and the ids of its faults. */
export interface Grounds {
  readonly files: ReadonlySet<string>
  readonly headings: (document: string) => readonly string[]
  readonly faults: ReadonlySet<string>
  readonly incidents: ReadonlySet<string>
}

const codeBlocks = /\/\*[\s\S]*?\*\/|(?<![:'"`\\\w/])\/\/[^\n]*/g
const shellComments = /(?:^|\s)#[^\n!][^\n]*/g
const titles = /(?:\b(?:describe|it|test)(?:\.\w+)*|\))\(\s*(['"`])(.*?)\1/g

/** The comments of a source file, and the titles of its tests: where people are told what something rests on. */
export function proseOf(path: string, text: string): string[] {
  const isCode = /\.[cm]?[jt]s$/.test(path)
  const comments = [...text.matchAll(isCode ? codeBlocks : shellComments)].map(([comment]) => plain(comment))
  const told = isCode ? [...text.matchAll(titles)].map((match) => match[2] as string) : []
  // What the program says to people may name a document, too.
  const said = isCode ? [...text.matchAll(/docs\/[\w-]+\.md(?:, "[^"\n]+")?/g)].map(([citation]) => citation) : []
  return [...comments, ...told, ...said]
}

function plain(comment: string): string {
  return comment.replace(/^\s*(?:\/\*\*?|\*\/|\*|\/\/|#) ?/gm, ' ').replace(/\s+/g, ' ')
}

// A name alone, without a folder or a capital, is a sample: `ab.md`.
const document = /(?<![\w/.:-])((?:[\w.-]+\/)+[\w-]+\.md|[A-Z]+\.md)\b(?:, "([^"]+)")?/g
const unnamed = /\b(?:DESIGN|SIGNALS|FAULTS|INTERFACE|INCIDENTS|STYLE|CLIENTS|USABILITY|TERMS|[A-Z]{5,}(?=, "))\b/g
const ids = /(?<![\w`'"/-])([FA]\d{1,2})(?=[:,;.)]| and | or )/g
const quoted = /`([^`\s]+)`/g

/** What is wrong with the citations in a piece of prose of that file, one sentence each. */
export function faultsOf(path: string, prose: string, grounds: Grounds): string[] {
  const faults: string[] = []
  for (const [, cited = '', section] of prose.matchAll(document)) {
    const found = documentOf(path, cited, grounds)
    if (found === null) faults.push(`there is no document ${cited}`)
    else if (section && !grounds.headings(found).includes(section)) faults.push(`${cited} has no section "${section}"`)
  }
  for (const [name] of prose.matchAll(unnamed)) faults.push(`${name} is no document of the repository`)
  for (const [, id = ''] of prose.matchAll(ids)) {
    if (!grounds.faults.has(id)) faults.push(`docs/faults.md has no ${id}`)
  }
  for (const [, number = ''] of prose.matchAll(/\bincident (\d)\b/gi)) {
    if (!grounds.incidents.has(number)) faults.push(`docs/faults.md has no incident ${number}`)
  }
  for (const [, token = ''] of prose.matchAll(quoted)) {
    if (isPath(token) && !isThere(path, token, grounds)) faults.push(`there is no ${token}`)
  }
  return faults
}

function documentOf(path: string, cited: string, { files }: Grounds): string | null {
  return [cited, join(dirname(path), cited)].find((each) => files.has(each)) ?? null
}

/** What is wrong with the paths, links and scripts that a Markdown file names. */
export function faultsOfDocument(path: string, text: string, grounds: Grounds, scripts: ReadonlySet<string>): string[] {
  const faults: string[] = []
  const prose = withoutFences(text)
  for (const [, token = ''] of prose.matchAll(quoted)) {
    if (isPath(token) && !isThere(path, token, grounds)) faults.push(`there is no ${token}`)
  }
  for (const [, target = ''] of prose.matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^[a-z]+:/.test(target)) continue
    const [file = '', anchor] = target.split('#')
    const found = file === '' ? path : relative(root, resolve(root, dirname(path), file))
    if (!existsSync(join(root, found))) faults.push(`there is no ${target}`)
    else if (anchor && !grounds.headings(found).map(slug).includes(anchor)) faults.push(`${found} has no #${anchor}`)
  }
  for (const [, script = ''] of text.matchAll(/\bnpm run ([\w:-]+)/g)) {
    if (!scripts.has(script)) faults.push(`there is no script ${script}`)
  }
  return faults
}

function withoutFences(text: string): string {
  return text.replace(/^```[\s\S]*?^```/gm, '').replace(/^ {4}.*$/gm, '')
}

/** The anchor that GitHub gives a heading. */
function slug(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')
}

const tops = /^(?:internal|cmd|test|docs|runtime|findings|deploy|\.ci)\//

/** Whether a word in backticks names a file or folder of a repository like this one. */
function isPath(token: string): boolean {
  if (/[*<>{}$~|()]/.test(token)) return false
  return tops.test(token) || /^[\w.-]+(?:\/[\w.-]+)*\.(?:ts|mts|mjs|cjs|sh)$/.test(token)
}

/** Paths are taken from the root, from `internal`, or from the folder of the file; a name alone is looked for below that. */
function isThere(path: string, token: string, { files }: Grounds): boolean {
  const home = dirname(path)
  if (token.includes('/')) {
    return [token, join('internal', token), join(home, token)].some((each) => existsSync(join(root, each)))
  }
  const below = home === '.' || home === 'docs' ? '' : `${home}/`
  return [...files].some((file) => file.startsWith(below) && file.split('/').at(-1) === token)
}

/** Whether a file holds comments of ours. */
export function isSource(path: string): boolean {
  return ['.ts', '.mts', '.mjs', '.cjs', '.sh'].includes(extname(path)) || statSync(join(root, path)).mode % 2 === 1
}
