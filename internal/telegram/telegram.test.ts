import { rmSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { addCredentials, type Bench, startBench } from '../../test/fakes/rig/operations.ts'
import { limited } from '../../test/fakes/rig/records.ts'
import { TelegramFake } from '../../test/fakes/telegram/telegram.ts'
import { createLogger } from '../log/log.ts'
import { createNotifier, type Notifier } from '../notify/notify.ts'
import { Secret } from '../vault/vault.ts'
import { createTelegram, type Telegram } from './telegram.ts'

const chat = 42
const ann = { id: 7, first_name: 'Ann' }

let bench: Bench
let fake: TelegramFake
let notifier: Notifier
let telegram: Telegram
let lines: string[]

beforeEach(async () => {
  bench = await startBench()
  await addCredentials(bench.ops, ['work', 'personal'])
  await bench.ops.poolCreate({ name: 'openai', provider: 'openai', members: ['work', 'personal'] })
  fake = await TelegramFake.open({ chats: [chat], now: () => bench.clock.now() })
  lines = []
  await begin()
})

afterEach(async () => {
  await telegram.stop()
  await notifier.stop()
  await bench.stop()
  await fake.close()
  rmSync(bench.data, { recursive: true, force: true })
})

/** Builds notifier and bot as the program does. */
async function begin({ token = fake.token, chatIds = [chat] } = {}): Promise<void> {
  const log = createLogger({ level: 'debug', format: 'json', destination: { write: (line) => lines.push(line) } })
  const { store, bus, clock, engine } = bench
  notifier = createNotifier({
    store,
    bus,
    clock,
    log,
    settings: { dedupeMs: 30_000, failover: 'silent' },
    host: 'node7',
    channels: [],
    timeZone: 'UTC',
    poolNow: (name) => engine.pool(name),
  })
  telegram = createTelegram({
    token: new Secret(token),
    chatIds,
    apiRoot: `${fake.apiRoot}/`,
    ops: bench.operations,
    notifier,
    clock,
    log,
    host: 'node7',
    timeZone: 'UTC',
  })
  for (const channel of telegram.channels) notifier.attach(channel)
  await notifier.start()
  telegram.start()
  if (token === fake.token) await fake.until(() => fake.callsOf('getUpdates').length > 0)
}

/** Says something and waits for the bot's next message in that chat. */
async function ask(text: string, where = chat): Promise<string> {
  const before = fake.shown(where).length
  fake.say(where, text, ann)
  await fake.until(() => fake.shown(where).length > before)
  return last()
}

/** A notice without the name of the machine below it. */
const unsigned = (text: string) => text.replace(/\n— node7$/, '')
const last = () => unsigned(fake.shown(chat).at(-1)?.text ?? '')
const texts = () => fake.shown(chat).map(({ text }) => unsigned(text))

/** Lets what happened be announced and told, until the chat shows so many messages. */
async function shows(count: number): Promise<void> {
  await bench.engine.flush()
  await bench.clock.advance(0)
  await fake.until(() => fake.shown(chat).length >= count)
}

/** Lets time pass in steps that real connections can follow, until it has come to that. */
async function passUntil(holds: () => boolean | Promise<boolean>): Promise<void> {
  const step = async () => {
    await bench.clock.advance(500)
    return holds()
  }
  await expect.poll(step, { interval: 30, timeout: 15_000 }).toBe(true)
}

/** Waits for a line in the log that contains this. */
async function sees(part: string): Promise<void> {
  await expect.poll(() => logged(part), { timeout: 10_000 }).toBe(true)
}

const logged = (part: string) => lines.some((line) => line.includes(part))
const isEmptied = async () => (await bench.store.outbox()).length === 0

describe('commands', () => {
  it('/status shows pools and open incidents', async () => {
    expect(await ask('/status')).toBe(
      'spillway 1.2.3 on node7\nopenai: work serves (2 of 2 members are well)\nNo incident is open.',
    )
  })

  it('/pools shows who serves, or when somebody does again', async () => {
    expect(await ask('/pools')).toBe('openai: work serves (2 of 2 members are well)')
    bench.attempt('openai', limited)
    bench.attempt('openai', limited)
    expect(await ask('/pools')).toBe('openai: nobody can serve, next recovery in 60 s (14:01:00 UTC)')
  })

  it('/pool shows each member, with buttons for what can be done', async () => {
    bench.attempt('openai')
    bench.attempt('openai', limited)
    await bench.ops.poolPark({ name: 'openai', member: 'personal' })
    expect(await ask('/pool openai')).toBe(
      [
        'openai: personal serves (0 of 2 members are well)',
        '1. work: cooling (rate-limited, until 14:01:00 UTC)',
        '2. personal: healthy, parked until somebody unparks it, serves',
      ].join('\n'),
    )
    expect(
      fake
        .shown(chat)
        .at(-1)
        ?.buttons.map(({ text }) => text),
    ).toEqual(['Rotate openai', 'Clear work', 'Unpark personal'])
  })

  it('/rotate parks the active member, in the name of who asked, and is not told as a notice', async () => {
    expect(await ask('/rotate openai')).toBe('openai: work → personal (work parked until 14:05:00 UTC)')
    await bench.engine.flush()
    expect(bench.store.rows.at(-1)).toMatchObject({ kind: 'pool_rotated', actor: 'operator:telegram:7' })
    await bench.clock.advance(10_000)
    expect(texts()).toHaveLength(1)
  })

  it('/park, /unpark and /clear change a member, and say so when there was nothing to change', async () => {
    expect(await ask('/park openai work 1h30m')).toBe('openai: work is parked until 15:30:00 UTC.')
    expect(await ask('/park openai work')).toBe('openai: work is parked until somebody unparks it.')
    expect(await ask('/unpark openai work')).toBe('openai: work is no longer parked.')
    expect(await ask('/unpark openai work')).toBe('openai: work was not parked.')
    bench.attempt('openai', limited)
    expect(await ask('/clear openai work')).toBe('openai: work is cleared.')
    expect(await ask('/clear openai work')).toBe('openai: work had no cooldown to clear.')
  })

  it('/audit shows what happened last, newest last', async () => {
    await bench.ops.poolRotate({ name: 'openai' })
    const rows = (await ask('/audit 2')).split('\n')
    expect(rows).toHaveLength(2)
    expect(rows[1]).toBe('14:00:00 UTC pool_rotated openai work → personal by operator:test')
  })

  it('/mute lets only what is urgent through, without a sound, and /mute off sums up the rest', async () => {
    expect(await ask('/mute 1h')).toBe(
      'Notices are muted until 15:00:00 UTC: only what is urgent is told, without a sound. /mute off ends that.',
    )
    expect(await ask('/status')).toContain('\nNotices are muted until 15:00:00 UTC')
    await bench.engine.needsLogin('personal', 1, 'refresh-rejected')
    await shows(3)
    expect(fake.shown(chat)[2]).toMatchObject({ isSilent: true })
    expect(last()).toContain('personal needs a login')
    bench.engine.tell({ kind: 'store_trouble', detail: { what: 'the disk is full' } })
    await bench.engine.flush()
    bench.engine.tell({ kind: 'store_healed', detail: {} })
    await bench.engine.flush()
    await bench.clock.advance(10_000)
    expect(texts()).toHaveLength(3)
    fake.say(chat, '/mute off', ann)
    await shows(5)
    expect(texts()).toContain('Notices are on.')
    expect(texts().find((text) => text.startsWith('While'))).toMatch(
      /^While notices were muted, 1 incident began and ended:\n- The store was in trouble for/,
    )
  })

  it('/enable lets a disabled credential serve again', async () => {
    await bench.ops.credDisable({ name: 'work' })
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
    await bench.ops.poolDrop({ name: 'openai', member: 'personal' })
    const id = fake.say(chat, '/rotate openai@', ann)
    await fake.until(() => fake.shown(chat).length === 1)
    expect(fake.shown(chat)[0]?.replyTo).toBe(id)
    expect(await ask('/rotate openai')).toBe(
      'openai has one member: there is nobody to rotate to.\nspillway pool add openai MEMBER',
    )
  })

  it('does not carry out what was sent long ago', async () => {
    const sentAt = bench.clock.now()
    await telegram.stop()
    fake.say(chat, '/rotate openai', ann)
    await bench.clock.advance(600_000)
    await begin()
    await fake.until(() => fake.shown(chat).length === 1)
    expect(sentAt).toBeLessThan(bench.clock.now())
    expect(last()).toBe('This was sent at 14:00:00 UTC, too long ago to be carried out now. Send it again.')
    expect((await bench.ops.poolStatus({ name: 'openai' })).active).toBe('work')
  })

  it('confirms a command before it is carried out, so that a crash cannot repeat it', async () => {
    await ask('/rotate openai')
    const polls = fake.callsOf('getUpdates').map(({ payload }) => [payload.offset, payload.timeout])
    expect(polls.some(([offset, timeout]) => Number(offset) > 0 && timeout === 0)).toBe(true)
    await telegram.stop()
    await begin()
    await ask('/help')
    expect(bench.store.rows.filter(({ kind }) => kind === 'pool_rotated')).toHaveLength(1)
  })

  it('sets the menu of commands in the allowed chats only', () => {
    expect([...fake.menus.keys()]).toEqual(['42'])
    expect(fake.menus.get('42')?.[0]).toEqual({ command: 'status', description: 'pools and open incidents' })
  })
})

describe('a group', () => {
  it('is answered, but not what is meant for other bots', async () => {
    await telegram.stop()
    await notifier.stop()
    await fake.close()
    fake = await TelegramFake.open({ now: () => bench.clock.now() })
    await begin({ chatIds: [-100] })
    fake.say(-100, '/weather', ann)
    fake.say(-100, 'good morning', ann)
    fake.say(-100, '/weather@spillway_bot', ann)
    await fake.until(() => fake.shown(-100).length === 1)
    fake.say(-100, '/pools', ann)
    await fake.until(() => fake.shown(-100).length === 2)
    expect(fake.shown(-100).map(({ text }) => text)).toEqual([
      'No such command. /help lists what there is.',
      'openai: work serves (2 of 2 members are well)',
    ])
  })
})

describe('a check', () => {
  it('asks for the bot and for each chat', async () => {
    expect(await telegram.check()).toEqual([{ channel: 'telegram:42', problem: null }])
    await telegram.stop()
    await begin({ chatIds: [13, chat] })
    expect(await telegram.check()).toEqual([
      { channel: 'telegram:13', problem: 'Telegram answered 400: Bad Request: chat not found' },
      { channel: 'telegram:42', problem: null },
    ])
  })
})

describe('strangers', () => {
  it('are ignored without a word, counted, and named once in the log', async () => {
    fake.say(666, '/rotate openai', { id: 66, first_name: 'Eve' })
    fake.say(666, '/status', { id: 66, first_name: 'Eve' })
    fake.pressRaw('do:forged', 666)
    await ask('/help')
    expect(telegram.ignored()).toBe(3)
    expect(fake.calls.filter(({ payload }) => payload.chat_id === 666)).toEqual([])
    expect(fake.answers).toEqual([])
    expect(lines.filter((line) => line.includes('666'))).toHaveLength(1)
    expect((await bench.ops.poolStatus({ name: 'openai' })).active).toBe('work')
  })
})

describe('notices', () => {
  it('of a failover carry buttons that act once, in the name of who pressed', async () => {
    bench.attempt('openai')
    bench.attempt('openai', limited)
    bench.attempt('openai')
    await shows(1)
    const [notice] = fake.shown(chat)
    expect(notice?.text).toBe(
      'openai: failed over from work to personal (429 rate limit, until 14:01:00 UTC); nobody was refused. Look: spillway pool explain openai\n— node7',
    )
    expect(notice?.buttons.map(({ text }) => text)).toEqual(['Rotate openai', 'Clear work'])
    fake.press(notice!, 'Clear work', { from: ann })
    await shows(2)
    expect(last()).toBe('openai: work is cleared.')
    expect(bench.store.rows.at(-1)).toMatchObject({ kind: 'member_cleared', actor: 'operator:telegram:7' })
    fake.press(notice!, 'Clear work', { from: ann })
    await fake.until(() => fake.answers.length === 2)
    expect(fake.answers.map(({ text, alert }) => [text, alert])).toEqual([
      ['', false],
      ['This was done already. To do it again, send /clear openai work', true],
    ])
  })

  it('of an exhaustion are edited while it lasts and closed by a reply', async () => {
    bench.attempt('openai')
    bench.attempt('openai', limited)
    bench.attempt('openai', limited)
    exhaust()
    await shows(1)
    expect(texts()).toEqual([
      'openai is exhausted: all 2 members are cooling. work recovers first, at 14:01:00 UTC (in 60 s). Look: spillway pool explain openai',
    ])
    await bench.clock.advance(90_000)
    await fake.until(() => (fake.shown(chat)[0]?.texts.length ?? 0) > 1)
    expect(bench.attempt('openai')).toBe('work')
    await shows(2)
    expect(texts()).toEqual([
      'openai was exhausted for 90 s, from 14:00:00 to 14:01:30 UTC. 1 request was refused.',
      'openai recovered after 90 s (work is serving). 1 request was refused.',
    ])
    expect(fake.shown(chat)[1]?.replyTo).toBe(fake.shown(chat)[0]?.id)
    expect(fake.shown(chat)[0]?.buttons).toEqual([])
  })

  it('are plain text, also when a name looks like markup or a command', async () => {
    await bench.engine.needsLogin('personal', 1, 'refresh-rejected')
    await shows(1)
    expect(fake.callsOf('sendMessage').map(({ payload }) => payload.parse_mode)).toEqual([undefined])
    expect(fake.shown(chat)[0]?.codes).toEqual(['spillway cred login personal'])
  })

  it('go to each chat on its own, though one of them is gone', async () => {
    await telegram.stop()
    await notifier.stop()
    await begin({ chatIds: [13, chat] })
    await bench.engine.needsLogin('personal', 1, 'refresh-rejected')
    await shows(1)
    await bench.clock.advance(600_000)
    expect(fake.callsOf('sendMessage').filter(({ payload }) => payload.chat_id === 13)).toHaveLength(1)
    expect(logged('chat not found')).toBe(true)
  })
})

/** One request that nobody could serve, as the data path reports it. */
function exhaust(): void {
  const pool = bench.engine.find('openai')!
  const turn = bench.engine.begin(pool, null)
  const decision = turn.next()
  if (decision.kind !== 'exhausted') throw new Error(`not exhausted but ${decision.kind}`)
  turn.refused(decision)
  turn.end()
}

describe('buttons', () => {
  it('of what is over do nothing and say so, also before they are taken away', async () => {
    bench.attempt('openai')
    bench.attempt('openai', limited)
    bench.attempt('openai')
    await shows(1)
    const [notice] = fake.shown(chat)
    const rotate = notice?.buttons.find(({ text }) => text === 'Rotate openai')?.data ?? ''
    fake.fail('editMessageText', { status: 500 })
    await bench.clock.advance(180_000)
    fake.pressRaw(rotate, chat)
    await fake.until(() => fake.answers.length === 1)
    expect(fake.answers[0]).toMatchObject({ alert: true })
    expect(fake.answers[0]?.text).toBe('That is over: nothing was done. To do it all the same, send /rotate openai')
    fake.heal()
    await passUntil(() => fake.shown(chat)[0]?.buttons.length === 0)
    expect(bench.store.rows.filter(({ kind }) => kind === 'pool_rotated')).toEqual([])
  })

  it('of a disabled key enable it', async () => {
    bench.finding = 'confirmed'
    await bench.ops.credDisable({ name: 'work' })
    await shows(1)
    const [notice] = fake.shown(chat)
    expect(notice?.isSilent).toBe(true)
    expect(notice?.buttons.map(({ text }) => text)).toEqual(['Enable work'])
    fake.press(notice!, 'Enable work')
    await shows(2)
    expect(last()).toBe('work is enabled.')
    await passUntil(() => fake.shown(chat)[0]?.buttons.length === 0)
  })

  it('mean nothing in another chat, nor when made up', async () => {
    await ask('/pool openai')
    const [message] = fake.shown(chat)
    fake.pressRaw('do:AAAAAAAAAAAAAAAAAAAAAAAA', chat)
    fake.pressRaw('{"verb":"rotate","pool":"openai"}', chat)
    fake.press(message!, 'Rotate openai', { chat: 666 })
    await ask('/help')
    expect(fake.answers.map(({ text }) => text)).toEqual(
      Array(2).fill('This button is no longer valid. /help lists the commands.'),
    )
    expect((await bench.ops.poolStatus({ name: 'openai' })).active).toBe('work')
  })

  it('expire after an hour and say what to send instead', async () => {
    await ask('/pool openai')
    await bench.clock.advance(3_600_000)
    fake.press(fake.shown(chat)[0]!, 'Rotate openai')
    await passUntil(() => fake.answers.length === 1)
    expect(fake.answers[0]?.text).toBe('This button has expired. Send /rotate openai instead.')
  })

  it('can be pressed again when the action was refused', async () => {
    await ask('/pool openai')
    bench.attempt('openai', limited)
    bench.attempt('openai', limited)
    const [message] = fake.shown(chat)
    fake.press(message!, 'Rotate openai')
    await shows(2)
    expect(last()).toMatch(/^openai has nobody who can serve now/)
    await bench.clock.advance(60_000)
    fake.press(message!, 'Rotate openai')
    await shows(3)
    expect(last()).toMatch(/^openai: (work|personal) → /)
  })
})

describe('an API that fails', () => {
  it('with 429 is left alone as long as it asks, and the notice comes once', async () => {
    fake.fail('sendMessage', { status: 429, description: 'Too Many Requests: retry after 35', retryAfter: 35 }, 1)
    await bench.engine.needsLogin('personal', 1, 'refresh-rejected')
    await bench.clock.advance(0)
    await sees('a notice could not be delivered')
    await bench.clock.advance(34_000)
    expect(fake.callsOf('sendMessage')).toHaveLength(1)
    await passUntil(isEmptied)
    expect(texts()).toHaveLength(1)
    expect(fake.callsOf('sendMessage')).toHaveLength(2)
  })

  it.each([
    ['refuses connections', async () => fake.close(), async () => fake.open()],
    ['answers 500', async () => fake.fail('*', { status: 500 }), async () => fake.heal()],
    ['breaks connections', async () => fake.fail('*', 'reset'), async () => fake.heal()],
  ])('because it %s gets the notice when it is back, once', async (_name, breaks, heals) => {
    await breaks()
    await bench.engine.needsLogin('personal', 1, 'refresh-rejected')
    await bench.clock.advance(0)
    await sees('a notice could not be delivered')
    await heals()
    await passUntil(isEmptied)
    await bench.clock.advance(600_000)
    expect(texts()).toHaveLength(1)
  })

  it('by hanging is given up after ten seconds', async () => {
    fake.fail('sendMessage', 'hang', 1)
    await bench.engine.needsLogin('personal', 1, 'refresh-rejected')
    await bench.clock.advance(0)
    await fake.until(() => fake.callsOf('sendMessage').length === 1)
    await bench.clock.advance(10_000)
    await sees('Telegram cannot be reached')
    await passUntil(isEmptied)
    expect(texts()).toHaveLength(1)
  })

  it('by saying that nothing is modified has done what was asked', async () => {
    await bench.engine.needsLogin('personal', 1, 'refresh-rejected')
    await shows(1)
    fake.fail('editMessageText', { status: 400, description: 'Bad Request: message is not modified: same' }, 1)
    await bench.engine.renewCredential('personal', 'login', () => [], 'operator:cli')
    await shows(2)
    expect(last()).toMatch(/^personal is usable again/)
    expect(logged('a message is gone')).toBe(false)
  })

  it('never shows the token, whatever goes wrong', async () => {
    await telegram.stop()
    await fake.close()
    await begin({ token: '4200:canary-other-token' })
    await bench.engine.needsLogin('personal', 1, 'refresh-rejected')
    await bench.clock.advance(0)
    await sees('Telegram commands are not heard')
    await fake.open()
    await passUntil(() => logged('401'))
    expect(lines.join('')).not.toMatch(/canary|4200:/)
  })
})

describe('polling', () => {
  it('survives another poller: one line in the log, a slow retry, then it listens again', async () => {
    fake.fail('getUpdates', { status: 409, description: 'Conflict: terminated by other getUpdates request' }, 2)
    fake.say(chat, '/help', ann)
    await sees('another process polls')
    const polls = fake.callsOf('getUpdates').length
    await bench.clock.advance(29_000)
    expect(fake.callsOf('getUpdates')).toHaveLength(polls)
    await passUntil(() => texts().length === 1)
    expect(lines.filter((line) => line.includes('another process polls'))).toHaveLength(1)
    await sees('Telegram commands are heard again')
  })

  it('comes back after the API was away', async () => {
    await fake.close()
    await sees('Telegram commands are not heard')
    await fake.open()
    await passUntil(() => fake.callsOf('getUpdates').length > 1)
    expect(await ask('/pools')).toContain('openai')
  })

  it('stops at once, in the middle of a long poll or of a pause', async () => {
    await telegram.stop()
    const polls = fake.callsOf('getUpdates').length
    fake.say(chat, '/help')
    await bench.clock.advance(120_000)
    expect(fake.callsOf('getUpdates')).toHaveLength(polls)
    fake.fail('getMe', 'hang')
    await begin({ token: '4200:other' })
    await telegram.stop()
  })
})
