import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FakeClock } from '../../../internal/clock/clock.ts'
import { type Installation, installation } from '../../fakes/rig/installation.ts'
import { answer, geminiModelLimit } from '../../fakes/upstream/upstream.ts'

const minute = 60_000
/** Google's daily quotas begin anew at midnight in California, 8:00 UTC in winter; the stories begin shortly before. */
const tillMidnight = 90 * minute
const begin = Date.UTC(2026, 0, 6, 8) - tillMidnight

let spillway: Installation

beforeEach(async () => {
  spillway = await installation({ config: { 'pools.maxWaitMs': '0' }, clock: new FakeClock(begin) })
})

afterEach(() => spillway.close())

const members = async (name: string) => (await spillway.ops.poolStatus({ name })).members
const at = (ms: number) => new Date(spillway.clock.now() + ms).toISOString()

function gemini(model: string) {
  return spillway.send(`/gemini/v1beta/models/${model}:generateContent?key=${spillway.key}`, {
    method: 'POST',
    body: JSON.stringify({ contents: [] }),
  })
}

function claude(model: string) {
  return spillway.send('/claude/v1/messages', {
    method: 'POST',
    headers: { 'x-api-key': spillway.key, 'anthropic-version': '2023-06-01' },
    body: JSON.stringify({ model, max_tokens: 1, messages: [] }),
  })
}

describe('a limit of one model', () => {
  it('of Gemini keeps the member from that model only', async () => {
    await spillway.pool('gemini', ['a', 'b'], { provider: 'gemini' })
    spillway.upstream.on('sk-a').once(geminiModelLimit)
    expect((await gemini('gemini-2.5-pro')).status).toBe(200)
    expect((await gemini('gemini-2.5-flash')).status).toBe(200)
    expect((await gemini('gemini-2.5-pro')).status).toBe(200)
    expect(spillway.upstream.served).toEqual(['sk-a', 'sk-b', 'sk-a', 'sk-b'])
    expect(await members('gemini')).toMatchObject([
      {
        health: { state: 'healthy' },
        active: true,
        scoped: [{ model: 'gemini-2.5-pro', reason: 'model-quota', until: at(tillMidnight) }],
      },
      { health: { state: 'healthy' }, scoped: [] },
    ])
    const { members: explained } = await spillway.ops.poolExplain({ name: 'gemini', model: 'gemini-2.5-pro' })
    expect(explained).toMatchObject([
      { name: 'a', serves: false, why: 'model', reason: 'model-quota', until: at(tillMidnight) },
      { name: 'b', serves: true },
    ])
    await spillway.advance(tillMidnight)
    await spillway.ops.poolSet({ name: 'gemini', set: { strategy: 'ordered' } })
    spillway.upstream.forget()
    await gemini('gemini-2.5-pro')
    expect(spillway.upstream.served).toEqual(['sk-a'])
    expect((await members('gemini'))[0]?.scoped).toEqual([])
  })

  it('of Gemini exhausts the pool for that model alone', async () => {
    await spillway.pool('gemini', ['a'], { provider: 'gemini' })
    spillway.upstream.on('sk-a').once(geminiModelLimit)
    const refused = await gemini('gemini-2.5-pro')
    expect(refused.status).toBe(429)
    expect(JSON.parse(refused.text).error.details).toContainEqual({
      '@type': 'type.googleapis.com/google.rpc.RetryInfo',
      retryDelay: `${tillMidnight / 1_000}s`,
    })
    expect((await gemini('gemini-2.5-flash')).status).toBe(200)
    expect((await spillway.ops.poolStatus({ name: 'gemini' })).exhausted).toBe(false)
  })

  it('of a Claude plan (7d_opus) keeps the member from that family only', async () => {
    await spillway.pool('claude', ['a', 'b'], { provider: 'anthropic' })
    const reset = Math.floor(spillway.clock.now() / 1_000) + 7_200
    spillway.upstream.on('sk-a').once(
      answer(
        429,
        {
          'anthropic-ratelimit-unified-status': 'rejected',
          'anthropic-ratelimit-unified-5h-status': 'allowed',
          'anthropic-ratelimit-unified-7d_opus-status': 'rejected',
          'anthropic-ratelimit-unified-7d_opus-reset': String(reset),
          'anthropic-ratelimit-unified-reset': String(reset),
        },
        { type: 'error', error: { type: 'rate_limit_error', message: 'This request would exceed your limit' } },
      ),
    )
    expect((await claude('claude-opus-4-1')).status).toBe(200)
    expect((await claude('claude-haiku-4-5')).status).toBe(200)
    expect((await claude('claude-opus-4-1')).status).toBe(200)
    expect(spillway.upstream.served).toEqual(['sk-a', 'sk-b', 'sk-a', 'sk-b'])
    expect((await members('claude'))[0]).toMatchObject({
      health: { state: 'healthy' },
      scoped: [{ model: 'opus', reason: 'model-quota', until: at(7_200_000) }],
    })
  })

  it('survives a restart', async () => {
    await spillway.pool('gemini', ['a', 'b'], { provider: 'gemini' })
    spillway.upstream.on('sk-a').once(geminiModelLimit)
    await gemini('gemini-2.5-pro')
    await spillway.restart()
    spillway.upstream.forget()
    await gemini('gemini-2.5-pro')
    await gemini('gemini-2.5-flash')
    expect(spillway.upstream.served).toEqual(['sk-b', 'sk-a'])
  })
})

describe('credentials of one organisation', () => {
  const limited = answer(
    429,
    { 'retry-after': '120' },
    { error: { message: 'Rate limit reached for organization', type: 'requests', code: 'rate_limit_exceeded' } },
  )

  beforeEach(async () => {
    await spillway.credential('one', { domain: 'org-1' })
    await spillway.credential('two', { domain: 'org-1' })
    await spillway.credential('other')
    const pool = { provider: 'openai', upstream: spillway.upstream.url }
    await spillway.ops.poolCreate({ ...pool, name: 'openai', members: ['one', 'two', 'other'] })
    await spillway.ops.poolCreate({ ...pool, name: 'second', members: ['two', 'other'] })
  })

  it('cool together when one of them meets the limit, in every pool, and each shows it', async () => {
    spillway.upstream.on('sk-one').always(limited)
    spillway.upstream.on('sk-two').always(limited)
    expect((await spillway.ask()).status).toBe(200)
    expect((await spillway.ask('second')).status).toBe(200)
    expect(spillway.upstream.served).toEqual(['sk-one', 'sk-other', 'sk-other'])
    const cooling = { state: 'cooling', reason: 'rate-limited', until: at(2 * minute) }
    expect(await members('openai')).toMatchObject([
      { name: 'one', health: cooling, domain: 'org-1' },
      { name: 'two', health: cooling, domain: 'org-1' },
      { name: 'other', health: { state: 'healthy' }, domain: null },
    ])
    expect(await members('second')).toMatchObject([
      { name: 'two', health: cooling },
      { name: 'other', health: { state: 'healthy' } },
    ])
    expect(await spillway.audit('cred_cooled')).toHaveLength(1)
  })

  it('are tested by one request between them when the limit is over', async () => {
    spillway.upstream.on('sk-one').once(limited)
    await spillway.ask()
    await spillway.ops.poolDrop({ name: 'openai', member: 'other' })
    await spillway.advance(2 * minute)
    spillway.upstream.forget()
    spillway.upstream.on('sk-one').once(limited)
    spillway.upstream.on('sk-two').once(limited)
    expect((await spillway.ask()).status).toBe(429)
    expect(spillway.upstream.served).toHaveLength(1)
  })

  it('do not cool together for what concerns one key alone', async () => {
    const invalid = answer(401, {}, { error: { message: 'Incorrect API key', code: 'invalid_api_key' } })
    spillway.upstream.on('sk-one').always(invalid)
    expect((await spillway.ask()).status).toBe(200)
    expect(spillway.upstream.served).toEqual(['sk-one', 'sk-two'])
  })
})
