import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FakeClock } from '../../../internal/clock/clock.ts'
import { type Installation, installation } from '../../fakes/rig/installation.ts'
import { TelegramFake } from '../../fakes/telegram/telegram.ts'
import { answer, geminiModelLimit } from '../../fakes/upstream/upstream.ts'

const chat = 42
/** Google's daily quotas begin anew at midnight in California, 8:00 UTC in winter; the stories begin shortly before. */
const tillMidnight = 90 * 60_000
const begin = Date.UTC(2026, 0, 6, 8) - tillMidnight
const limited = (seconds: number) =>
  answer(429, { 'retry-after': String(seconds) }, { error: { message: 'later', code: 'rate_limit_exceeded' } })
const dead = answer(401, {}, { error: { message: 'Incorrect API key', code: 'invalid_api_key' } })

let telegram: TelegramFake
let spillway: Installation

beforeEach(async () => {
  telegram = await TelegramFake.open({ chats: [chat], now: () => spillway?.clock.now() ?? begin })
  spillway = await installation({
    config: {
      'pools.maxWaitMs': '0',
      'notices.telegram.botTokenEnv': 'BOT_TOKEN',
      'notices.telegram.chatIds': String(chat),
      'notices.telegram.apiRoot': telegram.apiRoot,
    },
    env: { BOT_TOKEN: telegram.token },
    clock: new FakeClock(begin),
  })
})

afterEach(async () => {
  await spillway.close()
  await telegram.close()
})

/** Without the name of the machine below them. */
const texts = () => telegram.shown(chat).map(({ text }) => text.replace(/\n— .*$/, ''))
const status = () => spillway.ops.poolStatus({ name: 'openai' })
const check = async () => (await spillway.ops.poolCheck({ name: 'openai' })).verdict

/** Lets what has happened be told, until the chat shows so many messages. */
async function shows(count: number): Promise<void> {
  await spillway.daemon.core.engine.flush()
  await spillway.advance(0)
  await telegram.until(() => telegram.shown(chat).length >= count)
}

const pass = (ms: number, step?: number) => spillway.pass(ms, step)

describe('an exhaustion whose agents have stopped', () => {
  const probes = () => spillway.upstream.requests.filter(({ isProbe }) => isProbe)

  beforeEach(async () => {
    await spillway.pool('openai', ['work'])
    spillway.upstream.on('sk-work').once(limited(150))
    expect((await spillway.ask()).status).toBe(429)
    await shows(1)
  })

  it('ends by itself once its time is over and the free probe is answered, with one reply', async () => {
    await pass(140_000)
    expect(probes()).toHaveLength(0)
    await pass(20_000)
    await shows(2)
    expect(probes()).toHaveLength(1)
    expect(texts()).toEqual([
      expect.stringMatching(/^openai was exhausted for .*1 request was refused\.$/),
      expect.stringMatching(/^openai recovered after 3 min \(work is serving\)\. 1 request was refused\.$/),
    ])
    expect(await spillway.audit('pool_recovered')).toMatchObject([{ to: 'work', detail: { how: 'probe' } }])
    expect((await spillway.ops.status({})).incidents).toEqual([])
    await pass(300_000)
    expect(texts()).toHaveLength(2)
    expect(probes()).toHaveLength(1)
  })

  it('goes on when the probe is limited, too, for as long as that answer says', async () => {
    spillway.upstream.on('sk-work').once(limited(600))
    await pass(180_000)
    expect(probes()).toHaveLength(1)
    expect(texts()).toHaveLength(1)
    expect(await check()).toBe('cooling')
    expect(Date.parse((await status()).retryAt ?? '') - spillway.clock.now()).toBeGreaterThan(500_000)
    await pass(600_000, 20_000)
    await shows(2)
    expect(texts()[1]).toMatch(/^openai recovered after/)
  })

  it('needs a person when the probe finds the key dead', async () => {
    spillway.upstream.on('sk-work').always(dead)
    await pass(160_000)
    await expect.poll(check).toBe('needs-person')
    expect((await status()).members[0]?.health).toMatchObject({ state: 'disabled', by: 'upstream' })
  })

  it('can be tried again when the probe says nothing', async () => {
    spillway.upstream.on('sk-work').always(answer(403, {}, { error: { message: 'no listing of models' } }))
    await pass(160_000)
    await shows(2)
    expect(texts()[1]).toMatch(
      /^openai can be tried again since [\d:]{8} UTC \(work; nobody has asked yet\)\. 1 request was refused\.$/,
    )
  })

  it('does not end again and again when requests refute the probe', async () => {
    const shut = limited(60)
    spillway.upstream.on('sk-work').always({
      play: (call) => (call.request.isProbe ? answer(200, {}, { data: [] }) : shut).play(call),
    })
    for (let i = 0; i < 60; i++) {
      await pass(30_000, 30_000)
      expect((await spillway.ask()).status).toBe(429)
    }
    await pass(10_000)
    expect((await spillway.audit('pool_recovered')).length).toBeLessThanOrEqual(2)
    expect(texts().length).toBeLessThanOrEqual(4)
    spillway.upstream.on('sk-work').clear()
    await pass(60_000)
    expect((await spillway.ask()).status).toBe(200)
    await pass(10_000)
    expect(texts().at(-1)).toMatch(/^openai recovered after/)
  })

  it('ends by itself again when another limit comes later', async () => {
    await pass(160_000)
    await shows(2)
    await pass(1_200_000)
    spillway.upstream.on('sk-work').once(limited(150))
    expect((await spillway.ask()).status).toBe(429)
    await pass(170_000)
    await expect.poll(async () => (await spillway.audit('pool_recovered')).length).toBe(2)
    expect((await spillway.ops.status({})).incidents).toEqual([])
  })

  it('ends over a restart, too', async () => {
    await spillway.restart()
    await pass(170_000)
    await shows(2)
    expect(texts()[1]).toMatch(/^openai recovered after/)
  })
})

describe('a pool that is exhausted because its members need a person', () => {
  const engine = () => spillway.daemon.core.engine
  const login = (name: string) => engine().renewCredential(name, 'login', () => [], 'operator:cli')
  const replies = () => telegram.shown(chat).filter(({ replyTo }) => replyTo !== null)

  it('is one message and one reply with the key that died', async () => {
    await spillway.pool('openai', ['work'])
    spillway.upstream.on('sk-work').always(dead)
    await spillway.ask()
    await expect.poll(check).toBe('needs-person')
    await spillway.ask()
    await pass(5_000)
    await expect
      .poll(() => texts()[0])
      .toBe(
        'openai is exhausted: its only member is disabled. 2 requests refused.\nwork is disabled: the upstream does not accept it (key rejected). Run: spillway cred replace work',
      )
    await pass(60_000)
    expect(texts()).toHaveLength(1)
    spillway.upstream.on('sk-work').clear()
    await spillway.ops.credEnable({ name: 'work' })
    await pass(5_000)
    await shows(2)
    expect(texts()[1]).toMatch(
      /^work is usable again after \d+ s \(by an operator\)\. openai recovered after \d+ s \(work is serving\)\. \d requests? \w+ refused\.$/,
    )
    expect(texts()[0]).toMatch(/^openai was exhausted for .*\nwork was disabled \(key rejected\) for /)
    await pass(60_000)
    expect(texts()).toHaveLength(2)
    expect((await spillway.audit()).map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(['cred_disabled', 'pool_exhausted', 'cred_revived', 'pool_recovered']),
    )
  })

  it('is one message and one reply for all pools that share the login', async () => {
    await spillway.pool('openai', ['me'])
    await spillway.ops.poolCreate({
      name: 'night',
      provider: 'openai',
      members: ['me'],
      upstream: spillway.upstream.url,
    })
    await engine().needsLogin('me', 1, 'refresh-rejected')
    await pass(35_000)
    expect(texts()).toEqual(['me needs a login (refresh token revoked). Run: spillway cred login me'])
    await spillway.ask('openai')
    await spillway.ask('night')
    await pass(35_000)
    expect(texts()).toHaveLength(1)
    expect(texts()[0]?.split('\n')).toEqual([
      expect.stringMatching(
        /^openai is exhausted: its only member needs a login\.( Exhausted for .*| 1 request refused\.)?$/,
      ),
      expect.stringMatching(
        /^night is exhausted: its only member needs a login\.( Exhausted for .*| 1 request refused\.)?$/,
      ),
      'me needs a login (refresh token revoked). Run: spillway cred login me',
    ])
    await login('me')
    await pass(5_000)
    await shows(2)
    expect(replies()).toHaveLength(1)
    for (const words of ['me is usable again', 'openai recovered', 'night recovered'])
      expect(texts()[1]).toContain(words)
    await pass(60_000)
    expect(texts()).toHaveLength(2)
  })

  it.each([
    {
      why: 'refresh-rejected' as const,
      lines: [
        'openai is exhausted: its only member needs a login.',
        'work needs a login (refresh token revoked). Run: spillway cred login work',
      ],
    },
    {
      why: 'unreadable' as const,
      lines: [
        'openai is exhausted: its only member has a secret that cannot be read.',
        'The secret of work cannot be read. Run: spillway cred show work',
      ],
    },
  ])(
    'keeps its message when it was cooling before ($why), with the right reason and command',
    async ({ why, lines }) => {
      await spillway.pool('openai', ['work'])
      spillway.upstream.on('sk-work').once(limited(150))
      await spillway.ask()
      await shows(1)
      await pass(40_000)
      await engine().needsLogin('work', 1, why)
      await pass(65_000)
      expect(texts()).toHaveLength(1)
      const [pool, member] = texts()[0]?.split('\n') ?? []
      expect(pool).toMatch(new RegExp(`^${lines[0]} Exhausted for \\d+ s so far, 1 request refused\\.$`))
      expect(member).toBe(lines[1])
      await spillway.restart()
      await login('work')
      await pass(5_000)
      await shows(2)
      expect(texts()[1]).toMatch(/^work is usable again after .* openai recovered after .*1 request was refused\.$/)
      await pass(60_000)
      expect(texts()).toHaveLength(2)
    },
  )

  it('recovers with the first of them; the message of the other goes on', async () => {
    await spillway.pool('openai', ['a', 'b'])
    await engine().needsLogin('a', 1, 'refresh-rejected')
    await engine().needsLogin('b', 1, 'refresh-rejected')
    await spillway.ask()
    await pass(10_000)
    await login('a')
    await pass(10_000)
    await shows(3)
    const [ofA, ofB, reply, ...more] = telegram.shown(chat)
    expect(more).toEqual([])
    expect(reply?.replyTo).toBe(ofA?.id)
    expect(reply?.text).toMatch(/^a is usable again after .* openai recovered after .*1 request was refused\.\n/)
    expect(ofB?.text).toContain('b needs a login (refresh token revoked). Run: spillway cred login b')
    await login('b')
    await pass(10_000)
    await shows(4)
    expect(texts()[3]).toMatch(/^b is usable again after/)
  })
})

describe('a recovery', () => {
  it('is not told as a failover', async () => {
    await spillway.pool('openai', ['a', 'b'])
    spillway.upstream.on('sk-a').once(limited(60))
    expect((await spillway.ask()).status).toBe(200)
    spillway.upstream.on('sk-b').once(limited(3_000))
    expect((await spillway.ask()).status).toBe(429)
    await pass(80_000)
    expect((await spillway.ask()).status).toBe(200)
    await pass(10_000)
    expect(spillway.upstream.served.at(-1)).toBe('sk-a')
    expect(await spillway.audit('cred_failover')).toMatchObject([{ from: 'a', to: 'b' }])
    expect(texts().filter((text) => text.includes('failed over'))).toHaveLength(1)
  })
})

describe('a limit of one model', () => {
  const gemini = (model: string) =>
    spillway.send(`/gemini/v1beta/models/${model}:generateContent?key=${spillway.key}`, {
      method: 'POST',
      body: JSON.stringify({ contents: [] }),
    })
  const pool = () => spillway.ops.poolStatus({ name: 'gemini' })
  const failovers = async () => {
    await spillway.daemon.core.engine.flush()
    return spillway.ops.auditList({ kind: 'cred_failover' })
  }

  it.each(['sticky', 'ordered'])('that the very first request meets is told like any other (%s)', async (strategy) => {
    await spillway.pool('gemini', ['a', 'b'], { provider: 'gemini', strategy })
    spillway.upstream.on('sk-a').once(geminiModelLimit)
    expect((await gemini('gemini-2.5-pro')).status).toBe(200)
    const told = [{ from: 'a', to: 'b', model: 'gemini-2.5-pro', reason: 'model-quota' }]
    expect(await failovers()).toMatchObject(told)
    expect((await gemini('gemini-2.5-pro')).status).toBe(200)
    expect(await failovers()).toMatchObject(told)
  })

  it('that the refusal names is told with the very first request, and explained by the name that clients use', async () => {
    await spillway.pool('anthropic', ['a', 'b'], { provider: 'anthropic' })
    const reset = String(Math.floor(spillway.clock.now() / 1_000) + 3_600)
    const claim = { status: 'rejected', reset, 'representative-claim': 'seven_day_opus' }
    const headers = Object.fromEntries(
      Object.entries({ ...claim, '7d_opus-status': 'rejected', '7d_opus-reset': reset }).map(([name, value]) => [
        `anthropic-ratelimit-unified-${name}`,
        value,
      ]),
    )
    spillway.upstream.on('sk-a').once(answer(429, headers, { type: 'error', error: { type: 'rate_limit_error' } }))
    const body = { model: 'claude-opus-4-5', max_tokens: 1, messages: [] }
    const { status } = await spillway.send('/anthropic/v1/messages', {
      method: 'POST',
      headers: { 'x-api-key': spillway.key },
      body: JSON.stringify(body),
    })
    expect(status).toBe(200)
    expect(await failovers()).toMatchObject([{ from: 'a', to: 'b', model: 'opus', reason: 'model-quota' }])
    for (const [model, serves] of [
      ['claude-opus-4-5', 'b'],
      ['opus', 'b'],
      ['claude-haiku-4-5', 'a'],
    ] as const)
      expect(await spillway.ops.poolExplain({ name: 'anthropic', model })).toMatchObject({ model, serves })
  })

  it('that moves the model to another member is told like any failover, once, with the model', async () => {
    await spillway.pool('gemini', ['a', 'b', 'c'], { provider: 'gemini' })
    await gemini('gemini-2.5-flash')
    spillway.upstream.on('sk-a').once(geminiModelLimit)
    for (let i = 0; i < 3; i++) expect((await gemini('gemini-2.5-pro')).status).toBe(200)
    expect((await gemini('gemini-2.5-flash')).status).toBe(200)
    expect(await pool()).toMatchObject({ active: 'a', activeFor: [{ model: 'gemini-2.5-pro', member: 'b' }] })
    const about = { model: 'gemini-2.5-pro', reason: 'model-quota' }
    expect(await failovers()).toMatchObject([{ from: 'a', to: 'b', ...about }])
    spillway.upstream.on('sk-b').once(geminiModelLimit)
    expect((await gemini('gemini-2.5-pro')).status).toBe(200)
    expect(await pool()).toMatchObject({ active: 'a', activeFor: [{ model: 'gemini-2.5-pro', member: 'c' }] })
    expect(await failovers()).toMatchObject([
      { from: 'a', to: 'b', ...about },
      { from: 'b', to: 'c', ...about },
    ])
    await pass(10_000)
    expect(texts().join('\n')).toMatch(
      /^gemini: 2 failovers in the last hour, nobody was refused\. The last: from b to c for gemini-2\.5-pro \(429 usage limit of a model, until [\d:]{8} UTC\)\./,
    )
    await spillway.restart()
    expect((await gemini('gemini-2.5-pro')).status).toBe(200)
    await pass(tillMidnight, 120_000)
    expect((await gemini('gemini-2.5-pro')).status).toBe(200)
    expect(await pool()).toMatchObject({ active: 'a' })
    expect(await failovers()).toHaveLength(2)
  })

  it('that nobody has left is an exhaustion for that model, which requests for others do not end', async () => {
    await spillway.pool('gemini', ['a'], { provider: 'gemini' })
    spillway.upstream.on('sk-a').once(geminiModelLimit)
    expect((await gemini('gemini-2.5-pro')).status).toBe(429)
    expect((await gemini('gemini-2.5-flash')).status).toBe(200)
    await shows(1)
    expect(texts()).toEqual([
      expect.stringMatching(
        /^gemini is exhausted for gemini-2\.5-pro: its only member is at its limit for it\. a recovers at/,
      ),
    ])
    expect(await pool()).toMatchObject({ active: 'a', activeFor: [{ model: 'gemini-2.5-pro', member: null }] })
    expect(await spillway.audit('pool_recovered')).toEqual([])
    await pass(tillMidnight + 60_000, 120_000)
    await shows(2)
    expect(texts()[1]).toMatch(/^gemini recovered after 1 h 3\d min/)
  })
})

describe('an upstream that is down', () => {
  let server: Server | null = null

  async function listen(port: number): Promise<number> {
    const made = createServer((_request, response) => response.setHeader('connection', 'close').end('{}'))
    await new Promise<void>((resolve) => made.listen(port, '127.0.0.1', resolve))
    server = made
    return (made.address() as AddressInfo).port
  }
  const hangUp = () => new Promise((resolve) => (server ? server.close(resolve) : resolve(null)))
  let port: number

  beforeEach(async () => {
    port = await listen(0)
    await hangUp()
    await spillway.credential('a')
    await spillway.ops.poolCreate({
      name: 'openai',
      provider: 'openai',
      members: ['a'],
      upstream: `http://127.0.0.1:${port}`,
    })
    await spillway.ask()
  })
  afterEach(hangUp)

  it('is shown as unreachable for as long as it is, and found to be back without a request', async () => {
    for (let i = 0; i < 4; i++) {
      await pass(15_000)
      expect(await check()).toBe('unreachable')
      expect(await status()).toMatchObject({
        active: null,
        exhausted: false,
        unreachable: { host: `127.0.0.1:${port}` },
        members: [{ health: { state: 'healthy' }, reachable: false }],
      })
      expect((await spillway.ops.poolExplain({ name: 'openai' })).members).toMatchObject([
        { name: 'a', serves: false, why: 'host', reason: 'connect' },
      ])
    }
    expect(texts()).toEqual([expect.stringContaining(`127.0.0.1:${port} is not reachable`)])
    await listen(port)
    await pass(65_000)
    await shows(2)
    expect(await check()).toBe('can-serve')
    expect(await status()).toMatchObject({ active: 'a', unreachable: null })
    const [message = '', reply = ''] = texts()
    const lasted = /after (\d+ (?:s|min))\./.exec(reply)?.[1]
    expect(reply).toMatch(/is reachable again after/)
    expect(message).toContain(`was not reachable for ${lasted}`)
    expect(texts()).toHaveLength(2)
    expect(await spillway.audit('host_down')).toHaveLength(1)
  })
})
