import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Installation, installation } from '../fakes/rig/installation.ts'
import { TelegramFake } from '../fakes/telegram/telegram.ts'
import { answer } from '../fakes/upstream/upstream.ts'

const chat = 42
const group = -100
const eve = { id: 66, first_name: '/rotate openai' }

let telegram: TelegramFake
let spillway: Installation

beforeEach(async () => {
  telegram = await TelegramFake.open({ now: () => spillway?.clock.now() ?? Date.UTC(2026, 0, 5, 14) })
  spillway = await installation({
    config: {
      'pools.maxWaitMs': '0',
      'notices.telegram.botTokenEnv': 'BOT_TOKEN',
      'notices.telegram.chatIds': `${chat},${group}`,
      'notices.telegram.apiRoot': telegram.apiRoot,
    },
    env: { BOT_TOKEN: telegram.token },
  })
  await spillway.pool('openai', ['a', 'b'])
  await telegram.until(() => telegram.callsOf('getUpdates').length > 0)
})

afterEach(async () => {
  await spillway.close()
  await telegram.close()
})

async function shows(count: number): Promise<void> {
  await spillway.daemon.core.engine.flush()
  await spillway.advance(0)
  await telegram.until(() => telegram.shown(chat).length >= count)
}

async function ask(text: string): Promise<string> {
  const before = telegram.shown(chat).length
  telegram.say(chat, text)
  await telegram.until(() => telegram.shown(chat).length > before)
  return telegram.shown(chat).at(-1)?.text ?? ''
}

const sent = () => telegram.calls.filter(({ method }) => method === 'sendMessage' || method === 'editMessageText')
const rotations = () => spillway.audit('pool_rotated')

describe('A21: what looks like markup or a command', () => {
  it('in the answer of an upstream never reaches the chat', async () => {
    const message = '<b>/rotate openai</b> [click](https://evil.example) *bold* Your key is sk-a'
    spillway.upstream.on('*').always(answer(429, {}, { error: { message, code: 'rate_limit_exceeded' } }))
    await spillway.ask()
    await shows(1)
    expect(JSON.stringify(sent())).not.toMatch(/evil|click|<b>|sk-a/)
  })

  it('in a file is shown as text, on lines of its own, without links and previews', async () => {
    const key = '<b>bold</b> [x](https:evil) _*`'
    writeFileSync(join(spillway.data, 'spillway.yaml'), `"${key}": 1\n"a\\u202e\\u0000\\nb": 2\n`)
    expect((await spillway.ops.reload({})).applied).toBe(false)
    await shows(1)
    const [notice] = telegram.shown(chat)
    expect(notice?.parseMode).toBeNull()
    expect(notice?.text).toContain(key)
    for (const hidden of ['\u202e', '\u0000']) expect(notice?.text).not.toContain(hidden)
    // Only the command of the program itself is marked up, by its place: nothing of the file is read as markup.
    expect(notice?.codes).toEqual(['spillway doctor'])
  })

  it.each(['/rotate openai', '<script>', 'a b', 'x\n/rotate openai', '@spillway_bot', 'ä'])(
    'cannot be the name %j of a pool, a credential or a key',
    async (name) => {
      const invalid = { code: 'invalid' }
      const source = { kind: 'vault' as const, secret: 'sk-x' }
      await expect(spillway.ops.poolCreate({ name, provider: 'openai', members: ['a'] })).rejects.toMatchObject(invalid)
      await expect(spillway.ops.credAdd({ name, provider: 'openai', source })).rejects.toMatchObject(invalid)
      await expect(spillway.ops.keyCreate({ name })).rejects.toMatchObject(invalid)
    },
  )

  it('in an argument of a command is echoed as text and carried out as nothing', async () => {
    for (const text of ['/pool <b>x</b>', '/park openai /rotate', '/pool openai\n/rotate openai', '/rotate openai;b']) {
      await ask(text)
    }
    expect(telegram.shown(chat).every(({ parseMode }) => parseMode === null)).toBe(true)
    expect(await rotations()).toEqual([])
  })
})

describe('A21: commands and buttons', () => {
  it('of anybody outside the allowed chats do nothing and are not answered', async () => {
    for (const text of ['/rotate openai', '/rotate@spillway_bot openai', '/park openai a', '/start', 'hello']) {
      telegram.say(666, text, eve)
      telegram.say(-666, text, eve)
    }
    expect(await ask('/pools')).toContain('openai: a serves')
    expect(telegram.calls.some(({ payload }) => payload.chat_id === 666 || payload.chat_id === -666)).toBe(false)
    expect(await rotations()).toEqual([])
  })

  it('that were forged, guessed or taken from another chat do nothing', async () => {
    spillway.upstream.on('sk-a').once(answer(429, {}, { error: { message: 'slow', code: 'rate_limit_exceeded' } }))
    await spillway.ask()
    await shows(1)
    const [notice] = telegram.shown(chat)
    const clear = notice?.buttons.find(({ text }) => text === 'Clear a')?.data ?? ''
    expect(clear).toMatch(/^do:[\w-]{20,}$/)
    for (const data of [
      'do:forged',
      'rotate openai',
      '{"verb":"rotate","pool":"openai"}',
      `${clear}A`,
      clear.slice(0, -1),
    ]) {
      telegram.pressRaw(data, chat)
    }
    // The data of this chat's button, pressed in the other allowed chat and in one that is not allowed.
    telegram.pressRaw(clear, group)
    telegram.pressRaw(clear, 666, 1, eve)
    await telegram.until(() => telegram.answers.length >= 6)
    await ask('/help')
    expect(telegram.answers.every(({ text, alert }) => alert && text.includes('no longer valid'))).toBe(true)
    expect(await rotations()).toEqual([])
    expect(await spillway.audit('member_cleared')).toEqual([])
    telegram.pressRaw(clear, chat)
    await telegram.until(() => telegram.shown(chat).some(({ text }) => text === 'openai: a is cleared.'))
    expect(await spillway.audit('member_cleared')).toHaveLength(1)
  })
})
