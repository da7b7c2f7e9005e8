import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { FakeClock } from '../../../internal/clock/clock.ts'
import { AuthServer } from '../../fakes/auth/auth-server.ts'
import { writeClaudeLogin, writeCodexLogin } from '../../fakes/auth/logins.ts'
import { type Installation, installation } from '../../fakes/rig/installation.ts'
import { answer, type Behaviour, happy } from '../../fakes/upstream/upstream.ts'

const minuteMs = 60_000
const dayMs = 1_440 * minuteMs

let auth: AuthServer
let spillway: Installation
let found: Behaviour
let limitedUntil: number

beforeEach(async () => {
  auth = await AuthServer.start()
})
afterEach(async () => {
  await spillway?.close()
  await auth.stop()
})

/** A login that is limited for 5 days, in front of an upstream with a usage endpoint. */
async function settle(tool: 'codex' | 'claude', look = 'cooling'): Promise<void> {
  spillway = await installation({
    clock: new FakeClock(Date.now()),
    config: { 'pools.maxWaitMs': '0', 'usage.look': look, [`oauth.${tool}.tokenUrl`]: auth.tokenUrl },
  })
  const file = join(spillway.data, 'home.json')
  const login = auth.login('person')
  if (tool === 'codex') writeCodexLogin(file, login)
  else writeClaudeLogin(file, { ...login, expiresAt: Date.now() + 30 * dayMs })
  await spillway.ops.credImport({ tool, path: file, name: 'work' })
  const provider = tool === 'codex' ? 'codex' : 'anthropic'
  await spillway.ops.poolCreate({ name: 'pool', provider, members: ['work'], upstream: spillway.upstream.url })
  limitedUntil = Math.round(spillway.clock.now() / 1_000) + 5 * 86_400
  found = happy
  let isLimited = true
  spillway.upstream.on('*').always({
    play: (call) => {
      if (/usage$/.test(call.request.target)) return found.play(call)
      if (!isLimited) return happy.play(call)
      isLimited = false
      return limited().play(call)
    },
  })
  await spillway.ask('pool')
  expect(await state()).toBe('cooling')
}

const limited = () =>
  answer(
    429,
    {},
    { error: { type: 'usage_limit_reached', message: 'The usage limit has been reached', resets_at: limitedUntil } },
  )
const codexUsage = (percent: number) =>
  answer(
    200,
    {},
    {
      plan_type: 'plus',
      rate_limit: {
        allowed: percent < 100,
        limit_reached: percent >= 100,
        primary_window: { used_percent: 0, limit_window_seconds: 18_000, reset_at: limitedUntil },
        secondary_window: { used_percent: percent, limit_window_seconds: 604_800, reset_at: limitedUntil },
      },
    },
  )
const state = async () => (await spillway.ops.poolStatus({ name: 'pool' })).members[0]?.health.state
const looks = () => spillway.upstream.requests.filter(({ target }) => /usage$/.test(target))

it('a Codex login whose limit was reset early is back, and that is told once', async () => {
  await settle('codex')
  found = codexUsage(100)
  await spillway.pass(20 * minuteMs, 30_000)
  expect(looks().map(({ method, target }) => [method, target])).toEqual([['GET', '/wham/usage']])
  expect(await state()).toBe('cooling')
  expect((await spillway.ops.poolStatus({ name: 'pool' })).members[0]?.usage).toMatchObject([
    { window: '5h', usedPercent: 0, source: 'look' },
    { window: '7d', usedPercent: 100, source: 'look' },
  ])
  found = codexUsage(3)
  await spillway.pass(20 * minuteMs, 30_000)
  expect(looks()).toHaveLength(2)
  expect(await state()).toBe('healthy')
  expect(await spillway.audit('cred_reset')).toMatchObject([
    { from: 'work', pool: 'pool', actor: 'spillway', detail: { window: '7d' } },
  ])
  expect((await spillway.ask('pool')).status).toBe(200)
})

it.each<[string, Behaviour]>([
  ['an error', answer(500)],
  ['a refusal', answer(401, {}, { error: { code: 'token_expired' } })],
  ['a page', answer(200, { 'content-type': 'text/html' }, '<html>')],
  ['something else', answer(200, {}, { rate_limit: null })],
])('a look that finds %s changes nothing', async (_name, behaviour) => {
  await settle('codex')
  found = behaviour
  await spillway.pass(20 * minuteMs, 30_000)
  expect(looks()).toHaveLength(1)
  expect(await state()).toBe('cooling')
  expect(await spillway.audit('cred_reset')).toEqual([])
})

it('a Claude login is asked with its token at its own usage endpoint', async () => {
  await settle('claude')
  found = answer(
    200,
    {},
    {
      five_hour: { utilization: 12, resets_at: null },
      seven_day: { utilization: 4.0, resets_at: new Date(limitedUntil * 1_000).toISOString() },
      seven_day_opus: null,
    },
  )
  await spillway.pass(20 * minuteMs, 30_000)
  const [look] = looks()
  expect([look?.target, look?.headers('anthropic-beta')]).toEqual(['/api/oauth/usage', ['oauth-2025-04-20']])
  expect(look?.credential).toMatch(/./)
  expect(await state()).toBe('healthy')
})

it('nobody is asked where looks are off', async () => {
  await settle('codex', 'off')
  await spillway.pass(40 * minuteMs, 30_000)
  expect(looks()).toEqual([])
})
