import Anthropic from '@anthropic-ai/sdk'
import { GoogleGenAI } from '@google/genai'
import OpenAI from 'openai'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../internal/clock/clock.ts'
import { type Installation, installation } from '../fakes/rig/installation.ts'
import { answer, type Behaviour, stream } from '../fakes/upstream/upstream.ts'

/** One official SDK: how it asks, and how the first credential fails in its provider's words. */
interface Client {
  readonly provider: 'openai' | 'anthropic' | 'gemini'
  ask(spillway: Installation): Promise<string>
  askStreaming(spillway: Installation): Promise<string>
  readonly refusals: Readonly<Record<'429' | '401' | '529', Behaviour>>
  /** An error as the first event of a stream that began well. */
  readonly inBand: Behaviour
}

const openai = (spillway: Installation) =>
  new OpenAI({ baseURL: `${spillway.origin}/openai/v1`, apiKey: spillway.key, maxRetries: 0 })
const anthropic = (spillway: Installation) =>
  new Anthropic({ baseURL: `${spillway.origin}/anthropic`, apiKey: spillway.key, maxRetries: 0 })
const gemini = (spillway: Installation) =>
  new GoogleGenAI({ apiKey: spillway.key, httpOptions: { baseUrl: `${spillway.origin}/gemini` } })

const openaiError = (status: number, code: string) =>
  answer(status, {}, { error: { message: 'refused', type: code, code, param: null } })
const anthropicError = (status: number, type: string, headers = {}) =>
  answer(status, headers, { type: 'error', error: { type, message: 'refused' } })
const geminiError = (code: number, status: string, details: readonly object[] = []) =>
  answer(code, {}, { error: { code, status, message: 'refused', details } })

const hello = [{ role: 'user' as const, content: 'hello' }]

const clients: readonly Client[] = [
  {
    provider: 'openai',
    async ask(spillway) {
      const made = await openai(spillway).chat.completions.create({ model: 'gpt-5', messages: hello })
      return made.choices[0]?.message.content ?? ''
    },
    async askStreaming(spillway) {
      let text = ''
      const made = await openai(spillway).chat.completions.create({ model: 'gpt-5', messages: hello, stream: true })
      for await (const part of made) text += part.choices[0]?.delta.content ?? ''
      return text
    },
    refusals: {
      429: openaiError(429, 'rate_limit_exceeded'),
      401: openaiError(401, 'invalid_api_key'),
      529: openaiError(529, 'server_is_overloaded'),
    },
    inBand: stream([{ data: { error: { message: 'refused', type: 'requests', code: 'rate_limit_exceeded' } } }]),
  },
  {
    provider: 'anthropic',
    async ask(spillway) {
      const request = { model: 'claude-haiku-4-5', max_tokens: 100, messages: hello }
      const made = await anthropic(spillway).messages.create(request)
      return made.content.map((block) => (block.type === 'text' ? block.text : '')).join('')
    },
    async askStreaming(spillway) {
      const request = { model: 'claude-haiku-4-5', max_tokens: 100, messages: hello }
      return anthropic(spillway).messages.stream(request).finalText()
    },
    refusals: {
      429: anthropicError(429, 'rate_limit_error', { 'retry-after': '30' }),
      401: anthropicError(401, 'authentication_error'),
      529: anthropicError(529, 'overloaded_error'),
    },
    inBand: stream([
      { event: 'error', data: { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } } },
    ]),
  },
  {
    provider: 'gemini',
    async ask(spillway) {
      const made = await gemini(spillway).models.generateContent({ model: 'gemini-2.5-flash', contents: 'hello' })
      return made.text ?? ''
    },
    async askStreaming(spillway) {
      let text = ''
      const request = { model: 'gemini-2.5-flash', contents: 'hello' }
      for await (const part of await gemini(spillway).models.generateContentStream(request)) text += part.text ?? ''
      return text
    },
    refusals: {
      429: geminiError(429, 'RESOURCE_EXHAUSTED', [
        { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '46.2s' },
      ]),
      401: geminiError(400, 'INVALID_ARGUMENT', [
        { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID' },
      ]),
      529: geminiError(529, 'UNAVAILABLE'),
    },
    inBand: stream([{ data: { error: { code: 429, status: 'RESOURCE_EXHAUSTED', message: 'refused' } } }]),
  },
]

describe.each(clients)('the official $provider SDK without retries', (client) => {
  let spillway: Installation

  beforeEach(async () => {
    spillway = await installation({ clock: systemClock() })
    await spillway.pool(client.provider, ['a', 'b'], { provider: client.provider })
  })

  afterEach(async () => {
    const bytes = spillway.upstream.requests.map((request) => JSON.stringify([request.path, request.rawHeaders])).join()
    expect(bytes).not.toContain(spillway.key)
    await spillway.close()
  })

  it('is answered by the first member when all is well', async () => {
    expect(await client.ask(spillway)).not.toBe('')
    expect(await client.askStreaming(spillway)).not.toBe('')
    expect(spillway.upstream.served).toEqual(['sk-a', 'sk-a'])
  })

  describe.each(['429', '401', '529'] as const)('when the first member answers %s', (status) => {
    it('is answered by the second, at once', async () => {
      spillway.upstream.on('sk-a').always(client.refusals[status])
      expect(await client.ask(spillway)).not.toBe('')
      expect(spillway.upstream.served).toEqual(['sk-a', 'sk-b'])
    })

    it('is answered by the second as a stream, at once', async () => {
      spillway.upstream.on('sk-a').always(client.refusals[status])
      expect(await client.askStreaming(spillway)).not.toBe('')
      expect(spillway.upstream.served).toEqual(['sk-a', 'sk-b'])
    })
  })

  it('is answered by the second when the first begins a stream with an error', async () => {
    spillway.upstream.on('sk-a').always(client.inBand)
    expect(await client.askStreaming(spillway)).not.toBe('')
    expect(spillway.upstream.served).toEqual(['sk-a', 'sk-b'])
  })
})

describe.each(clients)('the official $provider SDK before a host that refuses connections', (client) => {
  it('is answered by the member on another host, and no credential is blamed', async () => {
    const spillway = await installation({ clock: systemClock() })
    const { provider } = client
    await spillway.credential('a', { provider, baseUrl: 'http://127.0.0.1:9' })
    await spillway.credential('b', { provider })
    await spillway.ops.poolCreate({ name: provider, provider, members: ['a', 'b'], upstream: spillway.upstream.url })
    expect(await client.ask(spillway)).not.toBe('')
    expect(await client.askStreaming(spillway)).not.toBe('')
    expect(spillway.upstream.served).toEqual(['sk-b', 'sk-b'])
    const { members } = await spillway.ops.poolStatus({ name: provider })
    expect(members.map(({ health }) => health.state)).toEqual(['healthy', 'healthy'])
    await spillway.close()
  })
})
