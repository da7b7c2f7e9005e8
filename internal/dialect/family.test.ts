import { describe, expect, it } from 'vitest'
import { isOneFamily, pathFor, spokenTo } from './family.ts'

describe('a family of providers', () => {
  it.each([
    ['codex', 'openai', true],
    ['openai', 'azure', true],
    ['anthropic', 'anthropic', true],
    ['anthropic', 'openai', false],
    ['openai', 'gemini', false],
  ])('%s and %s: %s', (one, other, together) => {
    expect(isOneFamily(one, other)).toBe(together)
  })

  it('speaks to its members as the pool does, and to others in their own way', () => {
    const pool = { provider: 'azure', shape: 'openai' }
    expect(spokenTo(pool, 'azure')).toBe(pool)
    expect(spokenTo(pool, 'codex')).toEqual({ provider: 'codex', shape: 'openai' })
  })

  it.each([
    ['codex', 'https://chatgpt.com/backend-api/codex', '/v1/responses', '/responses'],
    ['openai', 'https://api.openai.com', '/responses', '/v1/responses'],
    ['openai', 'https://api.openai.com', '/v1/responses', '/v1/responses'],
    ['openai', 'https://gateway.example/v1', '/responses/compact', '/responses/compact'],
    ['azure', 'https://me.openai.azure.com', '/v1/responses', '/openai/v1/responses'],
    ['azure', 'https://me.openai.azure.com/openai/v1/', '/responses', '/responses'],
  ])('puts the path for %s below %s: %s is %s', (provider, baseUrl, path, found) => {
    expect(pathFor(provider, baseUrl, path)).toBe(found)
  })
})
