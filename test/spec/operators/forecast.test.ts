import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type Installation, installation } from '../../fakes/rig/installation.ts'
import { askAdmin, type } from '../../fakes/rig/terminal.ts'
import { TelegramFake } from '../../fakes/telegram/telegram.ts'
import { answer } from '../../fakes/upstream/upstream.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const chat = 42

let telegram: TelegramFake
let spillway: Installation
let resetAt: number

beforeEach(async () => {
  telegram = await TelegramFake.open({ chats: [chat], now: () => spillway?.clock.now() ?? Date.UTC(2026, 0, 5, 14) })
  spillway = await installation({
    config: {
      'pools.maxWaitMs': '0',
      'notices.timeZone': 'UTC',
      'notices.telegram.botTokenEnv': 'BOT_TOKEN',
      'notices.telegram.chatIds': String(chat),
      'notices.telegram.apiRoot': telegram.apiRoot,
    },
    env: { BOT_TOKEN: telegram.token },
  })
  await spillway.pool('openai', ['a'])
  resetAt = spillway.clock.now() + 4 * hourMs
})

afterEach(async () => {
  await spillway.close()
  await telegram.close()
})

/** One request for each minute, each of which uses `percent` of the window of five hours. */
async function use(minutes: number, percent: number, from = 0): Promise<void> {
  for (let minute = 1; minute <= minutes; minute++) {
    spillway.upstream.on('sk-a').once(
      answer(200, {
        'x-codex-primary-used-percent': String(from + minute * percent),
        'x-codex-primary-window-minutes': '300',
        'x-codex-primary-reset-at': String(resetAt / 1_000),
      }),
    )
    await spillway.ask()
    await spillway.advance(minuteMs)
  }
  await spillway.daemon.core.engine.flush()
}

const texts = () => telegram.shown(chat).map(({ text }) => text.replace(/\n— .*$/, ''))

it('a pool that runs dry is told ahead, everywhere, and told again when that is over', async () => {
  await use(25, 1.5)
  expect(await spillway.ops.poolForecast({ name: 'openai' })).toMatchObject({ state: 'unknown', dryAt: null })
  expect((await type(spillway, ['check', 'openai', '--for', '6h'])).code).toBe(0)
  await use(20, 1.5, 37.5)
  const forecast = await spillway.ops.poolForecast({ name: 'openai' })
  expect(forecast).toMatchObject({
    name: 'openai',
    at: expect.any(String),
    state: 'dry',
    reliefAt: new Date(resetAt).toISOString(),
    reliefMember: 'a',
    burnPercentPerHour: expect.closeTo(90, -1),
    basis: { fromAt: '2026-01-05T14:00:00.000Z', samples: 9 },
    keys: [{ key: 'local', share: 1 }],
  })
  const dryAt = Date.parse(forecast.dryAt ?? '')
  // 67.5 % are used at 14:45, 1.5 a minute.
  expect(Math.abs(dryAt - Date.UTC(2026, 0, 5, 15, 7))).toBeLessThan(3 * minuteMs)
  const socketPath = join(spillway.data, 'admin.sock')
  expect(JSON.parse((await askAdmin({ socketPath, path: '/v1/pools/openai/forecast' })).text)).toEqual(forecast)
  expect((await spillway.ops.poolStatus({ name: 'openai' })).forecast).toEqual(forecast)
  expect((await type(spillway, ['status'])).stdout).toMatch(
    /openai runs dry Mon \d\d:\d\d, .* before the next relief \(a, Mon \d\d:\d\d\)\./,
  )
  expect((await type(spillway, ['statusline'])).stdout).toMatch(/^openai: a · 5h 68% · dry Mon \d\d:\d\d\n$/)
  expect((await type(spillway, ['pool', 'forecast', 'openai'])).stdout).toMatch(
    /^openai runs dry Mon .*\nburns [89]\d\.\d % an hour .*\nby key: local 100 %\nit rests on 45 min of traffic in 9 samples\n$/,
  )
  const check = await type(spillway, ['check', 'openai', '--for', '6h'])
  expect([check.code, check.stdout]).toEqual([
    75,
    expect.stringMatching(/^openai can serve and runs dry Mon \d\d:\d\d; a recovers first, Mon \d\d:\d\d\n$/),
  ])
  expect((await type(spillway, ['check', 'openai', '--for', '5m'])).code).toBe(0)
  expect((await type(spillway, ['check', 'openai', '--for', 'soon'])).code).toBe(2)
  const { text: metrics } = await askAdmin({ socketPath, path: '/metrics' })
  expect(metrics).toMatch(/\nspillway_pool_dry_seconds\{pool="openai"\} 1[234]\d\d/)
  expect(metrics).toMatch(/\nspillway_pool_relief_seconds\{pool="openai"\} 11700\n/)

  await telegram.until(() => texts().some((text) => text.includes('runs dry')))
  expect(texts().at(-1)).toMatch(
    /^openai runs dry Mon 15:0\d, 2 h 5\d min before the next relief \(a, Mon 18:00\)\. local burns 100 %\. Look: spillway pool forecast openai$/,
  )
  expect(await spillway.audit('pool_runs_dry')).toHaveLength(1)

  // The limit is given back before its time.
  resetAt = spillway.clock.now() + 4 * hourMs
  await use(60, 0.1)
  expect(await spillway.ops.poolForecast({ name: 'openai' })).toMatchObject({ state: 'enough', dryAt: null })
  expect(await spillway.audit('pool_lasts')).toHaveLength(1)
  await telegram.until(() => texts().includes('openai does not run dry any more.'))
})

it('what was heard and sampled is known again after a restart', async () => {
  await use(45, 0.2)
  const before = await spillway.ops.poolForecast({ name: 'openai' })
  expect(before.state).toBe('enough')
  await spillway.restart()
  const status = await spillway.ops.poolStatus({ name: 'openai' })
  expect(status.members[0]?.usage).toMatchObject([{ window: '5h', usedPercent: 9, source: 'headers', cap: null }])
  const after = await spillway.ops.poolForecast({ name: 'openai' })
  expect(after).toMatchObject({ state: before.state, basis: before.basis, keys: before.keys })
  const rows = await spillway.daemon.core.store.usageSamples({ after: 0 })
  expect(rows.map(({ work }) => work.map(({ requests }) => requests))).toEqual(Array(9).fill([5]))
})
