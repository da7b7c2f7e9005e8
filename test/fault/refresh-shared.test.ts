import { readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { AuthServer } from '../fakes/auth/auth-server.ts'
import { Home, Refresher } from './refreshers.ts'

/*
 * Incident 3: a daemon and many short runs of a command-line tool share one login file. The tool knows nothing of our
 * lock: it reads the file, presents the refresh token, and writes what it was given a little later.
 */

let server: AuthServer
let home: Home
let daemon: Refresher

beforeEach(async () => {
  server = await AuthServer.start({ refusal: 'refresh_token_reused', delayMs: 2 })
  home = new Home(server)
  home.login()
  daemon = await Refresher.start(home.setup())
})
afterEach(async () => {
  await daemon.kill()
  await server.stop()
  home.clear()
})

/** One run of the tool; a refused one reads the file again, as such tools do, and gives up when nothing helps. */
async function runTool(): Promise<'granted' | 'refused'> {
  const refresh_token = home.refreshToken()
  const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token })
  const response = await fetch(server.tokenUrl, { method: 'POST', body })
  if (!response.ok) return 'refused'
  const tokens = (await response.json()) as { access_token: string; refresh_token: string }
  await pause(Math.random() * 50)
  const document = JSON.parse(readFileSync(home.path(), 'utf8'))
  writeFileSync(home.path(), JSON.stringify({ ...document, tokens: { ...tokens, account_id: 'acc' } }), { mode: 0o600 })
  return 'granted'
}

test('incident 3: fifty runs of a tool rotate the file under the daemon, and nobody has to log in', async () => {
  const runs = Array.from({ length: 50 }, async (_, i) => {
    await pause(i * 60 + Math.random() * 30)
    return runTool()
  })
  let isOver = false
  const all = Promise.all(runs).finally(() => {
    isOver = true
  })
  while (!isOver) {
    // A request with a token that has just been replaced: re-read, refreshed only if nobody else has.
    expect(await daemon.order('renew')).toMatchObject({ result: expect.stringMatching(/^(renewed|unavailable)$/) })
    const { token } = await daemon.order('material')
    expect(server.accepts(token ?? '')).toBe(true)
    await pause(20)
  }
  expect((await all).filter((each) => each === 'granted').length).toBeGreaterThan(0)
  await expect.poll(async () => (await daemon.order('renew')).result, { timeout: 15_000 }).toBe('renewed')
  expect(daemon.needsLogin).toEqual([])
  expect(server.accepts(home.accessToken())).toBe(true)
}, 60_000)

test('incident 3: a login that is really revoked is asked about once and told once', async () => {
  server.revoke('auth')
  const answers = await Promise.all(Array.from({ length: 50 }, () => daemon.order('renew')))
  expect(new Set(answers.map(({ result }) => result))).toEqual(new Set(['needs-login']))
  for (let i = 0; i < 50; i++) expect(await daemon.order('renew')).toMatchObject({ result: 'needs-login' })
  expect(server.history).toHaveLength(1)
  expect(daemon.needsLogin).toEqual(['refresh-rejected'])
  home.login()
  await expect.poll(async () => (await daemon.order('material')).token, { timeout: 1_500 }).toBe(home.accessToken())
})
