import { describe, expect, it, test } from 'vitest'
import { asksModel, type Tokens, tokensOf, tokensTold } from './tokens.ts'

const none: Tokens = { input: 0, cached: 0, cacheWrite: 0, cacheWriteHour: 0, output: 0, reasoning: 0 }

describe('a usage object', () => {
  test.each<[string, object, Partial<Tokens>]>([
    [
      'of a chat completion',
      {
        prompt_tokens: 2_006,
        completion_tokens: 300,
        total_tokens: 2_306,
        prompt_tokens_details: { cached_tokens: 1_920, audio_tokens: 0 },
        completion_tokens_details: { reasoning_tokens: 64, audio_tokens: 0 },
      },
      { input: 2_006, cached: 1_920, output: 300, reasoning: 64 },
    ],
    [
      'of a chat completion that wrote into a cache',
      { prompt_tokens: 100, completion_tokens: 1, prompt_tokens_details: { cache_write_tokens: 80 } },
      { input: 100, cacheWrite: 80, output: 1 },
    ],
    [
      'of a completion whose reasoning stands beside it, as the total says (xAI)',
      {
        prompt_tokens: 32,
        completion_tokens: 9,
        total_tokens: 135,
        completion_tokens_details: { reasoning_tokens: 94 },
      },
      { input: 32, output: 103, reasoning: 94 },
    ],
    [
      'with cache hits and misses (DeepSeek)',
      { prompt_tokens: 20, completion_tokens: 5, prompt_cache_hit_tokens: 12, prompt_cache_miss_tokens: 8 },
      { input: 20, cached: 12, output: 5 },
    ],
    [
      'with cached tokens at its root (Kimi)',
      { prompt_tokens: 20, completion_tokens: 5, cached_tokens: 16 },
      { input: 20, cached: 16, output: 5 },
    ],
    ['of embeddings', { prompt_tokens: 8, total_tokens: 8 }, { input: 8 }],
    [
      'of a response',
      {
        input_tokens: 3_000,
        input_tokens_details: { cached_tokens: 2_816 },
        output_tokens: 420,
        output_tokens_details: { reasoning_tokens: 256 },
        total_tokens: 3_420,
      },
      { input: 3_000, cached: 2_816, output: 420, reasoning: 256 },
    ],
    [
      'of a message, whose input stands beside what was read from a cache and written into it',
      {
        input_tokens: 12,
        cache_creation_input_tokens: 500,
        cache_read_input_tokens: 18_000,
        cache_creation: { ephemeral_5m_input_tokens: 100, ephemeral_1h_input_tokens: 400 },
        output_tokens: 90,
        service_tier: 'standard',
      },
      { input: 18_512, cached: 18_000, cacheWrite: 500, cacheWriteHour: 400, output: 90 },
    ],
    [
      'of a message with the tokens of its thoughts',
      { input_tokens: 12, output_tokens: 90, output_tokens_details: { thinking_tokens: 70 } },
      { input: 12, output: 90, reasoning: 70 },
    ],
    [
      'of Gemini',
      {
        promptTokenCount: 1_000,
        cachedContentTokenCount: 800,
        candidatesTokenCount: 50,
        thoughtsTokenCount: 200,
        toolUsePromptTokenCount: 30,
        totalTokenCount: 1_280,
      },
      { input: 1_030, cached: 800, output: 250, reasoning: 200 },
    ],
    [
      'of Gemini where it speaks live',
      { promptTokenCount: 10, responseTokenCount: 7, totalTokenCount: 17 },
      { input: 10, output: 7 },
    ],
    [
      'whose parts are greater than the whole',
      {
        prompt_tokens: 10,
        completion_tokens: 2,
        prompt_tokens_details: { cached_tokens: 99, cache_write_tokens: 99 },
        completion_tokens_details: { reasoning_tokens: 9 },
      },
      { input: 10, cached: 10, cacheWrite: 10, output: 2, reasoning: 2 },
    ],
    [
      'with garbage beside its input',
      { input_tokens: 4, output_tokens: -1, input_tokens_details: null, output_tokens_details: 'many' },
      { input: 4 },
    ],
  ])('%s is read', (_name, usage, tokens) => {
    expect(tokensOf(usage)).toEqual({ ...none, ...tokens })
  })

  test.each<[string, unknown]>([
    ['none', null],
    ['a list', []],
    ['that counts seconds', { type: 'duration', seconds: 3 }],
    ['with an input that is no number', { prompt_tokens: '12', completion_tokens: 3 }],
    ['with an input below zero', { input_tokens: -1, output_tokens: 3 }],
    ['with an input that nobody can send', { promptTokenCount: 1e12 }],
  ])('%s says nothing', (_name, usage) => {
    expect(tokensOf(usage)).toBeNull()
  })
})

describe('what an answer tells', () => {
  const start = '{"input_tokens":12,"cache_creation_input_tokens":0,"cache_read_input_tokens":100,"output_tokens":1}'

  it('is the last usage, with what that leaves out from the first', () => {
    expect(tokensTold({ first: start, last: '{"output_tokens":55}' }, true)).toMatchObject({ input: 112, output: 55 })
  })

  it('is not hidden by what the last one has as null', () => {
    const last = '{"input_tokens":null,"cache_read_input_tokens":90,"output_tokens":55}'
    expect(tokensTold({ first: start, last }, true)).toMatchObject({ input: 102, cached: 90, output: 55 })
  })

  it('is nothing where a stream was cut behind its beginning', () => {
    expect(tokensTold({ first: start, last: start }, false)).toBeNull()
    expect(tokensTold({ first: start, last: start }, true)).toMatchObject({ input: 112 })
  })

  it('counts where a stream was cut behind its usage', () => {
    const last = '{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}'
    expect(tokensTold({ first: last, last }, false)).toMatchObject({ input: 3, output: 4 })
    expect(tokensTold({ first: start, last: '{"output_tokens":55}' }, false)).toMatchObject({ output: 55 })
    const gemini = '{"promptTokenCount":3,"totalTokenCount":3}'
    expect(tokensTold({ first: gemini, last: gemini }, false)).toMatchObject({ input: 3 })
  })

  it('is read from data of several lines', () => {
    for (const end of ['\n', '\r\n', '\r']) {
      const last = `{${end}data: "prompt_tokens": 3,${end}data:"completion_tokens": 4}`
      expect(tokensTold({ first: last, last }, true)).toMatchObject({ input: 3, output: 4 })
    }
  })

  it('is nothing where it is garbled', () => {
    expect(tokensTold({ first: '{"input_tokens":}', last: '{"input_tokens":}' }, true)).toBeNull()
  })
})

test.each([
  ['POST', '/v1/chat/completions', true],
  ['POST', '/v1/responses', true],
  ['POST', '/v1/messages', true],
  ['POST', '/v1beta/models/gemini-2.5-pro:generateContent', true],
  ['POST', '/v1/messages/count_tokens', false],
  ['POST', '/v1beta/models/gemini-2.5-pro:countTokens', false],
  ['GET', '/v1/models', false],
  ['DELETE', '/v1/files/f', false],
])('%s %s asks a model: %s', (method, path, asks) => {
  expect(asksModel(method, path)).toBe(asks)
})
