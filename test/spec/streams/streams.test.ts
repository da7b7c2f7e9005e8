import { type IncomingMessage, request } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../../internal/clock/clock.ts'
import { type Installation, installation } from '../../fakes/rig/installation.ts'
import { breakAfter, Gate, reset, silence, stall, stream } from '../../fakes/upstream/upstream.ts'

let spillway: Installation

beforeEach(async () => {
  spillway = await installation({
    clock: systemClock(),
    config: { 'pools.maxWaitMs': '0', 'upstream.headMs': '600ms', 'upstream.idleMs': '600ms' },
  })
})

afterEach(() => spillway.close())

/** An answer as far as it came, and whether it came to a clean end. */
interface Heard {
  readonly status: number
  readonly text: string
  readonly clean: boolean
}

function listen(pool: string, path: string, onFirst: () => void = () => {}): Promise<Heard> {
  const headers = { authorization: `Bearer ${spillway.key}`, 'x-api-key': spillway.key }
  return new Promise((resolve, reject) => {
    const sent = request(`${spillway.origin}/${pool}${path}`, { method: 'POST', headers })
    let hasBegun = false
    sent.on('error', (error) => hasBegun || reject(error))
    sent.on('response', (response: IncomingMessage) => {
      hasBegun = true
      let text = ''
      response.on('data', (bytes: Buffer) => {
        text += bytes
        onFirst()
      })
      response.on('error', () => {})
      response.on('close', () => resolve({ status: response.statusCode ?? 0, text, clean: response.complete }))
    })
    sent.end('{"stream":true}')
  })
}

const health = async (pool = 'openai') =>
  (await spillway.ops.poolStatus({ name: pool })).members.map(({ health }) => health.state)

const chunk = (content: string) => ({ data: { choices: [{ index: 0, delta: { content } }] } })

describe('an upstream that breaks off (F14, F15)', () => {
  beforeEach(() => spillway.pool('openai', ['a', 'b']))

  it('before the head of its answer gives 502, once, and blames nobody', async () => {
    spillway.upstream.on('sk-a').always(reset)
    const heard = await listen('openai', '/v1/chat/completions')
    expect([heard.status, JSON.parse(heard.text).error.code]).toEqual([502, 'upstream_reset'])
    expect(spillway.upstream.served).toEqual(['sk-a'])
    expect(await health()).toEqual(['healthy', 'healthy'])
  })

  it.each([
    { name: 'in the middle of a stream', behaviour: stream([chunk('Hel'), new Gate(), 'reset']) },
    { name: 'in the middle of a body', behaviour: breakAfter('{"choices":[') },
  ])('$name breaks the client’s connection and is not replayed', async ({ behaviour }) => {
    spillway.upstream.on('sk-a').always(behaviour)
    const heard = await listen('openai', '/v1/chat/completions')
    expect([heard.status, heard.clean]).toEqual([200, false])
    expect(spillway.upstream.served).toEqual(['sk-a'])
    expect(await health()).toEqual(['healthy', 'healthy'])
  })
})

describe('an upstream that says nothing (F16)', () => {
  beforeEach(() => spillway.pool('openai', ['a', 'b']))

  it('gives 504 at the deadline for heads, and its connection is closed', async () => {
    spillway.upstream.on('sk-a').always(silence)
    const heard = await listen('openai', '/v1/chat/completions')
    expect([heard.status, JSON.parse(heard.text).error.code]).toEqual([504, 'upstream_timeout'])
    expect(await spillway.upstream.requests[0]?.ended).toBe('aborted')
    expect(spillway.upstream.served).toEqual(['sk-a'])
    expect(await health()).toEqual(['healthy', 'healthy'])
  })

  it.each([
    { name: 'a stream', behaviour: stream([chunk('Hel'), new Gate()]) },
    { name: 'a body', behaviour: stall('{"choices":[') },
  ])(
    'in the middle of $name breaks the client’s connection after the idle time, and its own',
    async ({ behaviour }) => {
      spillway.upstream.on('sk-a').always(behaviour)
      const heard = await listen('openai', '/v1/chat/completions')
      expect(heard).toMatchObject({ status: 200, clean: false })
      expect(await spillway.upstream.requests[0]?.ended).toBe('aborted')
      expect(spillway.upstream.served).toEqual(['sk-a'])
    },
  )
})

describe('an error event', () => {
  const created = { event: 'response.created', data: { type: 'response.created', response: { id: 'r' } } }
  const progress = { event: 'response.in_progress', data: { type: 'response.in_progress', response: { id: 'r' } } }
  const failed = {
    event: 'response.failed',
    data: { type: 'response.failed', response: { error: { code: 'rate_limit_exceeded', message: 'Rate limit' } } },
  }
  const start = { event: 'message_start', data: { type: 'message_start', message: { id: 'm' } } }
  const ping = { event: 'ping', data: { type: 'ping' } }
  const overloaded = {
    event: 'error',
    data: { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } },
  }

  it('after lifecycle events of OpenAI is answered by the next member, and nothing of it reaches the client', async () => {
    await spillway.pool('openai', ['a', 'b'])
    spillway.upstream.on('sk-a').always(stream([created, progress, failed]))
    const heard = await listen('openai', '/v1/responses')
    expect(heard).toMatchObject({ status: 200, clean: true })
    expect(heard.text).toContain('response.completed')
    expect(heard.text).not.toContain('response.failed')
    expect(heard.text.match(/event: response\.created/g)).toHaveLength(1)
    expect(spillway.upstream.served).toEqual(['sk-a', 'sk-b'])
    expect(await health()).toEqual(['cooling', 'healthy'])
  })

  it('after lifecycle events of Anthropic is answered by the next member, once, and cools nobody', async () => {
    await spillway.pool('claude', ['a', 'b', 'c'], { provider: 'anthropic' })
    spillway.upstream.on('*').always(stream([start, ping, overloaded]))
    const heard = await listen('claude', '/v1/messages')
    expect(spillway.upstream.served).toEqual(['sk-a', 'sk-b'])
    expect(heard.text).toContain('overloaded_error')
    expect(await health('claude')).toEqual(['healthy', 'healthy', 'healthy'])
  })

  it('as the first element of a Gemini answer is answered by the next member', async () => {
    await spillway.pool('gemini', ['a', 'b'], { provider: 'gemini' })
    const error = { error: { code: 429, status: 'RESOURCE_EXHAUSTED', message: 'Resource has been exhausted' } }
    spillway.upstream.on('sk-a').always(stream([{ data: error }]))
    const heard = await listen(
      'gemini',
      `/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse&key=${spillway.key}`,
    )
    expect(heard.status).toBe(200)
    expect(heard.text).not.toContain('RESOURCE_EXHAUSTED')
    expect(spillway.upstream.served).toEqual(['sk-a', 'sk-b'])
  })

  it('after content breaks the client’s connection, cools the member, and the next request goes elsewhere', async () => {
    await spillway.pool('openai', ['a', 'b'])
    const content = { event: 'response.output_text.delta', data: { type: 'response.output_text.delta', delta: 'Hel' } }
    spillway.upstream.on('sk-a').always(stream([created, content, failed]))
    const heard = await listen('openai', '/v1/responses')
    expect(heard).toMatchObject({ status: 200, clean: false })
    expect(heard.text).not.toContain('response.failed')
    expect(spillway.upstream.served).toEqual(['sk-a'])
    await expect.poll(health).toEqual(['cooling', 'healthy'])
    await listen('openai', '/v1/responses')
    expect(spillway.upstream.served).toEqual(['sk-a', 'sk-b'])
  })

  it('does not delay a stream: what is content reaches the client before the next event', async () => {
    await spillway.pool('openai', ['a', 'b'])
    const gate = new Gate()
    spillway.upstream.on('sk-a').always(stream([chunk('Hel'), gate, chunk('lo')]))
    const heard = await listen('openai', '/v1/chat/completions', () => gate.open())
    expect(heard).toMatchObject({ status: 200, clean: true })
    expect(heard.text).toMatch(/Hel.*lo/s)
  })
})
