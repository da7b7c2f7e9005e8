import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import Anthropic from '@anthropic-ai/sdk'
import { GoogleGenAI } from '@google/genai'
import OpenAI from 'openai'
import { afterEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { type Installation, installation, type Setting } from '../../fakes/rig/installation.ts'
import { askAdmin } from '../../fakes/rig/terminal.ts'
import { answer, stream } from '../../fakes/upstream/upstream.ts'
import { type WebSocketUpstream, webSocketUpstream } from '../../fakes/upstream/websocket-upstream.ts'

let spillway: Installation
let sockets: WebSocketUpstream | null = null

async function start(setting: Setting = {}): Promise<void> {
  spillway = await installation(setting)
}

afterEach(async () => {
  await spillway.close()
  await sockets?.close()
  sockets = null
})

const usage = {
  prompt_tokens: 1_000,
  completion_tokens: 200,
  total_tokens: 1_200,
  prompt_tokens_details: { cached_tokens: 600 },
  completion_tokens_details: { reasoning_tokens: 50 },
}
const chat = { id: 'c', object: 'chat.completion', model: 'gpt-5-2025-08-07', choices: [], usage }

/** One row of all, or of these dimensions. */
const rows = (by = '') => spillway.ops.usage({ by })

describe('usage says what went through', () => {
  it('of a JSON answer, by key, member and model', async () => {
    await start()
    await spillway.pool('openai', ['a'])
    spillway.upstream.on('sk-a').always(answer(200, { 'content-type': 'application/json' }, chat))
    await spillway.ask()
    await spillway.ask()
    const [row, ...others] = await spillway.ops.usage({})
    expect(others).toEqual([])
    expect(row).toEqual({
      from: '2025-12-29T14:00:00.000Z',
      to: '2026-01-05T14:00:00.000Z',
      key: 'local',
      member: 'a',
      model: 'gpt-5',
      pool: null,
      requests: 2,
      unmetered: 0,
      tokens: { input: 2_000, cached: 1_200, cacheWrite: 0, output: 400, reasoning: 100 },
      cost: (2 * (400 * 1.25 + 600 * 0.125 + 200 * 10)) / 1e6,
      knownCost: (2 * (400 * 1.25 + 600 * 0.125 + 200 * 10)) / 1e6,
      currency: 'USD',
      pricesAt: '2026-11-30',
    })
  })

  it('of an answer that is packed, and goes on as it came', async () => {
    await start()
    await spillway.pool('openai', ['a'])
    const packed = gzipSync(JSON.stringify(chat))
    spillway.upstream.on('sk-a').always({
      async play({ response }) {
        response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
        response.write(packed.subarray(0, 20))
        await new Promise((resolve) => setTimeout(resolve, 5))
        response.end(packed.subarray(20))
      },
    })
    expect(JSON.parse((await spillway.ask()).text)).toEqual(chat)
    await expect
      .poll(async () => (await rows())[0])
      .toMatchObject({ requests: 1, tokens: { input: 1_000, output: 200 } })
  })

  it('of one that is packed and here as a whole, however long it unpacks to', async () => {
    await start()
    await spillway.pool('openai', ['a'])
    for (const padding of [0, 1_000_000]) {
      const packed = brotliCompressSync(JSON.stringify({ padding: 'x'.repeat(padding), ...chat }))
      const headers = { 'content-type': 'application/json', 'content-encoding': 'br' }
      spillway.upstream.on('sk-a').once({
        play({ response }) {
          response.writeHead(200, { ...headers, 'content-length': packed.length }).end(packed)
        },
      })
      await spillway.ask()
    }
    spillway.upstream.on('sk-a').once({
      play({ response }) {
        const headers = { 'content-type': 'application/json', 'content-encoding': 'br', 'content-length': 9 }
        response.writeHead(200, headers).end('no brotli')
      },
    })
    await spillway
      .send('/openai/v1/responses', {
        method: 'POST',
        headers: { authorization: `Bearer ${spillway.key}`, 'accept-encoding': 'br' },
        body: '{}',
      })
      .catch(() => {})
    await expect
      .poll(async () => (await rows())[0])
      .toMatchObject({ requests: 3, unmetered: 1, tokens: { input: 2_000 } })
  })

  it('of streams of all three shapes, as their own SDKs ask for them', async () => {
    await start()
    await spillway.pool('openai', ['o'])
    await spillway.pool('anthropic', ['n'], { provider: 'anthropic' })
    await spillway.pool('gemini', ['g'], { provider: 'gemini' })
    const apiKey = spillway.key
    const openai = new OpenAI({ baseURL: `${spillway.origin}/openai/v1`, apiKey, maxRetries: 0 })
    const anthropic = new Anthropic({ baseURL: `${spillway.origin}/anthropic`, apiKey, maxRetries: 0 })
    const gemini = new GoogleGenAI({ apiKey, httpOptions: { baseUrl: `${spillway.origin}/gemini` } })
    const read = async (events: AsyncIterable<unknown>) => {
      for await (const _ of events);
    }
    await read(await openai.responses.create({ model: 'gpt-5', input: 'hi', stream: true }))
    const messages = [{ role: 'user' as const, content: 'hi' }]
    await read(anthropic.messages.stream({ model: 'claude-opus-5', max_tokens: 9, messages }))
    await read(await gemini.models.generateContentStream({ model: 'gemini-2.5-pro', contents: 'hi' }))
    await gemini.models.generateContent({ model: 'gemini-2.5-pro', contents: 'hi' })
    const tokens = { input: 5, cached: 0, cacheWrite: 0, output: 6, reasoning: 0 }
    expect((await rows('pool,model')).sort((a, b) => ((a.pool ?? '') < (b.pool ?? '') ? -1 : 1))).toMatchObject([
      { pool: 'anthropic', model: 'claude-opus-5', key: null, member: null, requests: 1, tokens },
      { pool: 'gemini', model: 'gemini-2.5-pro', requests: 2, tokens: { ...tokens, input: 10, output: 12 } },
      { pool: 'openai', model: 'gpt-5', requests: 1, tokens },
    ])
  })

  it('of the turns of a WebSocket', async () => {
    await start()
    sockets = await webSocketUpstream()
    await spillway.credential('w', { provider: 'codex' })
    await spillway.ops.poolCreate({ name: 'codex', provider: 'codex', members: ['w'], upstream: sockets.url })
    const response = {
      id: 'r',
      model: 'gpt-5-codex',
      usage: { input_tokens: 7, input_tokens_details: { cached_tokens: 4 }, output_tokens: 3, total_tokens: 10 },
    }
    const turn = [
      { type: 'response.created', response: { id: 'r' } },
      { type: 'response.completed', response },
    ]
    sockets.on('sk-w', {
      accept(socket) {
        let turns = 0
        socket.on('message', () => {
          for (const message of ++turns < 3 ? turn : turn.slice(0, 1)) socket.send(JSON.stringify(message))
          if (turns === 3) socket.close()
        })
      },
    })
    const client = new WebSocket(`${spillway.origin.replace('http', 'ws')}/codex/responses`, {
      headers: { authorization: `Bearer ${spillway.key}` },
    })
    const over = new Promise((resolve) => client.on('close', resolve))
    client.on('open', () => client.send('{"type":"response.create"}'))
    client.on('message', (data) => {
      if (String(data).includes('response.completed')) client.send('{"type":"response.create"}')
    })
    await over
    await expect.poll(async () => (await rows('model,member')).length).toBe(2)
    expect(await rows('model,member')).toMatchObject([
      { member: 'w', model: 'gpt-5-codex', requests: 2, unmetered: 0, tokens: { input: 14, cached: 8, output: 6 } },
      { member: 'w', model: '', requests: 1, unmetered: 1, tokens: { input: 0 } },
    ])
  })
})

describe('an answer that does not tell its tokens', () => {
  it('counts as a request, and has no cost', async () => {
    await start()
    await spillway.pool('openai', ['a'])
    const json = { 'content-type': 'application/json' }
    spillway.upstream.on('sk-a').once(answer(200, json, '{"usage":{"prompt_tokens":'))
    await spillway.ask()
    spillway.upstream.on('sk-a').once(answer(200, json, { usage: { prompt_tokens: 'many' } }))
    await spillway.ask()
    const delta = { data: { model: 'gpt-5', choices: [{ delta: { content: 'x' } }] } }
    spillway.upstream.on('sk-a').once(stream([delta, 'reset']))
    const cut = spillway.ask('openai', { model: 'gpt-5', stream: true }).catch(() => {})
    await expect.poll(async () => (await rows())[0]?.requests).toBe(3)
    await spillway.advance(200)
    await cut
    expect(await rows()).toMatchObject([{ requests: 3, unmetered: 3, tokens: { input: 0, output: 0 }, cost: null }])
  })

  it('does not hide what others cost', async () => {
    await start()
    await spillway.pool('openai', ['a'])
    const json = { 'content-type': 'application/json' }
    spillway.upstream.on('sk-a').once(answer(200, json, chat))
    spillway.upstream.on('sk-a').once(answer(200, json, {}))
    spillway.upstream.on('sk-a').once(answer(200, json, chat))
    for (const model of ['gpt-5', 'gpt-5', 'nobody-knows-1']) await spillway.ask('openai', { model })
    const cost = 0.002575
    expect(await rows('model')).toMatchObject([
      { model: 'gpt-5', requests: 2, unmetered: 1, cost },
      { model: 'nobody-knows-1', cost: null, knownCost: 0 },
    ])
    expect(await rows()).toMatchObject([{ requests: 3, cost: null, knownCost: cost }])
  })
})

it('refusals, lists of models and counts of tokens are no usage', async () => {
  await start()
  await spillway.pool('openai', ['a'])
  const headers = { authorization: `Bearer ${spillway.key}` }
  await spillway.send('/openai/v1/models', { headers })
  await spillway.send('/openai/v1/messages/count_tokens', { method: 'POST', headers, body: '{}' })
  spillway.upstream.on('sk-a').always(answer(400, {}, { error: { message: 'no' }, usage }))
  await spillway.ask()
  expect(await rows()).toEqual([])
})

describe('the rows', () => {
  it('are written behind, outlive a restart, and add up with what comes then', async () => {
    await start()
    await spillway.pool('openai', ['a'])
    await spillway.ask()
    const query = { from: 0, to: spillway.clock.now() + 1, by: [] }
    expect(await spillway.daemon.core.store.usage(query)).toEqual([])
    await spillway.advance(30_000)
    expect(await spillway.daemon.core.store.usage(query)).toMatchObject([{ requests: 1, input: 5 }])
    await spillway.ask()
    await spillway.restart()
    await spillway.ask()
    expect(await rows('key')).toMatchObject([{ key: 'local', requests: 3, tokens: { input: 15 } }])
  })

  it('keep out of what was asked for when they are older', async () => {
    await start()
    await spillway.pool('openai', ['a'])
    await spillway.ask()
    await spillway.advance(2 * 3_600_000)
    await spillway.ask()
    expect(await spillway.ops.usage({ since: '1h', by: '' })).toMatchObject([{ requests: 1 }])
    expect(await spillway.ops.usage({ since: '3h', by: '' })).toMatchObject([{ requests: 2 }])
  })

  it('are pruned by age', async () => {
    await start({ config: { 'usage.ledger.maxAge': '2h' } })
    await spillway.pool('openai', ['a'])
    await spillway.ask()
    await spillway.advance(2 * 3_600_000)
    await spillway.ask()
    await rows()
    await spillway.advance(2 * 3_600_000)
    expect(await rows()).toMatchObject([{ requests: 1 }])
  })

  it('are none where their budget is none', async () => {
    await start({ config: { 'usage.ledger.maxBytes': '0' } })
    await spillway.pool('openai', ['a'])
    await spillway.ask()
    expect(await rows()).toEqual([])
  })
})

describe('prices of an operator', () => {
  const mine = {
    date: '2027-01-01',
    prices: [{ providers: ['openai'], models: ['gpt-5', 'mine'], input: 100, output: 0 }],
  }

  it('are looked into first', async () => {
    await start()
    await spillway.pool('openai', ['a'])
    writeFileSync(join(spillway.data, 'prices.json'), JSON.stringify(mine))
    writeFileSync(join(spillway.data, 'spillway.yaml'), 'usage: { prices: prices.json }')
    await spillway.restart()
    spillway.upstream.on('sk-a').always(answer(200, { 'content-type': 'application/json' }, chat))
    for (const model of ['gpt-5', 'mine', 'gpt-4o']) await spillway.ask('openai', { model })
    const costs = Object.fromEntries((await rows('model')).map(({ model, cost }) => [model, cost]))
    expect(costs).toEqual({ 'gpt-5': 0.1, mine: 0.1, 'gpt-4o': 0.00375 })
    expect(await rows()).toMatchObject([{ pricesAt: '2027-01-01' }])
  })

  it('that cannot be used keep the proxy from starting, with what is wrong', async () => {
    await start()
    writeFileSync(join(spillway.data, 'prices.json'), '{"date":"2027-01-01","prices":[{"models":["m"]}]}')
    writeFileSync(join(spillway.data, 'spillway.yaml'), 'usage: { prices: prices.json }')
    await spillway.stop()
    await expect(spillway.start()).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringMatching(/^usage\.prices: .*prices\.json cannot be used: prices\.0\.providers: /),
    })
  })
})

it('a dimension that there is not is refused, with the nearest one', async () => {
  await start()
  await expect(spillway.ops.usage({ by: 'key,modell' })).rejects.toMatchObject({
    code: 'invalid',
    message: '"modell" is not a dimension of usage; did you mean model?',
  })
})

it('the pool shows how much of its input came from a cache, and metrics count tokens', async () => {
  await start()
  await spillway.pool('openai', ['a'])
  expect(await spillway.ops.poolStatus({ name: 'openai' })).toMatchObject({ cachedShare: null })
  spillway.upstream.on('sk-a').always(answer(200, { 'content-type': 'application/json' }, chat))
  await spillway.ask()
  expect((await spillway.ops.status({})).pools).toMatchObject([{ name: 'openai', cachedShare: 0.6 }])
  const { text } = await askAdmin({ socketPath: `${spillway.data}/admin.sock`, path: '/metrics' })
  expect(text.match(/^spillway_tokens_total.*$/gm)).toEqual([
    'spillway_tokens_total{pool="openai",kind="input"} 1000',
    'spillway_tokens_total{pool="openai",kind="cached"} 600',
    'spillway_tokens_total{pool="openai",kind="cache_write"} 0',
    'spillway_tokens_total{pool="openai",kind="output"} 200',
    'spillway_tokens_total{pool="openai",kind="reasoning"} 50',
  ])
  await spillway.advance(2 * 3_600_000)
  expect(await spillway.ops.poolStatus({ name: 'openai' })).toMatchObject({ cachedShare: null })
})
