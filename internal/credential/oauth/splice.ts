/** A value to put into a JSON document, at the names that lead to it. */
export interface Change {
  readonly path: readonly [string, ...string[]]
  readonly value: string | number | null
}

interface Member {
  readonly name: string
  readonly start: number
  readonly end: number
}

/**
 * The same JSON text with some values replaced or added. Every other byte stays as it is: unknown fields, their order,
 * indentation, and numbers that JavaScript could not hold. `text` must be a valid JSON object.
 */
export function spliceJson(text: string, changes: readonly Change[]): string {
  return changes.reduce((sofar, { path, value }) => set(sofar, skipBlank(sofar, 0), path, value), text)
}

function set(text: string, open: number, path: readonly string[], value: Change['value']): string {
  const [name = '', ...rest] = path
  const members = membersOf(text, open)
  // Of a repeated name the last one counts, as for JSON.parse.
  const member = members.findLast((each) => each.name === name)
  if (!member) return insert(text, open, members.at(-1), `${JSON.stringify(name)}: ${nested(rest, value)}`)
  if (rest.length > 0 && text[member.start] === '{') return set(text, member.start, rest, value)
  return text.slice(0, member.start) + nested(rest, value) + text.slice(member.end)
}

function nested(path: readonly string[], value: Change['value']): string {
  return path.reduceRight((inner, name) => `{${JSON.stringify(name)}: ${inner}}`, JSON.stringify(value))
}

function insert(text: string, open: number, last: Member | undefined, member: string): string {
  if (!last) return `${text.slice(0, open + 1)}${member}${text.slice(open + 1)}`
  const indent = /^\s*/.exec(text.slice(open + 1))?.[0] ?? ''
  return `${text.slice(0, last.end)},${indent}${member}${text.slice(last.end)}`
}

function membersOf(text: string, open: number): Member[] {
  const members: Member[] = []
  let at = skipBlank(text, open + 1)
  while (text[at] === '"') {
    const nameEnd = skipString(text, at)
    const name: unknown = JSON.parse(text.slice(at, nameEnd))
    const start = skipBlank(text, skipBlank(text, nameEnd) + 1)
    const end = skipValue(text, start)
    members.push({ name: String(name), start, end })
    at = skipBlank(text, skipBlank(text, end) + 1)
  }
  return members
}

function skipBlank(text: string, from: number): number {
  let at = from
  while (at < text.length && ' \t\r\n\ufeff'.includes(text[at]!)) at++
  return at
}

function skipString(text: string, from: number): number {
  let at = from + 1
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at + 1
}

function skipValue(text: string, from: number): number {
  let at = from
  for (let depth = 0; at < text.length; ) {
    const char = text[at]!
    if (char === '"') at = skipString(text, at)
    else if (depth === 0 && ',}] \t\r\n'.includes(char)) return at
    else {
      if (char === '{' || char === '[') depth++
      else if (char === '}' || char === ']') depth--
      at++
    }
    if (depth === 0 && '"}]'.includes(char)) return at
  }
  return at
}
