import type { Provider } from './port.ts'

/** How the keys of providers begin, the longest first; only what no other provider uses. */
const beginnings: readonly (readonly [string, readonly [Provider, ...Provider[]]])[] = [
  ['sk-ant-', ['anthropic']],
  ['sk-or-', ['openrouter']],
  ['sk-proj-', ['openai']],
  ['sk-svcacct-', ['openai']],
  ['sk-kimi-', ['kimi']],
  ['AIza', ['gemini', 'vertex']],
  ['gsk_', ['groq']],
  ['xai-', ['xai']],
  ['csk-', ['cerebras']],
  ['fw_', ['fireworks']],
]

/** The provider whose keys begin like this one, if it is another than `provider`; null when it may well be its own. */
export function foreignIssuer(key: string, provider: string): Provider | null {
  const found = beginnings.find(([beginning]) => key.startsWith(beginning))?.[1]
  return found === undefined || found.some((each) => each === provider) ? null : found[0]
}
