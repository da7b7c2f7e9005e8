import { afterEach, beforeEach, expect, it } from 'vitest'
import { type Installation, installation } from '../../fakes/rig/installation.ts'
import { answer } from '../../fakes/upstream/upstream.ts'

let spillway: Installation

beforeEach(async () => {
  spillway = await installation({ config: { 'pools.preemptAt': '98' } })
  await spillway.pool('openai', ['a', 'b'])
})

afterEach(() => spillway.close())

const used = (percent: number, at: number) =>
  answer(200, {
    'x-codex-primary-used-percent': String(percent),
    'x-codex-primary-window-minutes': '300',
    'x-codex-primary-reset-at': String(at / 1_000 + 3_600),
  })

it('a sticky pool leaves a member that says it is near its limit, before it refuses', async () => {
  spillway.upstream.on('sk-a').always(used(98.5, spillway.clock.now()))
  await spillway.ask()
  await spillway.ask()
  expect(spillway.upstream.served).toEqual(['sk-a', 'sk-b'])
  expect(await spillway.audit('cred_failover')).toMatchObject([{ from: 'a', to: 'b', reason: 'preempted' }])
})

it('a pool stays with a member that has room left', async () => {
  spillway.upstream.on('sk-a').always(used(50, spillway.clock.now()))
  await spillway.ask()
  await spillway.ask()
  expect(spillway.upstream.served).toEqual(['sk-a', 'sk-a'])
})

it('is known of a member that refuses, too, and a limit that an answer leaves out stays until it resets', async () => {
  const reset = String(spillway.clock.now() / 1_000 + 7_200)
  spillway.upstream.on('sk-a').once(
    answer(200, {
      'x-codex-secondary-used-percent': '61',
      'x-codex-secondary-window-minutes': '10080',
      'x-codex-secondary-reset-at': reset,
    }),
    answer(
      429,
      {
        'x-codex-primary-used-percent': '100',
        'x-codex-primary-window-minutes': '300',
        'x-codex-primary-reset-at': reset,
      },
      { error: { code: 'rate_limit_exceeded' } },
    ),
  )
  await spillway.ask()
  await spillway.ask()
  const { members } = await spillway.ops.poolStatus({ name: 'openai' })
  expect(members[0]?.usage).toMatchObject([
    { window: '7d', usedPercent: 61, source: 'headers' },
    { window: '5h', usedPercent: 100, source: 'headers' },
  ])
})
