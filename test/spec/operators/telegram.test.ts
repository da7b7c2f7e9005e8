import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Installation, installation } from '../../fakes/rig/installation.ts'
import { TelegramFake } from '../../fakes/telegram/telegram.ts'
import { answer } from '../../fakes/upstream/upstream.ts'

const chat = 42
const limited = answer(
  429,
  {},
  { error: { message: 'Rate limit reached', type: 'requests', code: 'rate_limit_exceeded' } },
)

let telegram: TelegramFake
let spillway: Installation

beforeEach(async () => {
  telegram = await TelegramFake.open({ chats: [chat], now: () => spillway?.clock.now() ?? Date.UTC(2026, 0, 5, 14) })
  spillway = await installation({
    config: {
      'pools.maxWaitMs': '0',
      'notices.telegram.botTokenEnv': 'BOT_TOKEN',
      'notices.telegram.chatIds': String(chat),
      'notices.telegram.apiRoot': telegram.apiRoot,
    },
    env: { BOT_TOKEN: telegram.token },
  })
  await spillway.pool('openai', ['a', 'b', 'c'])
})

afterEach(async () => {
  await spillway.close()
  await telegram.close()
})

/** Without the name of the machine below them. */
const texts = () => telegram.shown(chat).map(({ text }) => text.replace(/\n— .*$/, ''))

/** Lets what has happened be told, until the chat shows so many messages. */
async function shows(count: number): Promise<void> {
  await spillway.daemon.core.engine.flush()
  await spillway.advance(0)
  await telegram.until(() => telegram.shown(chat).length >= count)
}

const pass = (ms: number, step?: number) => spillway.pass(ms, step)

/** Somebody writes to the bot; resolves with its answer. */
async function ask(text: string): Promise<string> {
  const before = telegram.shown(chat).length
  telegram.say(chat, text)
  await telegram.until(() => telegram.shown(chat).length > before)
  return texts().at(-1) ?? ''
}

describe('incident 1 as the operator sees it in the chat', () => {
  it('tells one failover when the member that was rotated to answers 429 to every agent', async () => {
    await spillway.ask()
    await spillway.ops.poolRotate({ name: 'openai', to: 'b' })
    expect(await spillway.audit('pool_rotated')).toMatchObject([{ from: 'a', to: 'b', actor: 'operator:cli' }])
    await shows(1)
    spillway.upstream.on('sk-b').always(limited)
    for (let i = 0; i < 20; i++) expect((await spillway.ask()).status).toBe(200)
    await shows(2)
    await pass(20_000)
    expect(texts()).toEqual([
      expect.stringMatching(/^openai: rotated from a to b by operator:cli \(a parked until [\d:]{8} UTC\)\./),
      expect.stringMatching(
        /^openai: failed over from b to c \(429 rate limit, until [\d:]{8} UTC\); nobody was refused\./,
      ),
    ])
  })

  it('never tells a failover from a member to itself when nobody is left', async () => {
    await spillway.ask()
    await spillway.ops.poolRotate({ name: 'openai' })
    spillway.upstream.on('*').always(limited)
    for (let i = 0; i < 6; i++) expect((await spillway.ask()).status).toBe(429)
    await shows(2)
    await pass(20_000)
    const told = texts().slice(1)
    expect(told).toHaveLength(1)
    expect(told[0]).toMatch(
      /^openai is exhausted: all 3 members are cooling\. \w recovers first, at [\d:]{8} UTC \(in \d+ s\)\./,
    )
    for (const text of texts()) expect(text).not.toMatch(/from (\w+) to \1\b/)
  })
})

describe('an exhaustion', () => {
  async function exhaust(): Promise<void> {
    spillway.upstream.on('*').always(limited)
    expect((await spillway.ask()).status).toBe(429)
    await shows(1)
  }

  it('is one message that is edited while it lasts, and closed by one reply with the number of refused requests', async () => {
    await exhaust()
    for (let i = 0; i < 9; i++) await spillway.ask()
    await pass(45_000)
    await telegram.until(() => telegram.shown(chat)[0]?.text.includes('so far') === true)
    expect(texts()).toHaveLength(1)
    expect(texts()[0]).toMatch(/Exhausted for \d+ s so far, 10 requests refused\. Look: spillway pool explain openai$/)
    spillway.upstream.on('*').clear()
    await pass(20_000)
    expect((await spillway.ask()).status).toBe(200)
    await shows(2)
    await pass(60_000)
    const [message, reply, ...more] = telegram.shown(chat)
    expect(message?.text).toMatch(/^openai was exhausted for .*10 requests were refused\.\n/)
    expect(message?.buttons).toEqual([])
    expect(reply?.text).toMatch(/^openai recovered after \d+ s \(\w is serving\)\. 10 requests were refused\.\n/)
    expect(reply?.replyTo).toBe(message?.id)
    expect(more).toEqual([])
  })

  it('goes on in the same message over a restart, and is told as over once', async () => {
    await exhaust()
    await spillway.restart()
    expect((await spillway.ask()).status).toBe(429)
    await pass(30_000)
    expect(telegram.shown(chat)).toHaveLength(1)
    spillway.upstream.on('*').clear()
    await pass(60_000)
    expect((await spillway.ask()).status).toBe(200)
    await shows(2)
    await spillway.restart()
    await pass(60_000)
    expect(telegram.shown(chat)).toHaveLength(2)
    expect(telegram.shown(chat)[1]?.replyTo).toBe(telegram.shown(chat)[0]?.id)
  })

  it('ends when an operator makes a member usable from the chat', async () => {
    await exhaust()
    expect(await ask('/clear openai b')).toBe('openai: b is cleared.')
    await shows(3)
    expect(texts().at(-1)).toMatch(/^openai recovered after .*\(b is serving\)\. 1 request was refused\.$/)
    expect(await spillway.audit('member_cleared')).toMatchObject([{ from: 'b', actor: 'operator:telegram:7' }])
  })
})

describe('commands', () => {
  it('from an allowed chat act on the live pool in the name of who asked', async () => {
    await spillway.ask()
    expect(await ask('/rotate openai')).toMatch(/^openai: a → b \(a parked until [\d:]{8} UTC\)$/)
    await spillway.ask()
    expect(spillway.upstream.served).toEqual(['sk-a', 'sk-b'])
    expect(await spillway.audit('pool_rotated')).toMatchObject([{ actor: 'operator:telegram:7' }])
    expect(await ask('/pools')).toContain('openai: b serves')
  })

  it('from any other chat are met with silence and change nothing', async () => {
    telegram.say(666, '/rotate openai', { id: 66, first_name: 'Eve' })
    telegram.say(666, '/start', { id: 66, first_name: 'Eve' })
    expect(await ask('/pools')).toContain('openai: a serves')
    expect(telegram.calls.filter(({ payload }) => payload.chat_id === 666)).toEqual([])
    expect(await spillway.audit('pool_rotated')).toEqual([])
  })

  it('are carried out once, also when the daemon restarts in between', async () => {
    await spillway.ask()
    await ask('/rotate openai')
    await spillway.restart()
    await ask('/help')
    expect(await spillway.audit('pool_rotated')).toHaveLength(1)
  })
})
