import { holdsKey } from '../../keys/keys.ts'

/** A request target that may be forwarded: the pool, and what follows it byte for byte. */
export interface Target {
  readonly pool: string
  /** Begins with `/`, or is empty when the target was the pool alone. */
  readonly path: string
  /** Begins with `?`, or is empty. */
  readonly query: string
}

/** A request target that is refused, with the named reason. */
export interface BadTarget {
  readonly refused: 'not-origin-form' | 'authority' | 'backslash' | 'dot-segment' | 'fragment' | 'client-key'
}

const suspicious = /[\\%.#]/
const encodedSeparatorOrDot = /%(?:2e|2f|5c)/gi
const decoded: Readonly<Record<string, string>> = { '%2e': '.', '%2f': '/', '%5c': '\\' }

/**
 * Splits an origin-form target into pool and rest. Refused is whatever could reach another host or escape the pool's
 * base path on any upstream: absolute form, a leading `//`, backslashes, and dot segments however they are encoded
 * (RFC 3986, 5.2.4 and 6.2.2), and a path with a client key, which an upstream would log. Nothing is decoded in what is
 * passed on, so `openai%2Fgpt` stays as it is.
 */
export function parseTarget(url: string): Target | BadTarget {
  if (url.charCodeAt(0) !== 47) return { refused: 'not-origin-form' }
  if (url.charCodeAt(1) === 47) return { refused: 'authority' }
  const mark = url.indexOf('?')
  const path = mark === -1 ? url : url.slice(0, mark)
  const query = mark === -1 ? '' : url.slice(mark)
  if (suspicious.test(path)) {
    const refused = refusal(path)
    if (refused) return { refused }
  }
  if (query.includes('#')) return { refused: 'fragment' }
  if (holdsKey(path)) return { refused: 'client-key' }
  const end = path.indexOf('/', 1)
  if (end === -1) return { pool: path.slice(1), path: '', query }
  return { pool: path.slice(1, end), path: path.slice(end), query }
}

function refusal(path: string): BadTarget['refused'] | null {
  if (path.includes('#')) return 'fragment'
  const plain = path.includes('%')
    ? path.replace(encodedSeparatorOrDot, (code) => decoded[code.toLowerCase()] ?? '')
    : path
  for (const segment of plain.split(/[/\\]/)) {
    // Some servers cut a segment at `;` before they resolve dots.
    const name = segment.split(';', 1)[0]
    if (name === '.' || name === '..') return 'dot-segment'
  }
  return path.includes('\\') || plain.startsWith('/\\') ? 'backslash' : null
}
