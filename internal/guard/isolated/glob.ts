/**
 * Whether a path below a folder, with `/` between its parts, matches a pattern: `*` and `?` stay within a part, `**` spans
 * parts, `{a,b}` is one of several. Names that begin with a dot are like others. No more than that, on purpose: what matches
 * may be deleted, and in the languages of glob libraries a `!` or a bracket selects what nobody meant.
 */
export function matcher(pattern: string): (path: string) => boolean {
  if (pattern === '**' || pattern === '**/*') return () => true
  const compiled = new RegExp(`^${translated(pattern)}$`, 's')
  return (path) => compiled.test(path)
}

function translated(pattern: string): string {
  let text = ''
  let depth = 0
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i]!
    if (pattern.startsWith('**/', i)) {
      text += '(?:.*/)?'
      i += 2
    } else if (pattern.startsWith('**', i)) {
      text += '.*'
      i++
    } else if (char === '*') text += '[^/]*'
    else if (char === '?') text += '[^/]'
    else if (char === '{' && pattern.indexOf('}', i) > i) {
      text += '(?:'
      depth++
    } else if (char === '}' && depth > 0) {
      text += ')'
      depth--
    } else if (char === ',' && depth > 0) text += '|'
    else text += char.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
  }
  return text
}
