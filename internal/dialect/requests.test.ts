import { describe, expect, test } from 'vitest'
import { dialectOf, type Injection, type Provider, providers, type Shape, shapesOf, spokenBy } from './dialect.ts'

const key: Injection = { secret: 'S', kind: 'api-key', accountId: null, header: null }
const token: Injection = { ...key, kind: 'bearer-token' }

test('every provider has its dialect', () => {
  for (const provider of providers) {
    const [own] = shapesOf(provider)
    expect(dialectOf(provider)).toMatchObject({ provider, shape: own })
    for (const shape of shapesOf(provider)) {
      expect(dialectOf(provider, shape)).toMatchObject({ provider, shape })
      expect(spokenBy({ provider, shape })).toBe(dialectOf(provider, shape))
    }
    expect(spokenBy({ provider })).toBe(dialectOf(provider))
  }
})

test('a shape that a provider does not offer is refused', () => {
  expect(() => dialectOf('groq', 'anthropic')).toThrow('groq does not offer the shape anthropic')
})

test('a provider may offer its API in more than one shape, each with an address of its own', () => {
  const bases = (provider: Provider) =>
    Object.fromEntries(shapesOf(provider).map((shape) => [shape, dialectOf(provider, shape).defaultBaseUrl]))
  expect(bases('zai')).toEqual({ openai: 'https://api.z.ai/api/paas/v4', anthropic: 'https://api.z.ai/api/anthropic' })
  expect(bases('gemini')).toEqual({
    gemini: 'https://generativelanguage.googleapis.com',
    openai: 'https://generativelanguage.googleapis.com/v1beta/openai',
  })
  expect(bases('bedrock')).toEqual({ openai: null, anthropic: null })
})

describe('inject', () => {
  interface Case {
    readonly name: string
    readonly provider: Provider
    readonly shape?: Shape
    readonly injection: Injection
    readonly before?: readonly string[]
    readonly after: readonly string[]
  }
  const bearer = ['authorization', 'Bearer S']
  const cases: readonly Case[] = [
    {
      name: 'openai',
      provider: 'openai',
      injection: key,
      before: ['Accept', '*/*'],
      after: ['Accept', '*/*', ...bearer],
    },
    { name: 'openrouter', provider: 'openrouter', injection: key, after: bearer },
    {
      name: 'a key that was not stripped is replaced, in any spelling',
      provider: 'openai',
      injection: key,
      before: ['Authorization', 'Bearer K', 'a', 'b', 'AUTHORIZATION', 'Bearer K'],
      after: ['a', 'b', ...bearer],
    },
    { name: 'generic', provider: 'generic', injection: key, after: bearer },
    {
      name: 'generic with its own header',
      provider: 'generic',
      injection: { ...key, header: 'X-Token' },
      before: ['x_token', 'K'],
      after: ['X-Token', 'S'],
    },
    {
      name: 'codex drops the account of the client',
      provider: 'codex',
      injection: { ...token, accountId: 'acc' },
      before: ['ChatGPT-Account-Id', 'theirs', 'originator', 'codex'],
      after: ['originator', 'codex', ...bearer, 'chatgpt-account-id', 'acc'],
    },
    {
      name: 'codex without an account',
      provider: 'codex',
      injection: token,
      before: ['chatgpt-account-id', 'theirs'],
      after: bearer,
    },
    {
      name: 'anthropic key',
      provider: 'anthropic',
      injection: key,
      before: ['anthropic-beta', 'context-1m'],
      after: ['anthropic-beta', 'context-1m', 'x-api-key', 'S'],
    },
    {
      name: 'anthropic token',
      provider: 'anthropic',
      injection: token,
      before: ['X-Api-Key', 'K'],
      after: [...bearer, 'anthropic-beta', 'oauth-2025-04-20'],
    },
    {
      name: 'anthropic token, merged into the betas of the client',
      provider: 'anthropic',
      injection: token,
      before: ['Anthropic-Beta', 'claude-code,context-1m', 'a', 'b'],
      after: ['Anthropic-Beta', 'claude-code,context-1m,oauth-2025-04-20', 'a', 'b', ...bearer],
    },
    {
      name: 'anthropic token, once',
      provider: 'anthropic',
      injection: token,
      before: ['anthropic-beta', 'x', 'anthropic-beta', 'a, oauth-2025-04-20'],
      after: ['anthropic-beta', 'x', 'anthropic-beta', 'a, oauth-2025-04-20', ...bearer],
    },
    {
      name: 'anthropic token, in place of an empty list',
      provider: 'anthropic',
      injection: token,
      before: ['anthropic-beta', ' '],
      after: [...bearer, 'anthropic-beta', 'oauth-2025-04-20'],
    },
    {
      name: 'anthropic login token that was given as a key',
      provider: 'anthropic',
      injection: { ...key, secret: 'sk-ant-oat01-S' },
      before: ['X-Api-Key', 'K', 'anthropic-beta', 'context-1m'],
      after: ['anthropic-beta', 'context-1m,oauth-2025-04-20', 'authorization', 'Bearer sk-ant-oat01-S'],
    },
    { name: 'gemini key', provider: 'gemini', injection: key, after: ['x-goog-api-key', 'S'] },
    { name: 'gemini token', provider: 'gemini', injection: token, after: bearer },
    {
      name: 'generic behind Anthropic’s shape',
      provider: 'generic',
      shape: 'anthropic',
      injection: key,
      after: bearer,
    },
    { name: 'zai behind Anthropic’s shape', provider: 'zai', shape: 'anthropic', injection: key, after: bearer },
    { name: 'vertex key', provider: 'vertex', injection: key, after: ['x-goog-api-key', 'S'] },
    { name: 'azure key', provider: 'azure', injection: key, after: ['api-key', 'S'] },
    { name: 'azure token', provider: 'azure', injection: token, after: bearer },
  ]
  test.each(cases)('$name', ({ provider, shape, injection, before = [], after }) => {
    const headers = [...before]
    dialectOf(provider, shape).inject(headers, injection)
    expect(headers).toEqual(after)
  })
})

describe('model', () => {
  const cases: readonly [Provider, string, unknown, string | null][] = [
    ['openai', '/v1/responses', { model: 'gpt-5' }, 'gpt-5'],
    ['openai', '/v1/responses', null, null],
    ['openai', '/v1/responses', { model: 7 }, null],
    ['codex', '/responses', { model: 'gpt-5-codex' }, 'gpt-5-codex'],
    ['openrouter', '/v1/chat/completions', { model: 'anthropic/claude-sonnet-4.5' }, 'anthropic/claude-sonnet-4.5'],
    ['anthropic', '/v1/messages', { model: 'claude-opus-4-1-20250805' }, 'opus'],
    ['anthropic', '/v1/messages', { model: 'claude-3-5-sonnet-20241022' }, 'sonnet'],
    ['anthropic', '/v1/messages', { model: 'claude-haiku-4-5' }, 'haiku'],
    ['anthropic', '/v1/messages', { model: 'claude-2.1' }, 'claude-2.1'],
    ['anthropic', '/v1/messages', [], null],
    ['gemini', '/v1beta/models/gemini-2.5-pro:streamGenerateContent', null, 'gemini-2.5-pro'],
    ['gemini', '/v1beta/models%2Fgemini-2.5-pro%3AgenerateContent?alt=sse', null, 'gemini-2.5-pro'],
    ['gemini', '/v1beta/tunedModels/mine:generateContent', null, 'tunedModels/mine'],
    ['gemini', '/v1beta/models', null, null],
    ['gemini', '/v1beta/openai/chat/completions', { model: 'gemini-2.5-flash' }, 'gemini-2.5-flash'],
    ['gemini', '/v1beta/openai/chat/completions', { model: 'models/gemini-2.5-flash' }, 'gemini-2.5-flash'],
    ['gemini', '/v1internal:streamGenerateContent?alt=sse', { model: 'gemini-2.5-pro', request: {} }, 'gemini-2.5-pro'],
    ['vertex', '/v1/projects/p/locations/l/publishers/google/models/gemini-3:generateContent', null, 'gemini-3'],
    ['bedrock', '/model/us.anthropic.claude-v1%3A0/converse', null, 'us.anthropic.claude-v1:0'],
    ['bedrock', '/v1/chat/completions', { model: 'openai.gpt-oss' }, 'openai.gpt-oss'],
    ['azure', '/openai/deployments/gpt-4o/chat/completions?api-version=1', { model: 'x' }, 'gpt-4o'],
    ['azure', '/openai/v1/responses', { model: 'gpt-5' }, 'gpt-5'],
    ['generic', '/anything', 'model', null],
  ]
  test.each(cases)('%s %s %j is %s', (provider, path, body, family) => {
    expect(dialectOf(provider).model(path, body)).toBe(family)
  })
})

describe('probe', () => {
  const cases: readonly [Provider, string, string | null, string | null][] = [
    ['openai', 'https://api.openai.com', null, '/v1/models'],
    ['openai', 'http://127.0.0.1:9/v1/', null, '/models'],
    ['openai', 'https://v1', null, '/v1/models'],
    ['openai', 'https://api.openai.com', '/v1/me', '/v1/me'],
    ['anthropic', 'https://api.anthropic.com/', null, '/v1/models'],
    ['gemini', 'https://generativelanguage.googleapis.com', null, '/v1beta/models'],
    ['gemini', 'https://generativelanguage.googleapis.com/v1beta', null, '/models'],
    ['openrouter', 'https://openrouter.ai/api', null, '/v1/key'],
    ['openrouter', 'https://openrouter.ai/api/v1', null, '/key'],
    ['azure', 'https://x.openai.azure.com', null, '/openai/models?api-version=2024-10-21'],
    ['azure', 'https://x.openai.azure.com/openai', null, '/models?api-version=2024-10-21'],
    ['azure', 'https://x.openai.azure.com/openai/v1', null, '/models'],
    ['openai', 'https://api.z.ai/api/paas/v4', null, '/models'],
    ['openai', 'https://ark.cn-beijing.volces.com/api/v3/', null, '/models'],
    ['openai', 'https://generativelanguage.googleapis.com/v1beta/openai', null, '/models'],
    ['groq', 'https://api.groq.com/openai', null, '/v1/models'],
    ['zai', 'https://open.bigmodel.cn/api/coding/paas/v4', null, '/models'],
    ['vertex', 'https://aiplatform.googleapis.com/v1', null, '/publishers/google/models'],
    ['codex', 'https://chatgpt.com/backend-api/codex', null, null],
    ['codex', 'https://chatgpt.com/backend-api/codex', '/ping', '/ping'],
    ['generic', 'http://127.0.0.1:9', null, null],
    ['generic', 'http://127.0.0.1:9', '/ping', '/ping'],
  ]
  test.each(cases)('%s at %s with %s asks %s', (provider, base, probePath, path) => {
    const probe = path === null ? null : { method: 'GET', path }
    expect(dialectOf(provider).probe(base, probePath)).toEqual(probe)
  })
})

describe('local', () => {
  test.each(['/', '', '/?x=1'])('HEAD "%s" of an Anthropic pool is answered with an empty 200', (path) => {
    expect(dialectOf('anthropic').local('HEAD', path, true)).toEqual({ status: 200, headers: {}, body: '' })
  })

  test.each(['/', '/api/hello', '/v1/messages', '/anything?x=1'])('so is a HEAD "%s" without a key', (path) => {
    expect(dialectOf('anthropic').local('HEAD', path, false)).toEqual({ status: 200, headers: {}, body: '' })
  })

  test.each(providers)('%s sends every other request on', (provider) => {
    expect(dialectOf(provider).local('GET', '/', false)).toBeNull()
    expect(dialectOf(provider).local('HEAD', '/v1/models', true)).toBeNull()
  })
})
