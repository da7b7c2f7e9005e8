import { expect, test } from 'vitest'
import { modelAsked } from './model-name.ts'

test.each([
  ['/v1/chat/completions', 'gpt-5', 'gpt-5'],
  ['/v1/chat/completions', null, null],
  ['/v1beta/models/gemini-2.5-pro:generateContent', null, 'gemini-2.5-pro'],
  ['/v1beta/models/gemini-2.5-pro%3AstreamGenerateContent', null, 'gemini-2.5-pro'],
  ['/v1beta/tunedModels/mine:generateContent', null, 'mine'],
  ['/v1beta/openai/chat/completions', 'models/gemini-2.5-flash', 'gemini-2.5-flash'],
  ['/openai/deployments/gpt-5-eu/chat/completions', 'gpt-5', 'gpt-5-eu'],
  ['/model/anthropic.claude-sonnet-4-5-v1%3A0/invoke', null, 'anthropic.claude-sonnet-4-5-v1'],
])('%s with %s asks for %s', (path, inBody, model) => {
  expect(modelAsked(path, inBody)).toBe(model)
})
