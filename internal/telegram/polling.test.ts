import { describe, expect, it } from 'vitest'
import {
  ann,
  ask,
  begin,
  chat,
  isEmptied,
  last,
  logged,
  passUntil,
  rig,
  sees,
  shows,
  texts,
  useBot,
} from '../../test/fakes/telegram/chatting.ts'

useBot()

describe('an API that fails', () => {
  it('with 429 is left alone as long as it asks, and the notice comes once', async () => {
    rig.fake.fail('sendMessage', { status: 429, description: 'Too Many Requests: retry after 35', retryAfter: 35 }, 1)
    await rig.bench.engine.needsLogin('personal', 1, 'refresh-rejected')
    await rig.bench.clock.advance(0)
    await sees('a notice could not be delivered')
    await rig.bench.clock.advance(34_000)
    expect(rig.fake.callsOf('sendMessage')).toHaveLength(1)
    await passUntil(isEmptied)
    expect(texts()).toHaveLength(1)
    expect(rig.fake.callsOf('sendMessage')).toHaveLength(2)
  })

  it.each([
    ['refuses connections', async () => rig.fake.close(), async () => rig.fake.open()],
    ['answers 500', async () => rig.fake.fail('*', { status: 500 }), async () => rig.fake.heal()],
    ['breaks connections', async () => rig.fake.fail('*', 'reset'), async () => rig.fake.heal()],
  ])('because it %s gets the notice when it is back, once', async (_name, breaks, heals) => {
    await breaks()
    await rig.bench.engine.needsLogin('personal', 1, 'refresh-rejected')
    await rig.bench.clock.advance(0)
    await sees('a notice could not be delivered')
    await heals()
    await passUntil(isEmptied)
    await rig.bench.clock.advance(600_000)
    expect(texts()).toHaveLength(1)
  })

  it('by hanging is given up after ten seconds', async () => {
    rig.fake.fail('sendMessage', 'hang', 1)
    await rig.bench.engine.needsLogin('personal', 1, 'refresh-rejected')
    await rig.bench.clock.advance(0)
    await rig.fake.until(() => rig.fake.callsOf('sendMessage').length === 1)
    await rig.bench.clock.advance(10_000)
    await sees('Telegram cannot be reached')
    await passUntil(isEmptied)
    expect(texts()).toHaveLength(1)
  })

  it('by saying that nothing is modified has done what was asked', async () => {
    await rig.bench.engine.needsLogin('personal', 1, 'refresh-rejected')
    await shows(1)
    rig.fake.fail('editMessageText', { status: 400, description: 'Bad Request: message is not modified: same' }, 1)
    await rig.bench.engine.renewCredential('personal', 'login', () => [], 'operator:cli')
    await shows(2)
    expect(last()).toMatch(/^personal is usable again/)
    expect(logged('a message is gone')).toBe(false)
  })

  it('never shows the token, whatever goes wrong', async () => {
    await rig.telegram.stop()
    await rig.fake.close()
    await begin({ token: '4200:canary-other-token' })
    await rig.bench.engine.needsLogin('personal', 1, 'refresh-rejected')
    await rig.bench.clock.advance(0)
    await sees('Telegram commands are not heard')
    await rig.fake.open()
    await passUntil(() => logged('401'))
    expect(rig.lines.join('')).not.toMatch(/canary|4200:/)
  })
})

describe('polling', () => {
  it('survives another poller: one line in the log, a slow retry, then it listens again', async () => {
    rig.fake.fail('getUpdates', { status: 409, description: 'Conflict: terminated by other getUpdates request' }, 2)
    rig.fake.say(chat, '/help', ann)
    await sees('another process polls')
    const polls = rig.fake.callsOf('getUpdates').length
    await rig.bench.clock.advance(29_000)
    expect(rig.fake.callsOf('getUpdates')).toHaveLength(polls)
    await passUntil(() => texts().length === 1)
    expect(rig.lines.filter((line) => line.includes('another process polls'))).toHaveLength(1)
    await sees('Telegram commands are heard again')
  })

  it('comes back after the API was away', async () => {
    await rig.fake.close()
    await sees('Telegram commands are not heard')
    await rig.fake.open()
    await passUntil(() => rig.fake.callsOf('getUpdates').length > 1)
    expect(await ask('/pools')).toContain('openai')
  })

  it('stops at once, in the middle of a long poll or of a pause', async () => {
    await rig.telegram.stop()
    const polls = rig.fake.callsOf('getUpdates').length
    rig.fake.say(chat, '/help')
    await rig.bench.clock.advance(120_000)
    expect(rig.fake.callsOf('getUpdates')).toHaveLength(polls)
    rig.fake.fail('getMe', 'hang')
    await begin({ token: '4200:other' })
    await rig.telegram.stop()
  })
})
