import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Installation, installation, type Seen } from '../../fakes/rig/installation.ts'
import { answer } from '../../fakes/upstream/upstream.ts'

const limited = answer(429, { 'retry-after': '90' }, { error: { message: 'slow down', code: 'rate_limit_exceeded' } })
/** 14:01:30 on the day of the fake clock, where it is 14:00:00. */
const resetsAt = Date.UTC(2026, 0, 5, 14, 1, 30) / 1_000
const message = (pool: string) =>
  `${pool} quota exceeded: all 2 members are cooling. It will reset at 14:02 UTC (a first).`

let spillway: Installation

beforeEach(async () => {
  spillway = await installation({ config: { 'pools.maxWaitMs': '0' } })
})

afterEach(() => spillway.close())

interface Client {
  readonly provider: string
  readonly path: string
  readonly keyHeader: string
}

const openaiShaped = ['openai', 'codex', 'openrouter', 'azure', 'generic'].map((provider) => ({
  provider,
  path: '/v1/chat/completions',
  keyHeader: 'authorization',
}))
const anthropic = { provider: 'anthropic', path: '/v1/messages', keyHeader: 'x-api-key' }
const gemini = {
  provider: 'gemini',
  path: '/v1beta/models/gemini-2.5-pro:generateContent',
  keyHeader: 'x-goog-api-key',
}

function ask({ provider, path, keyHeader }: Client, userAgent = 'node'): Promise<Seen> {
  const key = keyHeader === 'authorization' ? `Bearer ${spillway.key}` : spillway.key
  return spillway.send(`/${provider}${path}`, {
    method: 'POST',
    headers: { [keyHeader]: key, 'content-type': 'application/json', 'user-agent': userAgent },
    body: '{}',
  })
}

/** A pool of two members that both cool for 90 s, and the answer to the request that found that out. */
async function exhausted(client: Client): Promise<Seen> {
  await spillway.pool(client.provider, ['a', 'b'], { provider: client.provider })
  spillway.upstream.on('*').always(limited)
  return ask(client)
}

/** The headers that are ours to choose. */
const headers = ({ headers }: Seen) =>
  Object.fromEntries(
    [...headers].filter(([name]) => !['date', 'connection', 'keep-alive', 'x-spillway-request-id'].includes(name)),
  )

const body = ({ text }: Seen) => JSON.parse(text)

describe('an exhausted pool answers 429', () => {
  it.each(openaiShaped)('in the shape that $provider clients stop at', async (client) => {
    const seen = await exhausted(client)
    expect(seen.status).toBe(429)
    expect(headers(seen)).toEqual({
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(seen.text)),
      'retry-after': '90',
      'x-should-retry': 'false',
      'x-spillway-attempts': '2',
    })
    expect(body(seen)).toEqual({
      error: {
        type: 'usage_limit_reached',
        code: 'insufficient_quota',
        message: message(client.provider),
        resets_at: resetsAt,
        resets_in_seconds: 90,
        param: null,
      },
    })
  })

  it('in the shape that anthropic clients stop at', async () => {
    const seen = await exhausted(anthropic)
    expect(seen.status).toBe(429)
    expect(headers(seen)).toMatchObject({ 'retry-after': '90', 'x-should-retry': 'false' })
    expect(body(seen)).toEqual({
      type: 'error',
      error: { type: 'rate_limit_error', message: message('anthropic') },
    })
  })

  it('with at least 61 seconds for anthropic clients, which sleep through anything shorter', async () => {
    await exhausted(anthropic)
    await spillway.advance(80_000)
    const seen = await ask(anthropic)
    expect(headers(seen)).toMatchObject({
      'retry-after': '61',
      'x-should-retry': 'false',
      'x-spillway-attempts': '0',
    })
  })

  it('in the shape that gemini clients stop at', async () => {
    const seen = await exhausted(gemini)
    expect(seen.status).toBe(429)
    expect(headers(seen)).toMatchObject({ 'retry-after': '90', 'x-should-retry': 'false' })
    expect(body(seen)).toEqual({
      error: {
        code: 429,
        status: 'RESOURCE_EXHAUSTED',
        message: message('gemini'),
        details: [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '90s' }],
      },
    })
  })

  it.each([...openaiShaped, anthropic, gemini])('to $provider clients with the time that is left', async (client) => {
    await exhausted(client)
    await spillway.advance(45_500)
    const seen = await ask(client)
    const seconds = client === anthropic ? 61 : 45
    expect([seen.status, seen.headers.get('retry-after')]).toEqual([429, String(seconds)])
  })
})

describe('an exhausted pool answers 402', () => {
  const opencode = 'opencode/1.18.33 ai-sdk/provider-utils/4.0.45 runtime/bun/1.3.14'

  it.each([...openaiShaped, anthropic, gemini])(
    'to an AI SDK in front of $provider, at once and later',
    async (client) => {
      await spillway.pool(client.provider, ['a', 'b'], { provider: client.provider })
      spillway.upstream.on('*').always(limited)
      const first = await ask(client, opencode)
      const second = await ask(client, opencode)
      for (const seen of [first, second]) {
        expect([seen.status, seen.headers.get('retry-after')]).toEqual([402, null])
        expect(body(seen).error.message).toBe(message(client.provider))
      }
      expect((await ask(client)).status).toBe(429)
      expect(spillway.upstream.requests).toHaveLength(2)
    },
  )
})

describe('a pool in which nobody recovers without a person', () => {
  it.each([...openaiShaped, anthropic, gemini])('says so to $provider clients, for an hour', async (client) => {
    await spillway.pool(client.provider, ['a'], { provider: client.provider })
    await spillway.ops.credDisable({ name: 'a' })
    const seen = await ask(client)
    expect([seen.status, seen.headers.get('retry-after')]).toEqual([429, '3600'])
    expect(body(seen).error.message).toBe(
      `${client.provider} quota exceeded: its only member needs a person, nothing will reset before. See spillway status, then run: spillway cred enable a`,
    )
    expect(spillway.upstream.requests).toEqual([])
  })

  it('names the login that is missing', async () => {
    await spillway.pool('openai', ['a', 'b'])
    await spillway.daemon.core.engine.needsLogin('a', 1, 'refresh-rejected')
    await spillway.ops.credDisable({ name: 'b' })
    const seen = await spillway.ask()
    expect(body(seen).error).toMatchObject({
      message:
        'openai quota exceeded: all 2 members need a person, nothing will reset before. See spillway status, then run: spillway cred login a',
      resets_at: spillway.clock.now() / 1_000 + 3_600,
      resets_in_seconds: 3_600,
    })
  })
})

describe('what is refused while a pool is exhausted', () => {
  it('writes nothing: no row, no byte in the data directory, and reaches no upstream', async () => {
    await spillway.pool('openai', ['a', 'b'])
    spillway.upstream.on('*').always(limited)
    await spillway.ask()
    await spillway.advance(40_000)
    const rows = await spillway.audit()
    const { usedBytes } = await spillway.daemon.core.store.space()
    for (let i = 0; i < 500; i++) expect((await spillway.ask()).status).toBe(429)
    expect(await spillway.audit()).toEqual(rows)
    expect((await spillway.daemon.core.store.space()).usedBytes).toBe(usedBytes)
    expect(spillway.upstream.served).toHaveLength(2)
  })
})

describe('a far hint', () => {
  const hours = answer(429, { 'retry-after': '7200' }, { error: { message: 'later', code: 'rate_limit_exceeded' } })

  beforeEach(async () => {
    await spillway.pool('openai', ['a', 'b'])
    spillway.upstream.on('*').always(hours)
    await spillway.ask()
    spillway.upstream.forget()
  })

  it('is tested by one request every 15 minutes, no more', async () => {
    for (let quarter = 1; quarter <= 4; quarter++) {
      await spillway.advance(15 * 60_000 - 1_000)
      for (let i = 0; i < 20; i++) await spillway.ask()
      expect(spillway.upstream.served).toHaveLength(2 * (quarter - 1))
      await spillway.advance(1_000)
      for (let i = 0; i < 20; i++) expect((await spillway.ask()).status).toBe(429)
      expect(spillway.upstream.served).toHaveLength(2 * quarter)
    }
  })

  it('is over when the test succeeds: the provider has reset its window early', async () => {
    await spillway.advance(15 * 60_000)
    spillway.upstream.on('*').clear()
    expect((await spillway.ask()).status).toBe(200)
    expect(await spillway.audit('pool_recovered')).toHaveLength(1)
    expect((await spillway.ops.poolStatus({ name: 'openai' })).exhausted).toBe(false)
  })
})

describe('onExhausted: degrade', () => {
  const longer = answer(429, { 'retry-after': '300' }, { error: { message: 'later', code: 'rate_limit_exceeded' } })

  beforeEach(async () => {
    await spillway.pool('openai', ['a', 'b'])
    await spillway.ops.poolSet({ name: 'openai', set: { onExhausted: 'degrade' } })
    spillway.upstream.on('sk-a').once(longer)
    spillway.upstream.on('sk-b').once(limited)
    await spillway.ask()
    spillway.upstream.forget()
  })

  it('sends to the member that recovers first, and never calls that a failover', async () => {
    const failovers = await spillway.audit('cred_failover')
    for (let i = 0; i < 5; i++) expect((await spillway.ask()).status).toBe(200)
    expect(spillway.upstream.served).toEqual(Array(5).fill('sk-b'))
    for (const { from, to } of failovers) expect(from).not.toBe(to)
    expect(await spillway.audit('cred_failover')).toEqual(failovers)
  })

  it('does not end the cooldown of that member', async () => {
    await spillway.ask()
    const { members } = await spillway.ops.poolStatus({ name: 'openai' })
    expect(members.map(({ health }) => health.state)).toEqual(['cooling', 'cooling'])
    expect(await spillway.ops.poolCheck({ name: 'openai' })).toMatchObject({ verdict: 'cooling' })
  })

  it('answers as an exhausted pool when that member refuses, too', async () => {
    for (const secret of ['sk-a', 'sk-b']) spillway.upstream.on(secret).always(longer)
    const seen = await spillway.ask()
    expect(seen.status).toBe(429)
    expect(seen.headers.get('x-should-retry')).toBe('false')
    expect(new Set(spillway.upstream.served).size).toBe(spillway.upstream.served.length)
    expect(await spillway.audit('cred_failover')).toEqual([])
  })
})
