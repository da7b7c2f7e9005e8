import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { AuthServer } from '../../../test/fakes/auth/auth-server.ts'
import { credentialRecord } from '../../../test/fakes/rig/records.ts'
import { MemoryStore } from '../../../test/fakes/rig/store.ts'
import { FakeClock } from '../../clock/clock.ts'
import { pristine } from '../../pool/pool.ts'
import type { CredentialRecord } from '../../store/store.ts'
import { Vault } from '../../vault/vault.ts'
import { createCredentials, type LiveCredentials, type LoginSettings } from '../credential.ts'

let folder = ''
let clock: FakeClock
let server: AuthServer
let live: LiveCredentials
let settings: LoginSettings

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'spillway-flow-'))
  clock = new FakeClock(Date.now())
  server = await AuthServer.start()
  live = createCredentials({
    clock,
    vault: new Vault(randomBytes(32)),
    store: new MemoryStore(),
    directory: folder,
    env: {},
    oauth: () => ({ codex: settings, claude: settings, oauth: settings }),
    random: () => 0.5,
    warn: () => {},
    verdicts: {
      engineView: () => ({ generation: 1, health: pristine }),
      needsLogin: async () => {},
      replaced: async () => {},
    },
  })
})
afterEach(async () => {
  await live.stop()
  await server.stop()
  rmSync(folder, { recursive: true })
})

function record(login: string): CredentialRecord {
  const oauth = { login, tokenUrl: null, clientId: 'me', clientSecretFile: null, scope: null }
  return credentialRecord({ id: 'c1', name: 'work', provider: 'codex', auth: 'oauth', oauth })
}

function byDevice(): void {
  settings = { tokenUrl: server.tokenUrl, clientId: null, deviceUrl: `${server.origin}/device` }
}

function byBrowser(): void {
  settings = { tokenUrl: server.tokenUrl, clientId: null, authorizeUrl: `${server.origin}/authorize` }
}

/** Moves the time while the library talks to the server. */
async function settled<T>(promise: Promise<T>): Promise<T> {
  let isOver = false
  promise.then(
    () => {
      isOver = true
    },
    () => {
      isOver = true
    },
  )
  await vi.waitFor(
    async () => {
      await clock.advance(250)
      expect(isOver).toBe(true)
    },
    { timeout: 10_000, interval: 10 },
  )
  return promise
}

test('a device shows a code and waits until the person agrees', async () => {
  byDevice()
  const flow = await live.beginLogin(record('oauth'))
  if (flow.prompt.kind !== 'device') throw new Error('no device code')
  expect(flow.prompt.url).toBe(`${server.origin}/activate`)
  await vi.waitFor(async () => {
    await clock.advance(1_000)
    expect(server.requests.length).toBeGreaterThan(1)
  })
  server.decide(flow.prompt.code, true)
  const tokens = await settled(flow.tokens)
  expect(server.accepts(tokens.accessToken.reveal())).toBe(true)
  expect(tokens.refreshToken).not.toBeNull()
  expect((tokens.expiresAt ?? 0) - clock.now()).toBeGreaterThan(3_000_000)
})

test('a person who declines is believed', async () => {
  byDevice()
  const flow = await live.beginLogin(record('oauth'))
  server.decide(flow.prompt.kind === 'device' ? flow.prompt.code : '', false)
  await expect(settled(flow.tokens)).rejects.toMatchObject({ code: 'failed', message: 'the login was declined' })
})

test('nobody waits for a person for ever', async () => {
  byDevice()
  const flow = await live.beginLogin(record('oauth'))
  await expect(settled(flow.tokens)).rejects.toMatchObject({ code: 'needs-person' })
})

test.each(['oauth', 'codex', 'claude'])(
  'a browser comes back with a code that only this login can redeem: %s',
  async (login) => {
    byBrowser()
    const flow = await live.beginLogin(record(login))
    const url = new URL(flow.prompt.url)
    expect(url.searchParams.get('code_challenge_method')).toBe('S256')
    const arrived = await fetch(url)
    expect(await arrived.text()).toContain('close this window')
    const tokens = await settled(flow.tokens)
    expect(server.accepts(tokens.accessToken.reveal())).toBe(true)
    expect(server.requests[0]?.contentType).toContain(login === 'oauth' ? 'form' : 'json')
    expect('state' in (server.requests[0]?.fields ?? {})).toBe(login === 'claude')
  },
)

test('the address at which a browser elsewhere ended up can be pasted', async () => {
  byBrowser()
  const flow = await live.beginLogin(record('oauth'))
  const sent = await fetch(flow.prompt.url, { redirect: 'manual' })
  flow.paste(` ${sent.headers.get('location')}\n`)
  expect(server.accepts((await settled(flow.tokens)).accessToken.reveal())).toBe(true)
})

test('what is no address of this login is refused and sent nowhere, and the login goes on', async () => {
  byBrowser()
  const flow = await live.beginLogin(record('oauth'))
  expect(() => flow.paste('sk-live-0123456789')).toThrow('not the address')
  expect(() => flow.paste('code-0123456789#foreign-0123456789')).toThrow('another login')
  expect(server.requests).toEqual([])
  await fetch(flow.prompt.url)
  expect(server.accepts((await settled(flow.tokens)).accessToken.reveal())).toBe(true)
})

test('a cancelled login ends, and its port is free again', async () => {
  byBrowser()
  const flow = await live.beginLogin(record('oauth'))
  flow.cancel()
  await expect(flow.tokens).rejects.toThrow('cancelled')
  const back = new URL(flow.prompt.url).searchParams.get('redirect_uri') ?? ''
  await vi.waitFor(() => expect(fetch(back)).rejects.toThrow())
})

test('a login of which nobody knows where to log in is refused', async () => {
  settings = { tokenUrl: server.tokenUrl, clientId: null }
  await expect(live.beginLogin(record('oauth'))).rejects.toMatchObject({ code: 'conflict' })
})
