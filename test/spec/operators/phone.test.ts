import { writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FakeClock } from '../../../internal/clock/clock.ts'
import { type Installation, installation } from '../../fakes/rig/installation.ts'
import { type } from '../../fakes/rig/terminal.ts'
import { TelegramFake } from '../../fakes/telegram/telegram.ts'
import { answer } from '../../fakes/upstream/upstream.ts'

const chat = 42
const noon = Date.UTC(2026, 0, 5, 14)
const limited = (seconds: number) =>
  answer(429, { 'retry-after': String(seconds) }, { error: { message: 'later', code: 'rate_limit_exceeded' } })
const dead = answer(401, {}, { error: { message: 'Incorrect API key', code: 'invalid_api_key' } })

/** A watcher, and a webhook, outside: what it was asked. */
class Outside {
  readonly asked: { method: string; body: string }[] = []
  readonly #server: Server = createServer((request, response) => {
    let body = ''
    request.on('data', (bytes: Buffer) => {
      body += bytes
    })
    request.on('end', () => {
      this.asked.push({ method: request.method ?? '', body })
      response.end()
    })
  })

  async open(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/x`
  }

  /** The notices that were posted, without those that belong to no incident. */
  get posts() {
    return this.asked.flatMap(({ method, body }) => (method === 'POST' ? [JSON.parse(body)] : []))
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

let telegram: TelegramFake
let outside: Outside
let spillway: Installation

beforeEach(async () => {
  telegram = await TelegramFake.open({ chats: [chat], now: () => spillway?.clock.now() ?? noon })
  outside = new Outside()
  await begin({ 'notices.webhook.url': await outside.open() })
})

afterEach(async () => {
  await spillway.close()
  await telegram.close()
  await outside.close()
})

async function begin(config: Record<string, string>, token = telegram.token): Promise<void> {
  spillway = await installation({
    config: {
      'pools.maxWaitMs': '0',
      'notices.host': 'node7',
      'notices.timeZone': 'UTC',
      'notices.telegram.botTokenEnv': 'BOT_TOKEN',
      'notices.telegram.chatIds': String(chat),
      'notices.telegram.apiRoot': telegram.apiRoot,
      ...config,
    },
    env: { BOT_TOKEN: token },
    clock: new FakeClock(noon),
  })
}

/** The same anew, with other settings. */
async function beginAnew(config: Record<string, string>, token?: string): Promise<void> {
  await spillway.close()
  await begin(config, token)
}

const texts = () => telegram.shown(chat).map(({ text }) => text)
const buzzes = () => telegram.buzzes(chat)
const ends = () => outside.posts.filter(({ why }) => why === 'ended')

const pass = (ms: number, step?: number) => spillway.pass(ms, step)

describe('at night, the phone', () => {
  it('makes no sound for failovers: one message tells an hour of them, and has no buttons when they are over', async () => {
    await spillway.pool('openai', ['work', 'personal'])
    for (let round = 0; round < 8; round++) {
      spillway.upstream.on(round % 2 === 0 ? 'sk-work' : 'sk-personal').once(limited(15))
      expect((await spillway.ask()).status).toBe(200)
      await pass(20_000)
    }
    expect(buzzes()).toBe(0)
    await pass(30_000)
    expect(telegram.shown(chat)[0]?.buttons).toEqual([])
    await pass(900_000, 30_000)
    expect(texts()).toEqual([
      expect.stringMatching(/^openai: 8 failovers from [\d:]{8} to [\d:]{8} UTC, nobody was refused\.\n— node7$/),
    ])
    expect(ends()).toHaveLength(1)
  })

  it('rings twice for an exhaustion: when it begins, and when it is over', async () => {
    await spillway.pool('openai', ['work'])
    spillway.upstream.on('sk-work').once(limited(90))
    const refused = await spillway.ask()
    await pass(60_000)
    const [first = ''] = telegram.shown(chat)[0]?.texts ?? []
    expect(first).toMatch(/^openai is exhausted: .* work recovers at 14:01:30 UTC \(in \d+ s\)\. 1 request refused\./)
    // The agent, the phone and the terminal name one instant.
    expect(refused.text).toContain('It will reset at 14:02 UTC (work).')
    expect((await type(spillway, ['check', 'openai'])).stdout).toContain('at 14:01:30 UTC (')
    await pass(60_000)
    expect((await spillway.ask()).status).toBe(200)
    await pass(60_000)
    expect(buzzes()).toBe(2)
    expect(texts()).toHaveLength(2)
    expect(ends()).toHaveLength(1)
  })

  it('offers no button for a quota of days that clearing would not help', async () => {
    await spillway.pool('openai', ['work'])
    spillway.upstream.on('sk-work').once(limited(5 * 86_400))
    await spillway.ask()
    await pass(10_000)
    expect(telegram.shown(chat)[0]?.buttons).toEqual([])
    expect(texts()[0]).toContain('work recovers at 2026-01-10 14:00 UTC (in 5 d).')
    expect(buzzes()).toBe(1)
  })

  it('rings once for a dead key whose sibling goes on, and offers to enable it', async () => {
    await spillway.pool('openai', ['work', 'personal'])
    spillway.upstream.on('sk-work').always(dead)
    expect((await spillway.ask()).status).toBe(200)
    await pass(60_000)
    expect(texts()).toEqual([
      'work is disabled: the upstream does not accept it (key rejected). openai goes on with personal, nobody was refused. Run: spillway cred replace work\n— node7',
    ])
    expect(telegram.shown(chat)[0]?.codes).toEqual(['spillway cred replace work'])
    expect(telegram.shown(chat)[0]?.buttons.map(({ text }) => text)).toEqual(['Enable work'])
    expect(buzzes()).toBe(1)
    spillway.upstream.on('sk-work').clear()
    await spillway.ops.credEnable({ name: 'work' })
    await pass(10_000)
    expect(buzzes()).toBe(1)
    expect(ends()).toHaveLength(1)
  })

  it('rings once for a login that is dead, with its pool; who logs in hears of it without a sound', async () => {
    await spillway.pool('openai', ['me'])
    const { engine } = spillway.daemon.core
    await engine.needsLogin('me', 1, 'refresh-rejected')
    await spillway.ask()
    await pass(60_000)
    expect([texts().length, buzzes()]).toEqual([1, 1])
    await engine.renewCredential('me', 'login', () => [], 'operator:cli')
    await pass(60_000)
    expect([texts().length, buzzes()]).toEqual([2, 1])
  })

  it('rings twice for a host that is down, says for whom it costs what, and how long it took is told alike', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    await new Promise((resolve) => server.close(resolve))
    await spillway.credential('a')
    const upstream = `http://127.0.0.1:${port}`
    await spillway.ops.poolCreate({ name: 'openai', provider: 'openai', members: ['a'], upstream })
    for (let request = 0; request < 4; request++) await spillway.ask()
    await pass(40_000)
    expect(texts()).toEqual([
      expect.stringMatching(
        /is not reachable \(connection failed\)\. .*503 for openai, \d requests? refused\. Down for \d+ s so far\. Look: spillway doctor\n— node7$/,
      ),
    ])
    const back = createServer((_request, response) => response.setHeader('connection', 'close').end('{}'))
    await new Promise<void>((resolve) => back.listen(port, '127.0.0.1', resolve))
    await pass(90_000)
    await new Promise((resolve) => back.close(resolve))
    const [message = '', reply = ''] = texts()
    const lasted = /is reachable again after (\d+ (?:s|min))\. \d requests? for openai got 503\./.exec(reply)?.[1]
    expect(message).toContain(`was not reachable for ${lasted}, from`)
    expect(buzzes()).toBe(2)
    expect(ends()).toHaveLength(1)
  })

  it('rings twice for a bad configuration: when it is refused, and when it is mended', async () => {
    const file = join(spillway.data, 'spillway.yaml')
    writeFileSync(file, 'log: { level: loud }\n')
    await spillway.ops.reload({})
    await pass(10_000)
    writeFileSync(file, '')
    await spillway.ops.reload({})
    await pass(10_000)
    expect(texts()).toEqual([
      expect.stringMatching(/^The configuration had 1 problem for/),
      expect.stringMatching(/^The configuration is well again after/),
    ])
    expect(buzzes()).toBe(2)
  })

  it('says which disk is low, how low, and what to do', async () => {
    await beginAnew({ 'disk.reserveBytes': '64TiB' })
    await pass(5_000)
    expect(texts()).toEqual([
      expect.stringMatching(
        /^Disk low on node7: [\d.]+ [MGT]iB free in \/.*, reserve 64 TiB\. Requests go on; .* change disk\.reserveBytes\./,
      ),
    ])
  })

  it('hears of no sound for what an operator does', async () => {
    await spillway.pool('openai', ['work', 'personal'])
    await spillway.ask()
    await spillway.ops.poolRotate({ name: 'openai' })
    await spillway.ops.credDisable({ name: 'work' })
    await pass(10_000)
    await spillway.ops.credEnable({ name: 'work' })
    await pass(10_000)
    expect(buzzes()).toBe(0)
  })
})

describe('a test of the notices', () => {
  it('reaches every channel, or says which it did not reach and ends with 1', async () => {
    const well = await type(spillway, ['notices', 'test'])
    expect(well).toMatchObject({ code: 0, stdout: 'webhook: delivered\ntelegram:42: delivered\n' })
    expect(texts()).toEqual(['This is a test: notices of spillway arrive here.\n— node7'])
    expect(outside.posts).toMatchObject([{ kind: 'test', host: 'node7' }])
    telegram.fail('sendMessage', { status: 403, description: 'Forbidden: bot was blocked by the user' })
    const ill = await type(spillway, ['notices', 'test', '--json'])
    expect(ill.code).toBe(1)
    expect(JSON.parse(ill.stdout)).toEqual([
      { channel: 'webhook', problem: null },
      { channel: 'telegram:42', problem: 'Telegram answered 403: Forbidden: bot was blocked by the user' },
    ])
  })

  it('says what is missing where nobody is told', async () => {
    await beginAnew({ 'notices.telegram.botTokenEnv': '', 'notices.telegram.chatIds': '' })
    expect(await type(spillway, ['notices', 'test'])).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('docs/notices.md'),
    })
  })
})

describe('the doctor', () => {
  const rows = async () => (await spillway.ops.doctor({})).filter(({ check }) => check.startsWith('notices'))

  it('asks Telegram and reaches the webhook, and sends nothing', async () => {
    expect(await rows()).toMatchObject([
      { check: 'notices telegram:42', state: 'ok' },
      { check: 'notices webhook', state: 'warn', message: expect.stringContaining('not signed') },
    ])
    expect([texts(), outside.asked]).toEqual([[], []])
  })

  it('fails for a wrong token, without showing it', async () => {
    await beginAnew({}, '1:canary-wrong')
    expect(await rows()).toMatchObject([
      { state: 'fail', message: 'Telegram answered 401: Unauthorized', hint: expect.stringContaining('botToken') },
    ])
    expect(JSON.stringify(await rows())).not.toContain('canary')
  })

  it('fails for a chat that is not there, and for an endpoint where nobody listens', async () => {
    await beginAnew({ 'notices.telegram.chatIds': '7', 'notices.webhook.url': 'http://127.0.0.1:9/x' })
    expect(await rows()).toMatchObject([
      { check: 'notices telegram:7', state: 'fail', hint: expect.stringContaining('write to the bot') },
      { check: 'notices webhook', state: 'fail', message: 'the connection was refused' },
    ])
  })
})

describe('the heartbeat', () => {
  it('tells a start and a stop, without a sound where that is wanted, and not at all by itself', async () => {
    await pass(5_000)
    expect(texts()).toEqual([])
    await beginAnew({ 'notices.heartbeat': 'silent' })
    await telegram.until(() => texts().length === 1)
    await spillway.stop()
    expect(texts()).toEqual(['spillway on node7 is up.\n— node7', 'spillway on node7 has stopped.\n— node7'])
    expect(buzzes()).toBe(0)
    await spillway.start()
    await telegram.until(() => texts().length === 3)
  })
})

describe('the watchdog', () => {
  it('asks its address at the start and at every interval, and no longer after a stop', async () => {
    const watcher = new Outside()
    await beginAnew({ 'notices.watchdogUrl': await watcher.open(), 'notices.watchdogEveryMs': '60s' })
    await expect.poll(() => watcher.asked.length).toBe(1)
    for (let minute = 2; minute <= 4; minute++) {
      await pass(60_000)
      await expect.poll(() => watcher.asked.length).toBe(minute)
    }
    expect(new Set(watcher.asked.map(({ method }) => method))).toEqual(new Set(['GET']))
    await spillway.stop()
    expect(watcher.asked).toHaveLength(4)
    await spillway.start()
    await watcher.close()
  })
})
