const hidden = '[redacted]'

/** Names whose value is a secret wherever they stand with `=` or `:` after them, also inside JSON inside a string. */
const secretNames =
  '(?:x-)?(?:goog-)?api[-_]?key|(?:access|refresh|id|auth|session)[-_]?token|client[-_]?secret|password|passwd'

/** Names that are ordinary words, too: their value counts as a secret only after `=` or between quotes. */
const wordNames = '(?:k|%6b)(?:e|%65)(?:y|%79)|token|secret|sig|signature|authorization'

/** To the closing quote, or to the end of the line where the text was cut off. */
const quoted = String.raw`\\?"[^"\n]*"?|\\?'[^'\n]*'?`
const bare = String.raw`(?!\[redacted\])[^\s,;&"'}#]+`

const rules: readonly (readonly [RegExp, string])[] = [
  // https://user:password@host
  [/(:\/\/)[^/\s@"']+@/g, `$1${hidden}@`],
  // whole headers, whose values have spaces
  [/\b((?:set-)?cookie|proxy-authorization)\s*:\s*(?!\[redacted\]).+/gi, `$1: ${hidden}`],
  // Authorization: Bearer …, Basic …; not the words "Bearer token" and "Basic authentication"
  [/\b(Bearer|Basic)\s+(?!(?:token|auth|authentication|authorization|scheme|realm)\b)[\w.~+/=-]{6,}/gi, `$1 ${hidden}`],
  [/\bauthorization:\s*(?!Bearer|Basic|\[redacted\])\S+/gi, `authorization: ${hidden}`],
  [new RegExp(String.raw`(?<![\w])((?:${secretNames})\\?["']?\s*[:=]\s*)(?:${quoted}|${bare})`, 'gi'), `$1${hidden}`],
  [new RegExp(String.raw`(["'](?:${wordNames})\\?["']\s*:\s*)(?:${quoted})`, 'gi'), `$1${hidden}`],
  [new RegExp(String.raw`(?<![\w])((?:${wordNames})=)(?:${quoted}|${bare})`, 'gi'), `$1${hidden}`],
  [new RegExp(`([?&]code=)${bare}`, 'gi'), `$1${hidden}`],
  // "Incorrect API key provided: …"
  [new RegExp(`((?:key|token|secret|credential)s? (?:provided|supplied|given): )${bare}`, 'gi'), `$1${hidden}`],
  // OpenAI, Anthropic, OpenRouter and our own keys, also when an upstream has masked their middle with asterisks
  [/(?<![A-Za-z0-9])sk-[\w*.…-]{6,}/g, hidden],
  // JSON Web Tokens, whole or cut off
  [/(?<![A-Za-z0-9])eyJ[\w-]{10,}(?:\.[\w-]*){0,4}/g, hidden],
  // Google keys and tokens, then those of other services that people put into messages
  [/(?<![A-Za-z0-9])AIza[\w-]{10,}/g, hidden],
  [/(?<![A-Za-z0-9])(?:ya29\.|1\/\/|GOCSPX-)[\w.-]{10,}/g, hidden],
  [/(?<![A-Za-z0-9])(?:gh[opsu]_|github_pat_|xox[abeprs]-|xai-|gsk_|rt_|pplx-|hf_|AKIA|ASIA)[\w.-]{10,}/g, hidden],
  // Telegram bot tokens, also inside /bot…/ paths
  [/\d{6,12}:[\w-]{30,}/g, hidden],
  [/openai-insecure-api-key\.[^\s,"']+/g, `openai-insecure-api-key.${hidden}`],
]

/** Long random text without a known form, such as an Azure key; digests in hexadecimal are no secrets. */
const random = /(?<![\w+/-])[\w+/-]{48,}={0,2}/g

/**
 * The text without anything that looks like a credential. Applying it twice changes nothing more. It errs on the side of
 * hiding, and it cannot know a secret without a form: those must not be passed in.
 */
export function redact(text: string): string {
  let clean = text
  for (const [pattern, replacement] of rules) clean = clean.replace(pattern, replacement)
  return clean.replace(random, (found) => (isRandom(found) ? hidden : found))
}

function isRandom(text: string): boolean {
  return /[a-z]/.test(text) && /[A-Z]/.test(text) && /\d/.test(text)
}
