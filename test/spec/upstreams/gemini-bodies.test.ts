import OpenAI from 'openai'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FakeClock } from '../../../internal/clock/clock.ts'
import { type Installation, installation } from '../../fakes/rig/installation.ts'
import { answer, type Behaviour, stream } from '../../fakes/upstream/upstream.ts'

/** Gemini's requests that name their model in the body: those of Gemini logins, and those of OpenAI's clients. */

const minute = 60_000
const untilReset = 312 * minute

let spillway: Installation

beforeEach(async () => {
  spillway = await installation({ config: { 'pools.maxWaitMs': '0' }, clock: new FakeClock() })
  await spillway.pool('gemini', ['a', 'b'], { provider: 'gemini' })
  await spillway.ops.poolSet({ name: 'gemini', set: { strategy: 'ordered' } })
})

afterEach(() => spillway.close())

const used = {
  error: {
    code: 429,
    status: 'RESOURCE_EXHAUSTED',
    message: 'You have exhausted your capacity on this model. Your quota will reset after 5h12m0s.',
    details: [
      {
        '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
        reason: 'QUOTA_EXHAUSTED',
        domain: 'cloudcode-pa.googleapis.com',
        metadata: { quotaResetDelay: '5h12m0s' },
      },
    ],
  },
}

interface Way {
  readonly name: string
  readonly path: string
  readonly body: (model: string) => object
  readonly refusal: Behaviour
}

const ways: readonly Way[] = [
  {
    name: '/v1internal:generateContent',
    path: '/gemini/v1internal:generateContent',
    body: (model) => ({ model, project: 'p', request: { contents: [] } }),
    refusal: answer(429, {}, used),
  },
  {
    name: '/v1internal:streamGenerateContent, refused in its first event',
    path: '/gemini/v1internal:streamGenerateContent?alt=sse',
    body: (model) => ({ model, project: 'p', request: { contents: [] } }),
    refusal: stream([{ data: used }]),
  },
  {
    name: '/v1beta/openai/chat/completions',
    path: '/gemini/v1beta/openai/chat/completions',
    body: (model) => ({ model: `models/${model}`, messages: [{ role: 'user', content: 'hello' }] }),
    refusal: answer(429, {}, [used]),
  },
  {
    name: '/v1beta/openai/chat/completions as a stream',
    path: '/gemini/v1beta/openai/chat/completions',
    body: (model) => ({ model, stream: true, messages: [{ role: 'user', content: 'hello' }] }),
    refusal: answer(429, {}, [used]),
  },
]

describe.each(ways)('a limit of one model at $name', ({ path, body, refusal }) => {
  const ask = (model: string) =>
    spillway.send(path, {
      method: 'POST',
      headers: { authorization: `Bearer ${spillway.key}` },
      body: JSON.stringify(body(model)),
    })
  const status = () => spillway.ops.poolStatus({ name: 'gemini' })

  it('keeps the member from that model only', async () => {
    spillway.upstream.on('sk-a').once(refusal)
    for (const model of ['gemini-2.5-pro', 'gemini-2.5-flash', 'gemini-2.5-pro']) {
      expect((await ask(model)).status).toBe(200)
    }
    expect(spillway.upstream.served).toEqual(['sk-a', 'sk-b', 'sk-a', 'sk-b'])
    const until = new Date(spillway.clock.now() + untilReset).toISOString()
    expect((await status()).members[0]).toMatchObject({
      health: { state: 'healthy' },
      scoped: [{ model: 'gemini-2.5-pro', reason: 'model-quota', until }],
    })
  })

  it('exhausts the pool for that model alone, until the limit is over', async () => {
    for (const secret of ['sk-a', 'sk-b']) spillway.upstream.on(secret).once(refusal)
    const refused = await ask('gemini-2.5-pro')
    expect(refused.status).toBe(429)
    expect(JSON.parse(refused.text)).toMatchObject({
      error: {
        status: 'RESOURCE_EXHAUSTED',
        message: expect.stringMatching(/^gemini quota exceeded: all 2 members are cooling\. It will reset at /),
      },
    })
    expect((await ask('gemini-2.5-pro')).status).toBe(429)
    expect((await ask('gemini-2.5-flash')).status).toBe(200)
    expect(spillway.upstream.served).toEqual(['sk-a', 'sk-b', 'sk-a'])
    expect((await status()).exhausted).toBe(false)
    await spillway.advance(untilReset)
    expect((await ask('gemini-2.5-pro')).status).toBe(200)
    expect((await status()).members[0]?.scoped).toEqual([])
  })
})

it("OpenAI's SDK stops after one request at an exhausted model of Gemini, and shows the sentence", async () => {
  for (const secret of ['sk-a', 'sk-b']) spillway.upstream.on(secret).always(answer(429, {}, [used]))
  const client = new OpenAI({ baseURL: `${spillway.origin}/gemini/v1beta/openai`, apiKey: spillway.key })
  const messages = [{ role: 'user' as const, content: 'hello' }]
  const asked = client.chat.completions.create({ model: 'gemini-2.5-pro', messages })
  await expect(asked).rejects.toThrow(/429 gemini quota exceeded: all 2 members are cooling\. It will reset at/)
  expect(spillway.upstream.served).toEqual(['sk-a', 'sk-b'])
})
