import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Installation, installation } from '../fakes/rig/installation.ts'
import { TelegramFake } from '../fakes/telegram/telegram.ts'
import { answer, type Behaviour } from '../fakes/upstream/upstream.ts'
import { crowd, post } from '../fakes/workers.ts'

const full = process.env.SPILLWAY_FULL === '1'
const total = full ? 100_000 : 20_000
const workers = 64
const chat = 42

const revoked = answer(401, {}, { error: { message: 'Incorrect API key provided', code: 'invalid_api_key' } })
const unauthorized = answer(401, {}, { error: { message: 'Unauthorized' } })
const forbidden = answer(403, {}, { error: { message: 'You have insufficient permissions' } })
/** No answer says a word about the key, and the canonical probe finds out nothing. */
const unexplained: Behaviour = {
  play: (call) => (call.request.isProbe ? forbidden : unauthorized).play(call),
}

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

/** Bytes of everything in the data directory. */
function bytes(): number {
  return readdirSync(spillway.data).reduce((sum, name) => sum + statSync(join(spillway.data, name)).size, 0)
}

/** Lets a backlog loose on the pool; the fake clock goes on a minute for every tenth of it. */
async function backlog(behaviour: Behaviour) {
  spillway.upstream.on('*').always(behaviour)
  await spillway.daemon.core.engine.flush()
  const rows = (await spillway.audit()).length
  const before = bytes()
  let passing: Promise<void> | undefined
  const { statuses, unanswered } = await crowd({
    origin: spillway.origin,
    request: post('/openai/v1/chat/completions', spillway.key),
    workers,
    total,
    after(answered) {
      if (answered % (total / 10) === 0) {
        passing = spillway.advance(60_000).then(() => {
          passing = undefined
        })
      }
      return passing
    },
  })
  await spillway.daemon.core.engine.flush()
  expect(unanswered).toBe(0)
  return { statuses, rows: (await spillway.audit()).slice(rows), grown: bytes() - before }
}

/** How many things there are of each name. */
function countedBy<T>(things: readonly T[], name: (thing: T) => string): Record<string, number> {
  const sums: Record<string, number> = {}
  for (const thing of things) sums[name(thing)] = (sums[name(thing)] ?? 0) + 1
  return sums
}

describe(`F21: ${total} queued requests with dead keys`, () => {
  it('reach the upstream only as far as they were in flight when each member fell, and fill nothing', async () => {
    await spillway.pool('openai', ['a', 'b', 'c'])
    const { statuses, rows, grown } = await backlog(revoked)
    expect(Object.values(statuses).reduce((sum, count) => sum + count)).toBe(total)
    const perMember = countedBy(spillway.upstream.served, (secret) => secret)
    for (const count of Object.values(perMember)) expect(count).toBeLessThanOrEqual(workers)
    expect(spillway.upstream.requests.filter((request) => request.isProbe)).toHaveLength(3)
    expect(grown).toBeLessThanOrEqual(262_144)
    expect(countedBy(rows, ({ kind }) => kind)).toEqual({ cred_suspect: 3, cred_disabled: 3, pool_exhausted: 1 })
  })

  it('are one notice for the key and the pool that it exhausts, which says what to do', async () => {
    await spillway.pool('openai', ['a'])
    await backlog(revoked)
    await spillway.advance(60_000)
    await expect.poll(() => telegram.shown(chat)[0]?.text).toMatch(/ Exhausted for 1\d min so far/)
    const [told, ...more] = telegram.shown(chat)
    expect(told?.text.split('\n')).toEqual([
      expect.stringMatching(/^openai is exhausted: its only member is disabled\. Exhausted for 1\d min so far/),
      expect.stringMatching(/^a is disabled: .*spillway cred replace a$/),
      expect.stringMatching(/^— /),
    ])
    expect(told?.texts.length).toBeLessThan(20)
    expect(more).toEqual([])
  })

  it('that nobody explains are probed now and then, and disable nobody', async () => {
    await spillway.pool('openai', ['a', 'b', 'c'])
    const start = spillway.clock.now()
    const { rows, grown } = await backlog(unexplained)
    // Ten minutes: the suspicions, and one test of each member when they are over for the first time. That is within a
    // minute in which nobody asks, so that the free probe of one member ends the exhaustion; the next request begins it again.
    expect(spillway.upstream.served.length).toBeLessThanOrEqual(3 * workers + 3)
    expect(spillway.upstream.requests.filter((request) => request.isProbe).length).toBeLessThanOrEqual(7)
    expect(grown).toBeLessThanOrEqual(262_144)
    expect(countedBy(rows, ({ kind, at }) => `${kind} in minute ${Math.floor((at - start) / 60_000)}`)).toEqual({
      'cred_suspect in minute 0': 3,
      'pool_exhausted in minute 0': 1,
      'cred_suspect in minute 5': 3,
      'pool_recovered in minute 5': 1,
      'pool_exhausted in minute 5': 1,
    })
  })
})
