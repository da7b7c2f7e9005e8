import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type Installation, installation } from '../../fakes/rig/installation.ts'
import { askAdmin, type } from '../../fakes/rig/terminal.ts'
import { answer } from '../../fakes/upstream/upstream.ts'

let spillway: Installation

beforeEach(async () => {
  spillway = await installation()
  await spillway.pool('openai', ['a', 'b'])
})
afterEach(() => spillway.close())

const metrics = async () => (await askAdmin({ socketPath: join(spillway.data, 'admin.sock'), path: '/metrics' })).text

it('how much of its limits a member has used, once its upstream has said so, until the limit resets', async () => {
  expect((await type(spillway, ['pool', 'status', 'openai'])).stdout).not.toContain('UNTIL   USED')
  spillway.upstream.on('sk-a').once(
    answer(200, {
      'x-codex-primary-used-percent': '82.64',
      'x-codex-primary-window-minutes': '300',
      'x-codex-primary-reset-at': String(spillway.clock.now() / 1_000 + 3_600),
      'x-ratelimit-limit-requests': '100',
      'x-ratelimit-remaining-requests': '93',
      'x-ratelimit-reset-requests': '2h',
    }),
  )
  await spillway.ask()
  const { members } = await spillway.ops.poolStatus({ name: 'openai' })
  const heard = { family: null, seenAt: '2026-01-05T14:00:00.000Z', source: 'headers', cap: null }
  expect(members.map(({ usage }) => usage)).toEqual([
    [
      { window: '5h', usedPercent: 82.6, resetAt: '2026-01-05T15:00:00.000Z', ...heard },
      { window: 'requests', usedPercent: 7, resetAt: '2026-01-05T16:00:00.000Z', ...heard },
    ],
    [],
  ])
  const table = (await type(spillway, ['pool', 'status', 'openai'])).stdout.split('\n')
  expect(table[1]).toContain('5h ███████░ 83%  requests █░░░░░░░ 7%')
  expect(table[1]).toContain('5h resets in 1 h, requests resets in 2 h')
  expect(table[2]).not.toContain('%')
  const resets = (await metrics()).split('\n').filter((line) => line.startsWith('spillway_window_reset_seconds{'))
  expect(resets).toEqual([
    'spillway_window_reset_seconds{pool="openai",member="a",window="5h"} 3600',
    'spillway_window_reset_seconds{pool="openai",member="a",window="requests"} 7200',
  ])
  const used = (await metrics()).split('\n').filter((line) => line.startsWith('spillway_window_used_ratio'))
  expect(used.map((line) => line.replace(/ .*/, ''))).toEqual([
    'spillway_window_used_ratio{pool="openai",member="a",window="5h"}',
    'spillway_window_used_ratio{pool="openai",member="a",window="requests"}',
  ])
  expect(used.map((line) => Number(line.replace(/.* /, '')))).toEqual([
    expect.closeTo(0.8264, 6),
    expect.closeTo(0.07, 6),
  ])
  await spillway.advance(3_600_000)
  expect((await spillway.ops.poolStatus({ name: 'openai' })).members[0]?.usage).toMatchObject([{ window: 'requests' }])
})

it('who needs a login, with the command that helps, wherever one looks', async () => {
  await spillway.daemon.core.engine.needsLogin('a', 1, 'refresh-rejected')
  await spillway.daemon.core.engine.needsLogin('b', 1, 'unreadable')
  for (const command of [['status'], ['pool', 'status', 'openai']]) {
    const { stdout } = await type(spillway, command)
    expect(stdout).toMatch(/a {2}needs a login \(refresh rejected\) *\n +Run: spillway cred login a\n/)
    expect(stdout).toMatch(/b {2}its secret cannot be read *\n +Run: spillway cred show b\n/)
  }
  expect((await type(spillway, ['cred', 'show', 'a'])).stdout).toMatch(/to mend +spillway cred login a\n/)
  expect((await type(spillway, ['pool', 'explain', 'openai'])).stdout).toContain(
    '  a waits for a person. Run: spillway cred login a\n  b waits for a person. Run: spillway cred show b\n',
  )
  expect(await type(spillway, ['check', 'openai'])).toEqual({
    code: 77,
    stdout: 'openai needs a person: a needs a login, the secret of b cannot be read\n',
    stderr: 'spillway: hint: spillway cred login a\nspillway: hint: spillway cred show b\n',
  })
  expect(await type(spillway, ['token', 'openai'])).toEqual({
    code: 77,
    stdout: '',
    stderr: 'spillway: error: openai cannot serve before a person acts\nspillway: hint: spillway cred login a\n',
  })
})

it('what is wrong with a configuration that was not taken, as long as it is wrong', async () => {
  const doctor = async () => (await spillway.ops.doctor({})).filter(({ check }) => check === 'configuration')
  expect(await doctor()).toMatchObject([{ state: 'ok' }])
  writeFileSync(join(spillway.data, 'spillway.yaml'), 'pools:\n  maxWait: 5s\n')
  expect(await spillway.ops.reload({})).toMatchObject({ applied: false })
  expect(await doctor()).toMatchObject([
    { state: 'fail', message: expect.stringMatching(/spillway\.yaml:2: pools\.maxWait: unknown key/) },
  ])
  writeFileSync(join(spillway.data, 'spillway.yaml'), 'pools:\n  maxWaitMs: 5s\n')
  expect(await doctor()).toMatchObject([{ state: 'ok' }])
})
