import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AuthServer } from '../../fakes/auth/auth-server.ts'
import { guardedBy, writeCodexLogin } from '../../fakes/auth/logins.ts'
import { type Fleet, startFleet } from '../../fakes/rig/fleet.ts'
import type { Installation } from '../../fakes/rig/installation.ts'
import { TelegramFake } from '../../fakes/telegram/telegram.ts'
import { answer } from '../../fakes/upstream/upstream.ts'

const chat = 42
const limitedFor = (seconds: number) =>
  answer(
    429,
    { 'retry-after': String(seconds) },
    { error: { message: 'Rate limit reached', type: 'requests', code: 'rate_limit_exceeded' } },
  )

let fleet: Fleet
let auth: AuthServer
let telegram: TelegramFake

beforeAll(async () => {
  auth = await AuthServer.start({ reuse: 'revoke', delayMs: 30 })
  telegram = await TelegramFake.open({ chats: [chat] })
  fleet = await startFleet(3, () => ({
    config: {
      'pools.maxWaitMs': '0',
      'oauth.codex.tokenUrl': auth.tokenUrl,
      'notices.telegram.botTokenEnv': 'BOT_TOKEN',
      'notices.telegram.chatIds': String(chat),
      'notices.telegram.apiRoot': telegram.apiRoot,
    },
    env: { BOT_TOKEN: telegram.token },
  }))
}, 60_000)
afterAll(async () => {
  await fleet?.close()
  await auth?.stop()
  await telegram?.close()
})

async function everywhere(isSo: (replica: Installation) => Promise<boolean>): Promise<void> {
  for (const replica of fleet.replicas) await expect.poll(() => isSo(replica), { timeout: 10_000 }).toBe(true)
}

describe('a login in the vault', () => {
  it('is refreshed once for each of its tokens, whoever meets their end, and all replicas serve with the new ones', async () => {
    const [one] = fleet.replicas as [Installation]
    const file = join(one.data, 'home.json')
    fleet.upstream.on('*').always(guardedBy(auth, ['sk-a', 'sk-b', 'sk-c']))
    writeCodexLogin(file, auth.login('person'))
    await one.ops.credImport({ tool: 'codex', path: file, copy: true })
    await one.ops.poolCreate({ name: 'codex', provider: 'codex', members: ['codex'], upstream: fleet.upstream.url })
    await everywhere(async (replica) => (await replica.ask('codex')).status === 200)
    for (let round = 1; round <= 3; round++) {
      auth.expireAccessTokens()
      const seen = await Promise.all(fleet.replicas.flatMap((replica) => [replica.ask('codex'), replica.ask('codex')]))
      expect(seen.map(({ status }) => status)).toEqual(Array(6).fill(200))
      expect(auth.history.map(({ result }) => result)).toEqual(Array(round).fill('granted'))
    }
  }, 60_000)
})

describe('a member whose cooldown is over', () => {
  it('is tested by one request of all replicas', async () => {
    const [one] = fleet.replicas as [Installation]
    await one.pool('limits', ['a', 'b'])
    await everywhere(async (replica) => (await replica.ask('limits')).status === 200)
    fleet.upstream.on('sk-a').once(limitedFor(2)).always(limitedFor(600))
    await one.ask('limits')
    const health = async (replica: Installation) => (await replica.ops.credShow({ name: 'a' })).health
    await everywhere(async (replica) => (await health(replica)).state === 'cooling')
    fleet.upstream.forget()
    const end = Date.parse((await health(one)).until ?? '') + 50
    await new Promise((resolve) => setTimeout(resolve, end - Date.now()))
    await one.ops.poolPark({ name: 'limits', member: 'b' })
    const asked = await Promise.all(fleet.replicas.flatMap((replica) => [replica.ask('limits'), replica.ask('limits')]))
    expect(asked.filter(({ status }) => status === 200).length).toBe(6)
    expect(fleet.upstream.served.filter((credential) => credential === 'sk-a')).toHaveLength(1)
  }, 60_000)
})

describe('a notice', () => {
  it('comes once, is edited by whoever leads, and commands are heard once', async () => {
    const [one, two, three] = fleet.replicas as [Installation, Installation, Installation]
    await one.pool('openai', ['c'])
    await everywhere(async (replica) => (await replica.ask()).status === 200)
    const shown = () => telegram.shown(chat).map(({ text }) => text)
    const before = shown().length
    const sent = () => telegram.calls.filter(({ method }) => method === 'sendMessage').length
    const sentBefore = sent()
    fleet.upstream.on('sk-c').always(limitedFor(900))
    for (const replica of [three, two, one]) expect((await replica.ask()).status).toBe(429)
    await expect.poll(() => shown().length, { timeout: 15_000 }).toBe(before + 1)
    expect(shown()[before]).toContain('openai is exhausted')
    telegram.say(chat, '/pools')
    await expect.poll(() => shown().length, { timeout: 15_000 }).toBe(before + 2)
    // The leader dies without a word.
    fleet.relays[0]?.cut()
    const leads = () => [two, three].filter((replica) => replica.daemon.core.fleet.leads()).length
    await expect.poll(leads, { timeout: 16_000 }).toBe(1)
    fleet.upstream.on('sk-c').clear()
    await two.ops.poolClear({ name: 'openai', member: 'c' })
    expect((await two.ask()).status).toBe(200)
    await expect.poll(() => shown().join('\n'), { timeout: 15_000 }).toContain('recovered')
    // The exhaustion, the answer to the command, the recovery, and that the first one could not write.
    expect(sent() - sentBefore).toBe(4)
    const about = () => shown().filter((text) => /store/.test(text))
    expect(about()).toHaveLength(1)
    fleet.relays[0]?.restore()
    await expect.poll(() => about().join('\n'), { timeout: 15_000 }).toContain('well again')
  }, 90_000)
})
