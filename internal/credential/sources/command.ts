import { spawnSync } from 'node:child_process'

/** What a credential command printed: the secret, what it is, and when it ends (null: it says nothing of an end). */
export interface Printed {
  readonly secret: string
  /** null: plain text, which the credential's own `auth` names. */
  readonly kind: 'api-key' | 'bearer-token' | null
  readonly expiresAt: number | null
}

/**
 * Splits a command line into words: blanks separate, single and double quotes group, a backslash takes the next character
 * literally (inside double quotes only before `"` and `\`). Nothing is expanded and no shell runs; who wants one writes
 * `sh -c '…'`. Throws an Error for an open quote or an empty line.
 */
export function splitCommand(line: string): readonly [string, ...string[]] {
  const words: string[] = []
  let word: string | null = null
  let quote: '"' | "'" | null = null
  for (let i = 0; i < line.length; i++) {
    const char = line[i]!
    const next = line[i + 1]
    if (char === '\\' && quote !== "'" && next !== undefined && (quote === null || next === '"' || next === '\\')) {
      word = (word ?? '') + next
      i++
    } else if (quote !== null) {
      if (char === quote) quote = null
      else word += char
    } else if (char === '"' || char === "'") {
      quote = char
      word ??= ''
    } else if (/\s/.test(char)) {
      if (word !== null) words.push(word)
      word = null
    } else word = (word ?? '') + char
  }
  if (quote !== null) throw new Error(`the command has an open ${quote === '"' ? 'double' : 'single'} quote`)
  if (word !== null) words.push(word)
  const [first, ...rest] = words
  if (!first) throw new Error('the command is empty')
  return [first, ...rest]
}

/** Runs a program directly and returns what it printed; throws an Error that never quotes its output. Blocks. */
export function outputOf(words: readonly [string, ...string[]], timeoutMs: number): string {
  const [program, ...args] = words
  const done = spawnSync(program, args, {
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
    maxBuffer: 64 * 1024,
    encoding: 'utf8',
  })
  if (done.error) throw done.error
  if (done.signal) throw new Error(`${program} was ended by ${done.signal}`)
  if (done.status !== 0) throw new Error(`${program} ended with exit code ${done.status}`)
  return done.stdout
}

/**
 * Reads what a command printed: a JSON object with `token`, `access_token` or `api_key` and optionally `expires_at` or
 * `expiry` (RFC 3339, or seconds or milliseconds since 1970), or else the secret as plain text. Throws an Error that
 * does not quote the output.
 */
export function readPrinted(output: string): Printed {
  const text = output.trim()
  if (text === '') throw new Error('the command printed nothing')
  if (!text.startsWith('{')) {
    if (/[\r\n]/.test(text)) throw new Error('the command printed more than one line')
    return { secret: text, kind: null, expiresAt: null }
  }
  const fields = object(text)
  const token = word(fields.token) ?? word(fields.access_token)
  const secret = token ?? word(fields.api_key)
  if (secret === null) throw new Error('the command printed JSON without token, access_token or api_key')
  const end = fields.expires_at ?? fields.expiry ?? null
  return { secret, kind: token === null ? 'api-key' : 'bearer-token', expiresAt: end === null ? null : instant(end) }
}

/** An instant in ms of RFC 3339 text, or of a number that counts seconds or milliseconds; throws on anything else. */
export function instant(value: unknown): number {
  const number = typeof value === 'number' ? value : typeof value === 'string' ? Number(value) : Number.NaN
  // Seconds reach 1e11 in the year 5138; milliseconds passed it in 1973.
  if (Number.isFinite(number) && number > 0) return Math.round(number < 1e11 ? number * 1000 : number)
  const parsed = typeof value === 'string' ? Date.parse(value) : Number.NaN
  if (Number.isNaN(parsed)) throw new Error('the expiry is neither RFC 3339 nor a number of seconds')
  return parsed
}

function object(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return { ...value }
  } catch {
    // The parser's message quotes the text, which may hold the secret.
  }
  throw new Error('the command printed JSON that cannot be read')
}

function word(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}
