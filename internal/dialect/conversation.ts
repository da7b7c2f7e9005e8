import { remembered, sameName } from './headers.ts'

/** Headers in which agent programs name their conversation, the most telling first. */
const named = ['sessionid', 'conversationid', 'threadid', 'xsessionaffinity', 'xsessionid', 'xclaudecodesessionid']

const rankOf = remembered((name) => named.indexOf(sameName(name)))

/** How much of a first message tells conversations apart, in characters. */
const telling = 4_096

/** The conversation that a request names in its raw headers; null when it names none. */
export function conversationInHeaders(headers: readonly string[]): string | null {
  let best = named.length
  let found: string | null = null
  for (let at = 0; at < headers.length; at += 2) {
    const rank = rankOf(headers[at]!)
    if (rank < 0 || rank >= best || !headers[at + 1]) continue
    best = rank
    found = `session ${headers[at + 1]}`
  }
  return found
}

const cacheKey = /"prompt_cache_key"\s*:\s*"([^"\\]{1,512})"/

/** The conversation that a piece of a JSON body names by its `prompt_cache_key`; null when it names none. */
export function conversationInText(text: string): string | null {
  const key = cacheKey.exec(text)?.[1]
  return key === undefined ? null : `cache ${key}`
}

/** The conversation of a JSON body: what it names, else the first thing that a user says in it; null when there is neither. */
export function conversationInBody(body: unknown): string | null {
  const { prompt_cache_key: key, metadata, messages, input, contents } = fieldsOf(body)
  if (typeof key === 'string' && key !== '') return `cache ${key}`
  const user = fieldsOf(metadata).user_id
  if (typeof user === 'string' && user !== '') return `user ${user}`
  if (typeof input === 'string') return `says ${input.slice(0, telling)}`
  for (const list of [messages, input, contents]) {
    const first = Array.isArray(list) ? list.find(isOfUser) : undefined
    if (first !== undefined) return `says ${JSON.stringify(first).slice(0, telling)}`
  }
  return null
}

/** Gemini's clients may leave the role out. */
function isOfUser(message: unknown): boolean {
  const { role } = fieldsOf(message)
  return role === 'user' || role === undefined
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
