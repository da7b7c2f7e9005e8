import { expect, test } from 'vitest'
import { clientKind } from './dialect.ts'

const rows: readonly [string, string | undefined, string][] = [
  ['opencode', 'opencode/1.18.33 ai-sdk/provider-utils/5.0.81 runtime/bun/1.3.14', 'heeds-402'],
  ['opencode, named by its provider', 'ai-sdk/openai/4.0.118 ai-sdk/provider-utils/5.0.81', 'heeds-402'],
  ['cline', 'Cline/3.0.65 ai-sdk/openai-compatible/3.0.92', 'heeds-402'],
  ['kimi-code', 'kimi-code-cli/2.1.0', 'heeds-402'],
  ['Continue', 'ls/JS 6.1.0', 'heeds-402'],
  ['another build of Continue', 'a$/JS 6.1.0', 'heeds-402'],
  ['codex', 'codex_exec/0.171.0 (Debian 12; x86_64) dumb', 'heeds-429'],
  ['claude', 'claude-cli/2.1.332 (external, sdk-cli)', 'heeds-429'],
  ['gemini', 'GeminiCLI/0.61.0/gemini-2.5-pro (linux; x64)', 'heeds-429'],
  ['the OpenAI SDK', 'OpenAI/JS 7.59.0', 'heeds-429'],
  ['the Anthropic SDK', 'Anthropic/JS 1.14.0', 'heeds-429'],
  ['a word that ends alike', 'thai-sdkfoo/1.0', 'heeds-429'],
  ['an empty name', '', 'heeds-429'],
  ['nobody', undefined, 'heeds-429'],
]

test.each(rows)('%s (%s) %s', (_name, userAgent, kind) => {
  expect(clientKind(userAgent)).toBe(kind)
})
