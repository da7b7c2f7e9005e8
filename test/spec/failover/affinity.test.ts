import { afterEach, describe, expect, it } from 'vitest'
import { FakeClock } from '../../../internal/clock/clock.ts'
import type { PoolRecord } from '../../../internal/store/store.ts'
import { type Rig, startRig } from '../../fakes/rig/rig.ts'
import { answer, type Behaviour } from '../../fakes/upstream/upstream.ts'

let rig: Rig

afterEach(() => rig.close())

const limited = answer(429, { 'retry-after': '600' }, { error: { code: 'rate_limit_exceeded', message: 'slow' } })
const says = (text: string) => ({
  messages: [
    { role: 'system', content: 'be' },
    { role: 'user', content: text },
  ],
})

const start = (pool: Partial<PoolRecord> = {}, members = ['a', 'b', 'c']) =>
  startRig({ clock: new FakeClock(), members, pool: { strategy: 'round-robin', affinity: 'conversation', ...pool } })

describe('requests of a conversation', () => {
  it.each<[string, { headers?: Record<string, string>; body?: object }]>([
    ['a header', { headers: { 'x-claude-code-session-id': 's1' } }],
    ['its cache key', { body: { prompt_cache_key: 'k1', input: 'x' } }],
    ['its user', { body: { metadata: { user_id: 'u1' }, messages: [] } }],
    ['its first message', { body: says('hello') }],
  ])('go to the member that has served it, known by %s', async (_name, ask) => {
    rig = await start()
    await rig.ask(ask)
    await rig.ask({ body: says('another') })
    await rig.ask(ask)
    await rig.ask({ body: says('a third') })
    await rig.ask(ask)
    expect(rig.upstream.served).toEqual(['key-a', 'key-b', 'key-a', 'key-b', 'key-a'])
  })

  it('move once when their member is lost, and never back by themselves', async () => {
    rig = await start()
    const ask = () => rig.ask({ body: says('hello') })
    await ask()
    rig.upstream.on('key-a').once(limited)
    await ask()
    await ask()
    await rig.engine.clear('pool', 'a', 'test')
    await ask()
    expect(rig.upstream.served).toEqual(['key-a', 'key-a', 'key-b', 'key-b', 'key-b'])
  })

  it('go on by the strategy where the pool keeps no conversations', async () => {
    rig = await start({ affinity: null })
    for (let i = 0; i < 3; i++) await rig.ask({ headers: { 'session-id': 's1' }, body: says('hello') })
    expect(rig.upstream.served).toEqual(['key-a', 'key-b', 'key-c'])
  })

  it('stay with nobody in tier 2 when tier 1 can serve', async () => {
    rig = await start({ strategy: 'sticky' }, ['a', 'b'])
    await rig.engine.tune('pool', 'b', { tier: 2 }, 'test')
    rig.upstream.on('key-a').once(limited)
    await rig.ask({ body: says('hello') })
    await rig.engine.clear('pool', 'a', 'test')
    await rig.ask({ body: says('hello') })
    expect(rig.upstream.served).toEqual(['key-a', 'key-b', 'key-a'])
  })
})

/** An upstream that caches prompts by member: what of a prompt it has seen before, as its beginning, costs nothing. */
class Cache implements Behaviour {
  input = 0
  cached = 0
  readonly #seen = new Map<string, Map<string, number>>()

  play({ request, response }: Parameters<Behaviour['play']>[0]): void {
    const { messages } = JSON.parse(request.body.toString()) as { messages: { content: string }[] }
    const member = request.credential ?? ''
    const seen = this.#seen.get(member) ?? new Map<string, number>()
    this.#seen.set(member, seen)
    const first = messages[0]?.content ?? ''
    this.input += messages.length
    this.cached += seen.get(first) ?? 0
    seen.set(first, messages.length)
    void answer(200, {}, { choices: [] }).play({ request, response })
  }
}

/** The share of the input that came from a cache, of 25 conversations of 20 turns side by side; `dies`: one member, in the middle. */
async function cachedShare(affinity: 'none' | 'conversation', dies = false): Promise<number> {
  rig = await start({ affinity }, ['a', 'b', 'c', 'd'])
  const cache = new Cache()
  rig.upstream.on('*').always(cache)
  for (let turn = 1; turn <= 20; turn++) {
    if (dies && turn === 10) rig.upstream.on('key-b').always(limited)
    for (let one = 0; one < 25; one++) {
      const messages = Array.from({ length: turn }, (_, at) => ({
        role: at % 2 ? 'assistant' : 'user',
        content: `${one} ${at}`,
      }))
      expect((await rig.ask({ body: { messages } })).status).toBe(200)
    }
  }
  return cache.cached / cache.input
}

describe('the cached share of the input', () => {
  it('is over 85 % where conversations are kept', async () => {
    const share = await cachedShare('conversation')
    expect(share).toBeGreaterThan(0.9)
  })

  it('is over 85 % also when a member dies in the middle', async () => {
    expect(await cachedShare('conversation', true)).toBeGreaterThan(0.85)
  })

  it('is far lower in turn', async () => {
    expect(await cachedShare('none')).toBeLessThan(0.7)
  })
})
