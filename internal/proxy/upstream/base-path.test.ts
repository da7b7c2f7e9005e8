import { expect, test } from 'vitest'
import { pathsBelow } from './base-path.ts'

test.each([
  ['a base without a path', '', '/v1/chat/completions', '/v1/chat/completions'],
  ['a base without a path and nothing below it', '', '', ''],
  ['a base with a slash at its end', '/api/', '/v1/models', '/api/v1/models'],
  ['a version in the base and in the request', '/v1', '/v1/chat/completions', '/v1/chat/completions'],
  ['a version in the base alone', '/v1', '/chat/completions', '/v1/chat/completions'],
  ['a version and nothing below it', '/v1', '/v1', '/v1'],
  ['a version and a slash', '/v1', '/v1/', '/v1/'],
  ['a version below a path', '/openai/v1', '/v1/responses', '/openai/v1/responses'],
  ['a version with what stands before it', '/openai/v1', '/openai/v1/responses', '/openai/v1/responses'],
  ['a version with what stands behind it', '/v1beta/openai', '/v1beta/openai/embeddings', '/v1beta/openai/embeddings'],
  ['a part behind the version alone', '/v1beta/openai', '/openai/embeddings', '/v1beta/openai/openai/embeddings'],
  ['a version of a name of its own', '/v1internal', '/v1internal/x', '/v1internal/x'],
  ['another version', '/api/paas/v4', '/v1/models', '/api/paas/v4/v1/models'],
  ['a version that only begins alike', '/v1', '/v1beta/models', '/v1/v1beta/models'],
  ['a version in the middle of the request', '/v1', '/openai/v1/models', '/v1/openai/v1/models'],
  ['the same word that is no version', '/api', '/api/chat', '/api/api/chat'],
  ['a word that begins like a version', '/video', '/video/jobs', '/video/video/jobs'],
  ['bytes that mean the same', '/v1', '/%761/models', '/v1/%761/models'],
  ['an encoded slash', '/v1', '/v1%2Fmodels', '/v1/v1%2Fmodels'],
  ['a doubled slash', '/v1', '//v1/models', '/v1//v1/models'],
])('%s: %s and %s', (_name, base, path, expected) => {
  expect(pathsBelow(base)(path)).toBe(expected)
})
