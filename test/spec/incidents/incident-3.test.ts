import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Clock, FakeClock } from '../../../internal/clock/clock.ts'
import { AuthServer } from '../../fakes/auth/auth-server.ts'
import { codexTokens, expired, guardedBy, inTime, writeCodexLogin } from '../../fakes/auth/logins.ts'
import { LeapingClock } from '../../fakes/leaping.ts'
import { type Installation, installation } from '../../fakes/rig/installation.ts'
import { Program } from '../../fakes/rig/program.ts'
import { answer, behind, type FakeUpstream, fakeUpstream, Gate } from '../../fakes/upstream/upstream.ts'

const hour = 3_600_000
let auth: AuthServer

describe('a daemon, 50 commands and a tool that rotates the shared file', () => {
  let program: Program
  let upstream: FakeUpstream
  let file: string

  beforeEach(async () => {
    // Tokens that live for seconds: spillway refreshes them all the time, too.
    auth = await AuthServer.start({ expiresInSeconds: 6 })
    upstream = await fakeUpstream()
    upstream.on('*').always(guardedBy(auth))
    program = new Program()
    file = program.beside('auth.json')
    writeCodexLogin(file, auth.login('person'))
  })
  afterEach(async () => {
    program.close()
    await upstream.close()
    await auth.stop()
  })

  /** The tool refreshes as it always did: it reads its file, presents what it found, and writes what it got. */
  async function rotate(): Promise<'rotated' | 'lost the race'> {
    const { refresh_token } = codexTokens(file)
    const response = await fetch(auth.tokenUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ grant_type: 'refresh_token', refresh_token }),
    })
    if (response.status !== 200) return 'lost the race'
    const given = JSON.parse(await response.text())
    writeCodexLogin(file, { accessToken: given.access_token, refreshToken: given.refresh_token })
    return 'rotated'
  }

  it('go on without a lapsed login and without a failed request', async () => {
    await program.run(['cred', 'import', 'codex', '--path', file, '--token-url', auth.tokenUrl])
    await program.run([
      'pool',
      'create',
      'codex',
      '--provider',
      'codex',
      '--members',
      'codex',
      '--upstream',
      upstream.url,
    ])
    const key = (await program.run(['key', 'create', 'agent'])).stdout.trim()
    const { origin } = await program.serve()
    let over = false
    const statuses: number[] = []
    const rotations: string[] = []
    const agent = async () => {
      while (!over) {
        const response = await fetch(`${origin}/codex/responses`, {
          method: 'POST',
          headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
          body: '{"model":"gpt-5","input":"hello"}',
        })
        await response.arrayBuffer()
        statuses.push(response.status)
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    }
    const tool = async () => {
      while (!over) {
        rotations.push(await rotate())
        await new Promise((resolve) => setTimeout(resolve, 700))
      }
    }
    const others = [agent(), agent(), tool()]
    const commands = await Promise.all(
      Array.from({ length: 50 }, (_, at) => program.run(at % 2 === 0 ? ['token', 'codex'] : ['status'])),
    )
    // Fifty programs leave the agents little of a small machine.
    await expect.poll(() => statuses.length).toBeGreaterThan(20)
    over = true
    await Promise.all(others)

    expect(commands.map(({ code }) => code)).toEqual(commands.map(() => 0))
    expect(statuses.filter((status) => status !== 200)).toEqual([])
    expect(rotations).toContain('rotated')
    const rows = JSON.parse((await program.run(['audit', 'list', '-n', '1000', '--json'])).stdout)
    const kinds = new Set(rows.map(({ kind }: { kind: string }) => kind))
    expect([...kinds].sort()).toEqual(['cred_added', 'key_created', 'pool_changed', 'token_issued'])
    // Whoever comes next has a login that works.
    expect(await rotate()).toBe('rotated')
  }, 180_000)
})

describe('a login in this process', () => {
  let spillway: Installation
  let receiver: Server
  let notices: { kind: string; why: string }[]

  /** Begins at the time of the authorization server, whose tokens end by the real clock. */
  async function begin(clock: Clock): Promise<void> {
    notices = []
    receiver = createServer(async (request, response) => {
      let text = ''
      for await (const chunk of request) text += chunk
      notices.push(JSON.parse(text))
      response.end()
    })
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
    auth = await AuthServer.start()
    spillway = await installation({
      clock,
      config: {
        'pools.maxWaitMs': '0',
        'oauth.codex.tokenUrl': auth.tokenUrl,
        'notices.webhook.url': `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`,
      },
    })
    spillway.upstream.on('*').always(guardedBy(auth, ['sk-static']))
  }
  afterEach(async () => {
    await spillway.close()
    await auth.stop()
    receiver.closeAllConnections()
    receiver.close()
  })

  const fileOf = (name: string) => join(spillway.data, `${name}.json`)

  async function imported(name: string, more: { accountId?: string; copy?: boolean } = {}): Promise<string> {
    const given = auth.login(name)
    writeCodexLogin(fileOf(name), given, more.accountId)
    await spillway.ops.credImport({ tool: 'codex', path: fileOf(name), name, copy: more.copy ?? false })
    return given.accessToken
  }

  const pool = (...members: string[]) =>
    spillway.ops.poolCreate({ name: 'codex', provider: 'codex', members, upstream: spillway.upstream.url })

  const health = async (name: string) => (await spillway.ops.credShow({ name })).health

  const incidents = async () => (await spillway.ops.status({})).incidents.map(({ kind }) => kind)

  const ask = (headers: Record<string, string> = {}) =>
    spillway.send('/codex/responses', {
      method: 'POST',
      headers: { authorization: `Bearer ${spillway.key}`, 'content-type': 'application/json', ...headers },
      body: '{"model":"gpt-5","input":"hello"}',
    })

  it('that was really revoked is told once and left alone for 16 days, while others serve', async () => {
    const clock = new LeapingClock(Date.now())
    await begin(clock)
    /** Nothing of the machine is under way when the time leaps. */
    const leap = async (ms: number) => {
      await spillway.audit()
      await clock.leap(ms)
    }
    await imported('lapsed', { copy: true })
    await spillway.ops.credAdd({ name: 'key', provider: 'codex', source: { kind: 'vault', secret: 'sk-static' } })
    await pool('lapsed', 'key')
    auth.revoke('lapsed')
    expect((await ask()).status).toBe(200)
    await leap(10_000)
    // Its notice tells the failover, too.
    await expect.poll(() => notices.map(({ kind }) => kind)).toEqual(['cred_needs_login'])
    const rows = (await spillway.audit()).length
    for (let hours = 0; hours < 16 * 24; hours++) {
      await leap(hour)
      expect((await ask()).status).toBe(200)
      if (hours === 100) await spillway.restart()
    }
    expect(auth.history.map(({ result }) => result)).toEqual(['refused'])
    expect(spillway.upstream.served.filter((secret) => secret !== 'sk-static')).toHaveLength(1)
    expect(notices).toHaveLength(1)
    expect(await spillway.audit()).toHaveLength(rows)
    expect(await health('lapsed')).toMatchObject({ state: 'needs-login', reason: 'refresh-rejected' })
  }, 60_000)

  it('elsewhere revives it within a second, is told once, and closes the incident', async () => {
    await begin(new FakeClock(Date.now()))
    await imported('work')
    await pool('work')
    auth.revoke('work')
    await inTime(spillway, ask())
    expect(await health('work')).toMatchObject({ state: 'needs-login' })
    await expect.poll(incidents).toContain('cred_needs_login')
    const given = auth.login('work')
    writeCodexLogin(fileOf('work'), given)
    const at = spillway.clock.now()
    await inTime(
      spillway,
      expect
        .poll(async () => (await health('work')).state, { interval: 5 })
        .toBe('healthy')
        .then(() => {
          expect(spillway.clock.now() - at).toBeLessThanOrEqual(1_000)
        }),
    )
    expect((await ask()).status).toBe(200)
    expect(spillway.upstream.served.at(-1)).toBe(given.accessToken)
    expect(await spillway.audit('cred_revived')).toMatchObject([{ from: 'work', detail: { how: 'login' } }])
    await expect.poll(incidents).toEqual([])
  })

  it('whose old token is refused late stays as it is', async () => {
    await begin(new FakeClock(Date.now()))
    const old = await imported('work')
    await pool('work')
    const gate = new Gate()
    spillway.upstream.on(old).once(behind(gate, expired))
    const late = ask()
    await gate.reached
    const given = auth.login('work')
    writeCodexLogin(fileOf('work'), given)
    await inTime(
      spillway,
      expect.poll(async () => (await spillway.ops.token({ name: 'work' })).token).toBe(given.accessToken),
    )
    gate.open()
    expect((await late).status).toBe(200)
    expect(spillway.upstream.served).toEqual([old, given.accessToken])
    expect(auth.history).toEqual([])
    expect(await health('work')).toMatchObject({ state: 'healthy' })
    expect((await spillway.audit()).map(({ kind }) => kind)).not.toContain('cred_needs_login')
  })

  it('is sent with the account that it belongs to, whatever the client says, also after a failover', async () => {
    await begin(new FakeClock(Date.now()))
    const [one, two] = [
      await imported('one', { accountId: 'acc-1' }),
      await imported('two', { accountId: 'acc-2', copy: true }),
    ]
    await spillway.ops.credAdd({ name: 'key', provider: 'codex', source: { kind: 'vault', secret: 'sk-static' } })
    await pool('one', 'two', 'key')
    const limited = answer(429, {}, { error: { type: 'usage_limit_reached', resets_in_seconds: 3_600 } })
    spillway.upstream.on(one).once(limited)
    expect((await ask({ 'ChatGPT-Account-Id': 'acc-of-the-client' })).status).toBe(200)
    spillway.upstream.on(two).once(limited)
    expect((await ask({ 'chatgpt-account-id': 'acc-of-the-client' })).status).toBe(200)
    expect(
      spillway.upstream.requests.map((request) => [request.credential, request.headers('chatgpt-account-id')]),
    ).toEqual([
      [one, ['acc-1']],
      [two, ['acc-2']],
      [two, ['acc-2']],
      ['sk-static', []],
    ])
    expect(await spillway.ops.poolToken({ name: 'codex' })).toMatchObject({ member: 'key', accountId: null })
    expect(await spillway.ops.token({ name: 'two' })).toMatchObject({ token: two, accountId: 'acc-2' })
  })
})
