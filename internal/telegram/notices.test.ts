import { describe, expect, it } from 'vitest'
import { limited } from '../../test/fakes/rig/records.ts'
import {
  ann,
  ask,
  begin,
  chat,
  exhaust,
  last,
  logged,
  passUntil,
  rig,
  shows,
  texts,
  useBot,
} from '../../test/fakes/telegram/chatting.ts'

useBot()

describe('notices', () => {
  it('of a failover carry buttons that act once, in the name of who pressed', async () => {
    rig.bench.attempt('openai')
    rig.bench.attempt('openai', limited)
    rig.bench.attempt('openai')
    await shows(1)
    const [notice] = rig.fake.shown(chat)
    expect(notice?.text).toBe(
      'openai: failed over from work to personal (429 rate limit, until 14:01:00 UTC); nobody was refused. Look: spillway pool explain openai\n— node7',
    )
    expect(notice?.buttons.map(({ text }) => text)).toEqual(['Rotate openai', 'Clear work'])
    rig.fake.press(notice!, 'Clear work', { from: ann })
    await shows(2)
    expect(last()).toBe('openai: work is cleared.')
    expect(rig.bench.store.rows.at(-1)).toMatchObject({ kind: 'member_cleared', actor: 'operator:telegram:7' })
    rig.fake.press(notice!, 'Clear work', { from: ann })
    await rig.fake.until(() => rig.fake.answers.length === 2)
    expect(rig.fake.answers.map(({ text, alert }) => [text, alert])).toEqual([
      ['', false],
      ['This was done already. To do it again, send /clear openai work', true],
    ])
  })

  it('of an exhaustion are edited while it lasts and closed by a reply', async () => {
    rig.bench.attempt('openai')
    rig.bench.attempt('openai', limited)
    rig.bench.attempt('openai', limited)
    exhaust()
    await shows(1)
    expect(texts()).toEqual([
      'openai is exhausted: all 2 members are cooling. work recovers first, at 14:01:00 UTC (in 60 s). Look: spillway pool explain openai',
    ])
    await rig.bench.clock.advance(90_000)
    await rig.fake.until(() => (rig.fake.shown(chat)[0]?.texts.length ?? 0) > 1)
    expect(rig.bench.attempt('openai')).toBe('work')
    await shows(2)
    expect(texts()).toEqual([
      'openai was exhausted for 90 s, from 14:00:00 to 14:01:30 UTC. 1 request was refused.',
      'openai recovered after 90 s (work is serving). 1 request was refused.',
    ])
    expect(rig.fake.shown(chat)[1]?.replyTo).toBe(rig.fake.shown(chat)[0]?.id)
    expect(rig.fake.shown(chat)[0]?.buttons).toEqual([])
  })

  it('are plain text, also when a name looks like markup or a command', async () => {
    await rig.bench.engine.needsLogin('personal', 1, 'refresh-rejected')
    await shows(1)
    expect(rig.fake.callsOf('sendMessage').map(({ payload }) => payload.parse_mode)).toEqual([undefined])
    expect(rig.fake.shown(chat)[0]?.codes).toEqual(['spillway cred login personal'])
  })

  it('go to each chat on its own, though one of them is gone', async () => {
    await rig.telegram.stop()
    await rig.notifier.stop()
    await begin({ chatIds: [13, chat] })
    await rig.bench.engine.needsLogin('personal', 1, 'refresh-rejected')
    await shows(1)
    await rig.bench.clock.advance(600_000)
    expect(rig.fake.callsOf('sendMessage').filter(({ payload }) => payload.chat_id === 13)).toHaveLength(1)
    expect(logged('chat not found')).toBe(true)
  })
})

describe('buttons', () => {
  it('of what is over do nothing and say so, also before they are taken away', async () => {
    rig.bench.attempt('openai')
    rig.bench.attempt('openai', limited)
    rig.bench.attempt('openai')
    await shows(1)
    const [notice] = rig.fake.shown(chat)
    const rotate = notice?.buttons.find(({ text }) => text === 'Rotate openai')?.data ?? ''
    rig.fake.fail('editMessageText', { status: 500 })
    await rig.bench.clock.advance(180_000)
    rig.fake.pressRaw(rotate, chat)
    await rig.fake.until(() => rig.fake.answers.length === 1)
    expect(rig.fake.answers[0]).toMatchObject({ alert: true })
    expect(rig.fake.answers[0]?.text).toBe('That is over: nothing was done. To do it all the same, send /rotate openai')
    rig.fake.heal()
    await passUntil(() => rig.fake.shown(chat)[0]?.buttons.length === 0)
    expect(rig.bench.store.rows.filter(({ kind }) => kind === 'pool_rotated')).toEqual([])
  })

  it('of a disabled key enable it', async () => {
    rig.bench.finding = 'confirmed'
    await rig.bench.ops.credDisable({ name: 'work' })
    await shows(1)
    const [notice] = rig.fake.shown(chat)
    expect(notice?.isSilent).toBe(true)
    expect(notice?.buttons.map(({ text }) => text)).toEqual(['Enable work'])
    rig.fake.press(notice!, 'Enable work')
    await shows(2)
    expect(last()).toBe('work is enabled.')
    await passUntil(() => rig.fake.shown(chat)[0]?.buttons.length === 0)
  })

  it('mean nothing in another chat, nor when made up', async () => {
    await ask('/pool openai')
    const [message] = rig.fake.shown(chat)
    rig.fake.pressRaw('do:AAAAAAAAAAAAAAAAAAAAAAAA', chat)
    rig.fake.pressRaw('{"verb":"rotate","pool":"openai"}', chat)
    rig.fake.press(message!, 'Rotate openai', { chat: 666 })
    await ask('/help')
    expect(rig.fake.answers.map(({ text }) => text)).toEqual(
      Array(2).fill('This button is no longer valid. /help lists the commands.'),
    )
    expect((await rig.bench.ops.poolStatus({ name: 'openai' })).active).toBe('work')
  })

  it('expire after an hour and say what to send instead', async () => {
    await ask('/pool openai')
    await rig.bench.clock.advance(3_600_000)
    rig.fake.press(rig.fake.shown(chat)[0]!, 'Rotate openai')
    await passUntil(() => rig.fake.answers.length === 1)
    expect(rig.fake.answers[0]?.text).toBe('This button has expired. Send /rotate openai instead.')
  })

  it('can be pressed again when the action was refused', async () => {
    await ask('/pool openai')
    rig.bench.attempt('openai', limited)
    rig.bench.attempt('openai', limited)
    const [message] = rig.fake.shown(chat)
    rig.fake.press(message!, 'Rotate openai')
    await shows(2)
    expect(last()).toMatch(/^openai has nobody who can serve now/)
    await rig.bench.clock.advance(60_000)
    rig.fake.press(message!, 'Rotate openai')
    await shows(3)
    expect(last()).toMatch(/^openai: (work|personal) → /)
  })
})
