import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Installation, installation } from '../fakes/rig/installation.ts'
import { type Failure, TelegramFake } from '../fakes/telegram/telegram.ts'
import { answer } from '../fakes/upstream/upstream.ts'

const chat = 42
const limited = answer(429, {}, { error: { message: 'slow', code: 'rate_limit_exceeded' } })

let telegram: TelegramFake
let spillway: Installation

beforeEach(async () => {
  telegram = await TelegramFake.open({ chats: [chat] })
  spillway = await installation({
    config: {
      'pools.maxWaitMs': '0',
      'notices.telegram.botTokenEnv': 'BOT_TOKEN',
      'notices.telegram.chatIds': String(chat),
      'notices.telegram.apiRoot': telegram.apiRoot,
    },
    env: { BOT_TOKEN: telegram.token },
  })
})

afterEach(async () => {
  await spillway.close()
  await telegram.close()
})

/** Lets time pass in steps that real connections can follow. */
async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 5_000) {
    await spillway.advance(5_000)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

const outbox = () => spillway.daemon.core.store.outbox()

const refuses = async () => telegram.close()
const fails = (failure: Failure) => async () => telegram.fail('*', failure)

describe('F23: Telegram', () => {
  it.each([
    { name: 'is down', break: refuses },
    { name: 'answers 429', break: fails({ status: 429, description: 'Too Many Requests', retryAfter: 20 }) },
    { name: 'answers 500', break: fails({ status: 500 }) },
    { name: 'hangs', break: fails('hang') },
  ])('$name: requests are served as ever, and what happened is told afterwards, once', async (row) => {
    await spillway.pool('openai', ['a', 'b'])
    await spillway.ask()
    await row.break()
    spillway.upstream.on('sk-a').always(limited)
    const begun = performance.now()
    for (let i = 0; i < 100; i++) expect((await spillway.ask()).status).toBe(200)
    expect(performance.now() - begun).toBeLessThan(5_000)
    await pass(60_000)
    expect((await outbox()).length).toBe(1)
    telegram.heal()
    if (row.break === refuses) await telegram.open()
    await expect
      .poll(
        async () => {
          await pass(10_000)
          return (await outbox()).length
        },
        { timeout: 15_000, interval: 1 },
      )
      .toBe(0)
    await pass(60_000)
    expect(telegram.shown(chat).map(({ text }) => text)).toEqual([
      expect.stringMatching(/^openai: failed over from a to b (\(429 rate limit, until|at )/),
    ])
  })

  it('that is down during 300 incidents leaves at most 100 entries, and tells how many were too many', async () => {
    await telegram.close()
    const { engine } = spillway.daemon.core
    for (let i = 0; i < 300; i++) {
      await spillway.credential(`key-${i}`)
      await engine.needsLogin(`key-${i}`, 1, 'refresh-rejected')
      if (i % 50 === 49) {
        await spillway.advance(1_000)
        expect((await outbox()).length).toBeLessThanOrEqual(100)
      }
    }
    await pass(60_000)
    expect((await outbox()).length).toBeLessThanOrEqual(100)
    await telegram.open()
    await expect
      .poll(
        async () => {
          await pass(60_000)
          return (await outbox()).length
        },
        { timeout: 18_000, interval: 1 },
      )
      .toBe(0)
    const texts = telegram.shown(chat).map(({ text }) => text)
    expect(new Set(texts).size).toBe(texts.length)
    expect(texts.join('\n')).toMatch(/200/)
  }, 30_000)
})
