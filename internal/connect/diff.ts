import { createTwoFilesPatch, FILE_HEADERS_ONLY } from 'diff'

/** What became of one file. */
export interface FileChange {
  readonly path: string
  /** null: the file is not there. */
  readonly before: string | null
  readonly after: string | null
}

/** The change as a unified diff in which secrets are masked; empty when nothing changes. */
export function maskedDiff({ path, before, after }: FileChange): string {
  if (before === after) return ''
  const [from, to] = [before === null ? '/dev/null' : path, after === null ? '/dev/null' : path]
  const patch = createTwoFilesPatch(from, to, before ?? '', after ?? '', '', '', {
    context: 3,
    headerOptions: FILE_HEADERS_ONLY,
  })
  return patch
    .replace(/^(---|\+\+\+) (.*)\t$/gm, '$1 $2')
    .split('\n')
    .map(masked)
    .join('\n')
    .trimEnd()
}

/** Names of values that are secrets, in JSON, TOML and dotenv. */
const named =
  /((?:api|auth|access|secret|private|refresh|client|bearer)?[\w-]*(?:key|token|secret|password|passwd|authorization|credential)s?["'`]?\s*[:=]\s*)("(?:\\.|[^"\\])*"|'[^']*'|`[^`]*`|[^\s#,"'`{[][^\s#,]*)/gi

/** Values that show by themselves what they are: keys of providers, tokens, and our own. */
const telling =
  /\b(?:sk-[\w-]{8,}|AIza[\w-]{20,}|gh[opsu]_\w{16,}|eyJ[\w-]+\.[\w-]+(?:\.[\w-]+)?)|(?<=Bearer\s)[\w.~+/-]{8,}/g

/** The line with what looks like a secret cut down to its kind. */
function masked(line: string): string {
  return line
    .replace(telling, shortened)
    .replace(named, (_, before: string, value: string) => before + shortened(value))
}

/** Enough to see which one it is, never enough to use it. */
function shortened(value: string): string {
  const [, quote = '', inner = value] = /^(["'`])(.*)\1$/s.exec(value) ?? []
  if (/^(?:true|false|null|\d+|)$/.test(inner) || inner.includes('…')) return value
  const kind = /^(?:sk-spillway-|sk-ant-|sk-|AIza|gh._)/.exec(inner)?.[0] ?? ''
  return `${quote}${kind}…${quote}`
}
