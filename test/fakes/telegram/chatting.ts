import { rmSync } from 'node:fs'
import { afterEach, beforeEach, expect } from 'vitest'
import { createLogger } from '../../../internal/log/log.ts'
import { createNotifier, type Notifier } from '../../../internal/notify/notify.ts'
import { createTelegram, type Telegram } from '../../../internal/telegram/telegram.ts'
import { Secret } from '../../../internal/vault/vault.ts'
import { addCredentials, type Bench, startBench } from '../rig/operations.ts'
import { TelegramFake } from './telegram.ts'

/** The parts of a test of the bot: the program behind it, and the fake API before it. */
export const rig = {
  bench: null as unknown as Bench,
  fake: null as unknown as TelegramFake,
  notifier: null as unknown as Notifier,
  telegram: null as unknown as Telegram,
  lines: [] as string[],
}

/** Makes new parts for each test of the file. */
export function useBot(): void {
  beforeEach(async () => {
    rig.bench = await startBench()
    await addCredentials(rig.bench.ops, ['work', 'personal'])
    await rig.bench.ops.poolCreate({ name: 'openai', provider: 'openai', members: ['work', 'personal'] })
    rig.fake = await TelegramFake.open({ chats: [chat], now: () => rig.bench.clock.now() })
    rig.lines = []
    await begin()
  })
  afterEach(async () => {
    await rig.telegram.stop()
    await rig.notifier.stop()
    await rig.bench.stop()
    await rig.fake.close()
    rmSync(rig.bench.data, { recursive: true, force: true })
  })
}

export const chat = 42
export const ann = { id: 7, first_name: 'Ann' }

/** Builds notifier and bot as the program does. */
export async function begin({ token = rig.fake.token, chatIds = [chat] } = {}): Promise<void> {
  const log = createLogger({ level: 'debug', format: 'json', destination: { write: (line) => rig.lines.push(line) } })
  const { store, bus, clock, engine } = rig.bench
  rig.notifier = createNotifier({
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
  rig.telegram = createTelegram({
    token: new Secret(token),
    chatIds,
    apiRoot: `${rig.fake.apiRoot}/`,
    ops: rig.bench.operations,
    notifier: rig.notifier,
    clock,
    log,
    host: 'node7',
    timeZone: 'UTC',
  })
  for (const channel of rig.telegram.channels) rig.notifier.attach(channel)
  await rig.notifier.start()
  rig.telegram.start()
  if (token === rig.fake.token) await rig.fake.until(() => rig.fake.callsOf('getUpdates').length > 0)
}

/** Says something and waits for the bot's next message in that chat. */
export async function ask(text: string, where = chat): Promise<string> {
  const before = rig.fake.shown(where).length
  rig.fake.say(where, text, ann)
  await rig.fake.until(() => rig.fake.shown(where).length > before)
  return last()
}

/** A notice without the name of the machine below it. */
const unsigned = (text: string) => text.replace(/\n— node7$/, '')
export const last = () => unsigned(rig.fake.shown(chat).at(-1)?.text ?? '')
export const texts = () => rig.fake.shown(chat).map(({ text }) => unsigned(text))

/** Lets what happened be announced and told, until the chat shows so many messages. */
export async function shows(count: number): Promise<void> {
  await rig.bench.engine.flush()
  await rig.bench.clock.advance(0)
  await rig.fake.until(() => rig.fake.shown(chat).length >= count)
}

/** Lets time pass in steps that real connections can follow, until it has come to that. */
export async function passUntil(holds: () => boolean | Promise<boolean>): Promise<void> {
  const step = async () => {
    await rig.bench.clock.advance(500)
    return holds()
  }
  await expect.poll(step, { interval: 30, timeout: 15_000 }).toBe(true)
}

/** Waits for a line in the log that contains this. */
export async function sees(part: string): Promise<void> {
  await expect.poll(() => logged(part), { timeout: 10_000 }).toBe(true)
}

export const logged = (part: string) => rig.lines.some((line) => line.includes(part))
export const isEmptied = async () => (await rig.bench.store.outbox()).length === 0

/** One request that nobody could serve, as the data path reports it. */
export function exhaust(): void {
  const pool = rig.bench.engine.find('openai')!
  const turn = rig.bench.engine.begin(pool, null)
  const decision = turn.next()
  if (decision.kind !== 'exhausted') throw new Error(`not exhausted but ${decision.kind}`)
  turn.refused(decision)
  turn.end()
}
