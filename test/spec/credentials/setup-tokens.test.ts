import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { poolsFromEnvironment } from '../../../internal/app/commands/first.ts'
import { FakeClock } from '../../../internal/clock/clock.ts'
import { type Installation, installation } from '../../fakes/rig/installation.ts'

const token = 'sk-ant-oat01-AAAA'
const day = 86_400_000

let clock: FakeClock
let env: Record<string, string>
let spillway: Installation

beforeEach(async () => {
  clock = new FakeClock()
  env = {}
  spillway = await installation({ clock, env, config: { 'pools.maxWaitMs': '0' } })
})

afterEach(() => spillway.close())

const ways: Record<string, () => Promise<string>> = {
  async 'by `cred add`'() {
    await spillway.ops.credAdd({ name: 'max', provider: 'anthropic', source: { kind: 'vault', secret: token } })
    await spillway.ops.poolCreate({ name: 'anthropic', provider: 'anthropic', members: ['max'] })
    return 'max'
  },
  async 'in ANTHROPIC_API_KEY'() {
    env.ANTHROPIC_API_KEY = token
    await spillway.restart()
    await poolsFromEnvironment(spillway.ops, env, new Set())
    return 'anthropic'
  },
  async 'in a login file without a refresh token'() {
    const path = join(spillway.data, '.credentials.json')
    writeFileSync(path, JSON.stringify({ claudeAiOauth: { accessToken: token, scopes: ['user:inference'] } }), {
      mode: 0o600,
    })
    await spillway.ops.credImport({ tool: 'claude', path, name: 'shared' })
    await spillway.ops.poolCreate({ name: 'anthropic', provider: 'anthropic', members: ['shared'] })
    return 'shared'
  },
}

/** Sends as an SDK with an API key does; returns what the upstream saw of the credential. */
async function ask() {
  await spillway.ops.poolSet({ name: 'anthropic', set: { upstream: spillway.upstream.url } })
  spillway.upstream.forget()
  const headers = { 'x-api-key': spillway.key, 'anthropic-beta': 'context-1m', 'content-type': 'application/json' }
  const body = JSON.stringify({ model: 'claude-sonnet-4-5', max_tokens: 1, messages: [] })
  const { status } = await spillway.send('/anthropic/v1/messages', { method: 'POST', headers, body })
  const [seen] = spillway.upstream.requests
  return [status, ...['authorization', 'x-api-key', 'anthropic-beta'].map((name) => seen?.headers(name).join())]
}

/** Lets time pass while spillway does not run, and starts it. */
async function wait(days: number): Promise<void> {
  await spillway.stop()
  await clock.advance(days * day)
  await spillway.start()
}

async function reminders() {
  await spillway.daemon.core.engine.flush()
  return (await spillway.audit('cred_expiring')).map(({ from, detail }) => `${from} ${detail.days}`)
}

describe.each(Object.keys(ways))('a token of `claude setup-token` %s', (way) => {
  it('goes upstream as a login token, whose beta joins those of the client, and lives for a year', async () => {
    const name = await ways[way]?.()
    expect(await ask()).toEqual([200, `Bearer ${token}`, '', 'context-1m,oauth-2025-04-20'])
    const { endsAt } = await spillway.ops.credShow({ name: name ?? '' })
    expect(endsAt).toBe(new Date(Date.UTC(2027, 0, 5, 14)).toISOString())
  })

  it('is told of 30, 7 and 1 day before its end, once each, also after restarts, as one incident', async () => {
    const name = (await ways[way]?.()) ?? ''
    await spillway.ops.credShow({ name })
    for (const [days, told] of [
      [300, []],
      [36, [`${name} 30`]],
      [1, [`${name} 30`]],
      [22, [`${name} 30`, `${name} 7`]],
      [5.5, [`${name} 30`, `${name} 7`, `${name} 1`]],
      [0.1, [`${name} 30`, `${name} 7`, `${name} 1`]],
    ] as const) {
      await wait(days)
      await expect.poll(reminders).toEqual(told)
    }
    const { incidents } = await spillway.ops.status({})
    expect(incidents.map(({ kind, subject }) => [kind, subject])).toEqual([['cred_expiring', name]])
    expect((await ask())[0]).toBe(200)
  }, 60_000)
})

it('a new token in the place of the old one closes the incident and lives for a year from then', async () => {
  const name = (await ways['by `cred add`']?.()) ?? ''
  await spillway.ops.credShow({ name })
  await wait(340)
  await expect.poll(reminders).toEqual([`${name} 30`])
  await spillway.ops.credReplace({ name, secret: 'sk-ant-oat01-BBBB' })
  expect((await spillway.ops.credShow({ name })).endsAt).toBe(new Date(clock.now() + 365 * day).toISOString())
  await expect.poll(async () => (await spillway.ops.status({})).incidents).toEqual([])
})
