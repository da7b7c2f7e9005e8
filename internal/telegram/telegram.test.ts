import { describe, expect, it } from 'vitest'
import { limited } from '../../test/fakes/rig/records.ts'
import { ann, ask, begin, chat, last, rig, shows, texts, useBot } from '../../test/fakes/telegram/chatting.ts'
import { TelegramFake } from '../../test/fakes/telegram/telegram.ts'

useBot()

describe('commands', () => {
  it('/status shows pools and open incidents', async () => {
    expect(await ask('/status')).toBe(
      'spillway 1.2.3 on node7\nopenai: work serves (2 of 2 members are well)\nNo incident is open.',
    )
  })

  it('/pools shows who serves, or when somebody does again', async () => {
    expect(await ask('/pools')).toBe('openai: work serves (2 of 2 members are well)')
    rig.bench.attempt('openai', limited)
    rig.bench.attempt('openai', limited)
    expect(await ask('/pools')).toBe('openai: nobody can serve, next recovery in 60 s (14:01:00 UTC)')
  })

  it('/pool shows each member, with buttons for what can be done', async () => {
    rig.bench.attempt('openai')
    rig.bench.attempt('openai', limited)
    await rig.bench.ops.poolPark({ name: 'openai', member: 'personal' })
    expect(await ask('/pool openai')).toBe(
      [
        'openai: personal serves (0 of 2 members are well)',
        '1. work: cooling (rate-limited, until 14:01:00 UTC)',
        '2. personal: healthy, parked until somebody unparks it, serves',
      ].join('\n'),
    )
    expect(
      rig.fake
        .shown(chat)
        .at(-1)
        ?.buttons.map(({ text }) => text),
    ).toEqual(['Rotate openai', 'Clear work', 'Unpark personal'])
  })

  it('/rotate parks the active member, in the name of who asked, and is not told as a notice', async () => {
    expect(await ask('/rotate openai')).toBe('openai: work → personal (work parked until 14:05:00 UTC)')
    await rig.bench.engine.flush()
    expect(rig.bench.store.rows.at(-1)).toMatchObject({ kind: 'pool_rotated', actor: 'operator:telegram:7' })
    await rig.bench.clock.advance(10_000)
    expect(texts()).toHaveLength(1)
  })

  it('/park, /unpark and /clear change a member, and say so when there was nothing to change', async () => {
    expect(await ask('/park openai work 1h30m')).toBe('openai: work is parked until 15:30:00 UTC.')
    expect(await ask('/park openai work')).toBe('openai: work is parked until somebody unparks it.')
    expect(await ask('/unpark openai work')).toBe('openai: work is no longer parked.')
    expect(await ask('/unpark openai work')).toBe('openai: work was not parked.')
    rig.bench.attempt('openai', limited)
    expect(await ask('/clear openai work')).toBe('openai: work is cleared.')
    expect(await ask('/clear openai work')).toBe('openai: work had no cooldown to clear.')
  })

  it('/audit shows what happened last, newest last', async () => {
    await rig.bench.ops.poolRotate({ name: 'openai' })
    const rows = (await ask('/audit 2')).split('\n')
    expect(rows).toHaveLength(2)
    expect(rows[1]).toBe('14:00:00 UTC pool_rotated openai work → personal by operator:test')
  })

  it('/mute lets only what is urgent through, without a sound, and /mute off sums up the rest', async () => {
    expect(await ask('/mute 1h')).toBe(
      'Notices are muted until 15:00:00 UTC: only what is urgent is told, without a sound. /mute off ends that.',
    )
    expect(await ask('/status')).toContain('\nNotices are muted until 15:00:00 UTC')
    await rig.bench.engine.needsLogin('personal', 1, 'refresh-rejected')
    await shows(3)
    expect(rig.fake.shown(chat)[2]).toMatchObject({ isSilent: true })
    expect(last()).toContain('personal needs a login')
    rig.bench.engine.tell({ kind: 'store_trouble', detail: { what: 'the disk is full' } })
    await rig.bench.engine.flush()
    rig.bench.engine.tell({ kind: 'store_healed', detail: {} })
    await rig.bench.engine.flush()
    await rig.bench.clock.advance(10_000)
    expect(texts()).toHaveLength(3)
    rig.fake.say(chat, '/mute off', ann)
    await shows(5)
    expect(texts()).toContain('Notices are on.')
    expect(texts().find((text) => text.startsWith('While'))).toMatch(
      /^While notices were muted, 1 incident began and ended:\n- The store was in trouble for/,
    )
  })

  it('/enable lets a disabled credential serve again', async () => {
    await rig.bench.ops.credDisable({ name: 'work' })
    expect(await ask('/enable')).toBe('Usage: /enable NAME')
    expect(await ask('/enable work')).toBe('work is enabled.')
    expect(await ask('/enable work')).toBe('work was enabled already.')
  })

  it('/help and /start list the commands', async () => {
    const help = await ask('/help')
    expect(help.split('\n')).toHaveLength(11)
    expect(help).toContain('/park NAME MEMBER [1h] – put a member aside')
    expect(await ask('/start')).toBe(help)
  })

  it.each([
    ['/pools@spillway_bot', 'openai: work serves (2 of 2 members are well)'],
    ['/pool', 'Usage: /pool NAME'],
    ['/rotate', 'Usage: /rotate NAME'],
    ['/park openai', 'Usage: /park NAME MEMBER [1h]'],
    ['/park openai work soon', 'Usage: /park NAME MEMBER [1h]'],
    ['/unpark openai', 'Usage: /unpark NAME MEMBER'],
    ['/clear', 'Usage: /clear NAME MEMBER'],
    ['/audit many', 'Usage: /audit [N]'],
    ['/mute later', 'Usage: /mute 1h | off'],
    ['/rotat openai', 'No such command. /help lists what there is.'],
    ['/pool openia', 'no pool named openia; did you mean openai?'],
    ['/park openai wrok', 'no member of openai named wrok; did you mean work?'],
  ])('%s is answered with %s', async (text, reply) => {
    expect(await ask(text)).toBe(reply)
  })

  it('answers as a reply, and says what a refusal advises', async () => {
    await rig.bench.ops.poolDrop({ name: 'openai', member: 'personal' })
    const id = rig.fake.say(chat, '/rotate openai@', ann)
    await rig.fake.until(() => rig.fake.shown(chat).length === 1)
    expect(rig.fake.shown(chat)[0]?.replyTo).toBe(id)
    expect(await ask('/rotate openai')).toBe(
      'openai has one member: there is nobody to rotate to.\nspillway pool add openai MEMBER',
    )
  })

  it('does not carry out what was sent long ago', async () => {
    const sentAt = rig.bench.clock.now()
    await rig.telegram.stop()
    rig.fake.say(chat, '/rotate openai', ann)
    await rig.bench.clock.advance(600_000)
    await begin()
    await rig.fake.until(() => rig.fake.shown(chat).length === 1)
    expect(sentAt).toBeLessThan(rig.bench.clock.now())
    expect(last()).toBe('This was sent at 14:00:00 UTC, too long ago to be carried out now. Send it again.')
    expect((await rig.bench.ops.poolStatus({ name: 'openai' })).active).toBe('work')
  })

  it('confirms a command before it is carried out, so that a crash cannot repeat it', async () => {
    await ask('/rotate openai')
    const polls = rig.fake.callsOf('getUpdates').map(({ payload }) => [payload.offset, payload.timeout])
    expect(polls.some(([offset, timeout]) => Number(offset) > 0 && timeout === 0)).toBe(true)
    await rig.telegram.stop()
    await begin()
    await ask('/help')
    expect(rig.bench.store.rows.filter(({ kind }) => kind === 'pool_rotated')).toHaveLength(1)
  })

  it('sets the menu of commands in the allowed chats only', () => {
    expect([...rig.fake.menus.keys()]).toEqual(['42'])
    expect(rig.fake.menus.get('42')?.[0]).toEqual({ command: 'status', description: 'pools and open incidents' })
  })
})

describe('a group', () => {
  it('is answered, but not what is meant for other bots', async () => {
    await rig.telegram.stop()
    await rig.notifier.stop()
    await rig.fake.close()
    rig.fake = await TelegramFake.open({ now: () => rig.bench.clock.now() })
    await begin({ chatIds: [-100] })
    rig.fake.say(-100, '/weather', ann)
    rig.fake.say(-100, 'good morning', ann)
    rig.fake.say(-100, '/weather@spillway_bot', ann)
    await rig.fake.until(() => rig.fake.shown(-100).length === 1)
    rig.fake.say(-100, '/pools', ann)
    await rig.fake.until(() => rig.fake.shown(-100).length === 2)
    expect(rig.fake.shown(-100).map(({ text }) => text)).toEqual([
      'No such command. /help lists what there is.',
      'openai: work serves (2 of 2 members are well)',
    ])
  })
})

describe('a check', () => {
  it('asks for the bot and for each chat', async () => {
    expect(await rig.telegram.check()).toEqual([{ channel: 'telegram:42', problem: null }])
    await rig.telegram.stop()
    await begin({ chatIds: [13, chat] })
    expect(await rig.telegram.check()).toEqual([
      { channel: 'telegram:13', problem: 'Telegram answered 400: Bad Request: chat not found' },
      { channel: 'telegram:42', problem: null },
    ])
  })
})

describe('strangers', () => {
  it('are ignored without a word, counted, and named once in the log', async () => {
    rig.fake.say(666, '/rotate openai', { id: 66, first_name: 'Eve' })
    rig.fake.say(666, '/status', { id: 66, first_name: 'Eve' })
    rig.fake.pressRaw('do:forged', 666)
    await ask('/help')
    expect(rig.telegram.ignored()).toBe(3)
    expect(rig.fake.calls.filter(({ payload }) => payload.chat_id === 666)).toEqual([])
    expect(rig.fake.answers).toEqual([])
    expect(rig.lines.filter((line) => line.includes('666'))).toHaveLength(1)
    expect((await rig.bench.ops.poolStatus({ name: 'openai' })).active).toBe('work')
  })
})
