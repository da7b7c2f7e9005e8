import { expect, test } from 'vitest'
import { foreignIssuer } from './issuer.ts'

test.each([
  ['a key of Anthropic for openai', 'sk-ant-api03-x', 'openai', 'anthropic'],
  ['its own key', 'sk-ant-api03-x', 'anthropic', null],
  ['a key whose beginning many use', 'sk-0123', 'deepseek', null],
  ['a key of OpenRouter for openai', 'sk-or-v1-x', 'openai', 'openrouter'],
  ['a key of Google for either of its APIs', 'AIzaX', 'vertex', null],
  ['a key of Google for openai', 'AIzaX', 'openai', 'gemini'],
  ['a key without a known beginning', 'abc', 'openai', null],
])('%s', (_name, key, provider, issuer) => {
  expect(foreignIssuer(key, provider)).toBe(issuer)
})
