import { spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FakeClock } from '../../../internal/clock/clock.ts'
import type { Logger } from '../../../internal/log/log.ts'
import { AuthServer } from '../../fakes/auth/auth-server.ts'
import { codexTokens, guardedBy, inTime, writeCodexLogin } from '../../fakes/auth/logins.ts'
import { type Installation, installation } from '../../fakes/rig/installation.ts'
import { Program } from '../../fakes/rig/program.ts'
import { begin } from '../../fakes/rig/terminal.ts'
import { answer } from '../../fakes/upstream/upstream.ts'

let auth: AuthServer
let spillway: Installation
let file: string

beforeEach(async () => {
  auth = await AuthServer.start()
})
afterEach(async () => {
  await spillway?.close()
  await auth.stop()
})

/** A daemon with a Codex login in a shared file; `where` says how people log in. */
async function settle(where: 'deviceUrl' | 'authorizeUrl', log?: Logger): Promise<void> {
  const path = where === 'deviceUrl' ? 'device' : 'authorize'
  spillway = await installation({
    clock: new FakeClock(Date.now()),
    ...(log ? { log } : {}),
    config: {
      'pools.maxWaitMs': '0',
      'oauth.codex.tokenUrl': auth.tokenUrl,
      [`oauth.codex.${where}`]: `${auth.origin}/${path}`,
    },
  })
  spillway.upstream.on('*').always(guardedBy(auth))
  file = join(spillway.data, 'home.json')
  writeCodexLogin(file, auth.login('person'))
  await spillway.ops.credImport({ tool: 'codex', path: file })
  await spillway.ops.poolCreate({
    name: 'codex',
    provider: 'codex',
    members: ['codex'],
    upstream: spillway.upstream.url,
  })
}

/** A command at the daemon's socket, as it runs. */
function command(...argv: string[]) {
  const stdin = new PassThrough()
  const { stdout, stderr, code } = begin(spillway, argv, stdin)
  const shown = async (pattern: RegExp) => {
    await expect.poll(() => stderr.text).toMatch(pattern)
    return pattern.exec(stderr.text)?.[1] ?? ''
  }
  return { stdout, stderr, stdin, ended: code, shown }
}

const health = async () => (await spillway.ops.credShow({ name: 'codex' })).health
const ask = () => spillway.ask('codex')

async function lapse(): Promise<void> {
  auth.revoke('person')
  // Whoever is refused looks for a moment whether somebody else has won a race for the file.
  expect((await inTime(spillway, ask())).status).toBe(429)
  expect(await health()).toMatchObject({ state: 'needs-login', reason: 'refresh-rejected' })
  expect((await ask()).status).toBe(429)
  const shown = await command('cred', 'show', 'codex')
  expect(await shown.ended).toBe(0)
  expect(shown.stdout.text).toMatch(/problem +the login has lapsed\nto mend +spillway cred login codex\n/)
}

describe('a login by code', () => {
  beforeEach(() => settle('deviceUrl'))

  it('revives a lapsed login for its tool, too, and is told once', async () => {
    await lapse()
    const login = command('cred', 'login', 'codex')
    const code = await login.shown(/and enter the code (\w+)/)
    expect(login.stderr.text).toContain(`open ${auth.origin}/activate`)
    auth.decide(code, true)
    await spillway.advance(1_000)
    expect(await login.ended).toBe(0)
    expect(login.stdout.text).toBe('codex is logged in as acc-1\n')
    expect(await health()).toMatchObject({ state: 'healthy' })
    expect((await ask()).status).toBe(200)
    expect(spillway.upstream.served.at(-1)).toBe(codexTokens(file).access_token)
    expect(spillway.upstream.requests.at(-1)?.headers('chatgpt-account-id')).toEqual(['acc-1'])
    // The watcher sees the file that was written here: that is no second login.
    await spillway.advance(1_000)
    expect(await spillway.audit('cred_revived')).toMatchObject([{ from: 'codex', actor: 'operator:cli' }])
    expect((await spillway.ops.status({})).incidents).toEqual([])
  })

  it('leaves everything as it was when the person declines', async () => {
    const before = codexTokens(file)
    const login = command('cred', 'login', 'codex')
    auth.decide(await login.shown(/and enter the code (\w+)/), false)
    await spillway.advance(1_000)
    expect(await login.ended).toBe(1)
    expect(login.stderr.text).toContain('spillway: error: the login was declined\n')
    expect(codexTokens(file)).toEqual(before)
    expect((await ask()).status).toBe(200)
  })

  it('that nobody agrees to ends by itself', async () => {
    const login = command('cred', 'login', 'codex')
    await login.shown(/and enter the code (\w+)/)
    // The fake server gives a minute.
    for (let i = 0; i < 62; i++) await spillway.advance(1_000)
    expect(await login.ended).toBe(77)
    expect(login.stderr.text).toContain('spillway: error: nobody agreed to the login in time\n')
  })

  it('is ended by the next one', async () => {
    const first = command('cred', 'login', 'codex')
    await first.shown(/and enter the code (\w+)/)
    const second = command('cred', 'login', 'codex')
    auth.decide(await second.shown(/and enter the code (\w+)/), true)
    expect(await first.ended).toBe(1)
    expect(first.stderr.text).toContain('spillway: error: another login of it was begun\n')
    await spillway.advance(1_000)
    expect(await second.ended).toBe(0)
  })

  it('does not hold up the end of the daemon', async () => {
    const login = command('cred', 'login', 'codex')
    await login.shown(/and enter the code (\w+)/)
    await spillway.stop()
    expect(await login.ended).toBe(1)
    expect(login.stderr.text).toContain('spillway: error: spillway stops\n')
  })

  it('takes effect although the command that began it is gone', async () => {
    await lapse()
    const { code } = await spillway.ops.credLogin({ name: 'codex' })
    auth.decide(code ?? '', true)
    await spillway.advance(1_000)
    await expect.poll(health).toMatchObject({ state: 'healthy' })
  })
})

describe('a login in a browser', () => {
  beforeEach(() => settle('authorizeUrl'))

  it('comes back by itself to this machine', async () => {
    const login = command('cred', 'login', 'codex')
    const url = await login.shown(/open (http\S+)/)
    expect((await fetch(url)).status).toBe(200)
    expect(await login.ended).toBe(0)
    expect(login.stdout.text).toBe('codex is logged in as acc-1\n')
    expect((await ask()).status).toBe(200)
  })

  it('is finished by the address that a browser elsewhere ended at', async () => {
    const login = command('cred', 'login', 'codex')
    const url = await login.shown(/open (http\S+)/)
    const { headers } = await fetch(url, { redirect: 'manual' })
    login.stdin.write(`${headers.get('location')}\n`)
    expect(await login.ended).toBe(0)
    expect((await ask()).status).toBe(200)
  })

  it('takes nothing that was pasted by mistake, says what it wants, and goes on', async () => {
    const login = command('cred', 'login', 'codex')
    const url = await login.shown(/open (http\S+)/)
    login.stdin.write('http://localhost/auth/callback?code=x&state=of-somebody-else\n')
    await login.shown(/(belongs to another login)/)
    login.stdin.write('sk-live-pasted-by-mistake\n')
    await login.shown(/(paste the whole address)/)
    expect(auth.requests.filter(({ fields }) => fields.grant_type === 'authorization_code')).toEqual([])
    expect(login.stderr.text).not.toContain('sk-live-pasted-by-mistake')
    await fetch(url)
    expect(await login.ended).toBe(0)
  })
})

describe('a token that is handed out', () => {
  it('leaves an audit row and a line in the log, and itself nowhere', async () => {
    const lines: string[] = []
    const line = (...said: unknown[]) => void lines.push(JSON.stringify(said))
    await settle('deviceUrl', { debug: line, info: line, warn: line, error: line })
    await spillway.ops.credRemove({ name: 'codex', force: true })
    await spillway.ops.credImport({ tool: 'codex', path: file, name: 'copied', copy: true })
    await spillway.ops.poolAdd({ name: 'codex', member: 'copied' })
    const { token } = await spillway.ops.poolToken({ name: 'codex' })
    expect(token).toBe(codexTokens(file).access_token)
    expect(await spillway.audit('token_issued')).toMatchObject([{ pool: 'codex', from: 'copied' }])
    await expect.poll(() => lines.join('\n')).toContain('token_issued')
    rmSync(file)
    const stored = readdirSync(spillway.data, { withFileTypes: true, recursive: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    expect(stored.length).toBeGreaterThan(2)
    for (const trace of [...lines, ...stored]) expect(trace).not.toContain(token)
  })
})

describe('cred enable', () => {
  beforeEach(() => settle('deviceUrl'))

  it('tries a lapsed login once more', async () => {
    await lapse()
    const presented = auth.history.length
    expect(await command('cred', 'enable', 'codex').ended).toBe(0)
    expect((await inTime(spillway, ask())).status).toBe(429)
    expect(await health()).toMatchObject({ state: 'needs-login' })
    expect(auth.history).toHaveLength(presented + 1)
  })
})

describe('a refresh that a request has begun', () => {
  beforeEach(() => settle('deviceUrl'))

  it('goes on without the client, and its tokens are in the file', async () => {
    const { refresh_token } = codexTokens(file)
    auth.expireAccessTokens()
    auth.barrier(2)
    const leaving = new AbortController()
    const left = fetch(`${spillway.origin}/codex/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${spillway.key}`, 'content-type': 'application/json' },
      body: '{"model":"gpt-5","messages":[]}',
      signal: leaving.signal,
    })
    await inTime(spillway, expect.poll(() => auth.requests.length).toBe(1))
    leaving.abort()
    await expect(left).rejects.toThrow()
    await fetch(auth.tokenUrl, { method: 'POST', body: new URLSearchParams({ grant_type: 'refresh_token' }) })
    await inTime(spillway, expect.poll(() => codexTokens(file).refresh_token).not.toBe(refresh_token))
    expect((await ask()).status).toBe(200)
    expect(spillway.upstream.served.at(-1)).toBe(codexTokens(file).access_token)
    expect(auth.history.filter(({ result }) => result === 'granted')).toHaveLength(1)
  })
})

describe('a login whose file is gone at a start', () => {
  beforeEach(async () => {
    await settle('deviceUrl')
    await spillway.stop()
    renameSync(file, `${file}.gone`)
    await spillway.start()
  })

  const said = async (...argv: string[]) => {
    const { stdout, stderr, ended } = command(...argv)
    return { code: await ended, stdout: stdout.text, stderr: stderr.text }
  }

  it('cannot be enabled, or logged in to, before the file is back', async () => {
    expect(await health()).toMatchObject({ state: 'unreadable', reason: 'unreadable' })
    expect(await spillway.audit('cred_unreadable')).toMatchObject([
      { reason: 'unreadable', detail: { remedy: { verb: 'show', name: 'codex' } } },
    ])
    expect(await said('cred', 'enable', 'codex')).toEqual({
      code: 4,
      stdout: '',
      stderr: `spillway: error: the secret of codex cannot be read: ${file} does not exist\nspillway: hint: mend it there; that is noticed within a second\n`,
    })
    expect(await said('cred', 'login', 'codex')).toEqual({
      code: 4,
      stdout: '',
      stderr: `spillway: error: ${file} does not exist\nspillway: hint: log in with its own tool, which writes the file anew\n`,
    })
    expect((await ask()).text).toContain('then run: spillway cred show codex')
    expect(await health()).toMatchObject({ state: 'unreadable' })
    renameSync(`${file}.gone`, file)
    await inTime(spillway, expect.poll(async () => (await health()).state).toBe('healthy'))
    expect((await ask()).status).toBe(200)
  })

  it('is back with the next start, also when others may open its file', async () => {
    await spillway.stop()
    renameSync(`${file}.gone`, file)
    chmodSync(file, 0o644)
    await spillway.start()
    expect(await health()).toMatchObject({ state: 'healthy' })
    expect((await spillway.ops.credShow({ name: 'codex' })).problem).toContain('can be opened by others')
  })
})

describe('a key in the place of another', () => {
  const rejected = answer(401, {}, { error: { message: 'Incorrect API key provided', code: 'invalid_api_key' } })

  beforeEach(async () => {
    spillway = await installation({ config: { 'pools.maxWaitMs': '0' }, env: { GIVEN: 'sk-given' } })
    await spillway.pool('openai', ['work'])
  })

  it('serves at once, as a new generation, although the old one was disabled', async () => {
    spillway.upstream.on('sk-work').always(rejected)
    await spillway.ask()
    await expect.poll(async () => (await spillway.ops.credShow({ name: 'work' })).health.state).toBe('disabled')
    const login = command('cred', 'login', 'work')
    login.stdin.end('sk-new\n')
    expect(await login.ended).toBe(0)
    expect(login.stdout.text).toMatch(/^work has a new secret: fingerprint [0-9a-f]{8}\n$/)
    expect(login.stderr.text).toMatch(/its upstream accepts it \(GET http.*\/v1\/models\)/)
    expect((await spillway.ask()).status).toBe(200)
    expect(spillway.upstream.served.at(-1)).toBe('sk-new')
    expect(await spillway.ops.credShow({ name: 'work' })).toMatchObject({ generation: 2, health: { state: 'healthy' } })
    await spillway.restart()
    await spillway.ask()
    expect(spillway.upstream.served.at(-1)).toBe('sk-new')
  })

  it('is refused where the vault does not hold it', async () => {
    await spillway.ops.credAdd({ name: 'e', provider: 'openai', source: { kind: 'env', variable: 'GIVEN' } })
    const login = command('cred', 'login', 'e')
    expect(await login.ended).toBe(4)
    expect(login.stderr.text).toBe(
      'spillway: error: the key of e comes from $GIVEN\nspillway: hint: change it there, or give it another: spillway cred replace e\n',
    )
  })
})

describe('without a daemon', () => {
  let program: Program

  beforeEach(() => {
    program = new Program()
  })
  afterEach(() => program.close())

  it('logins are imported, renewed by a person, and handed out', async () => {
    const home = program.beside('codex-home')
    mkdirSync(home)
    writeCodexLogin(join(home, 'auth.json'), auth.login('person'))
    const env = {
      CODEX_HOME: home,
      SPILLWAY_OAUTH_CODEX_TOKEN_URL: auth.tokenUrl,
      SPILLWAY_OAUTH_CODEX_AUTHORIZE_URL: `${auth.origin}/authorize`,
    }
    expect(await program.run(['cred', 'import', 'codex'], { env })).toEqual({
      code: 0,
      stdout: `imported codex (codex): shares ${home}/auth.json, the login of acc-1\n`,
      stderr: expect.stringContaining('no free request'),
    })
    const main = new URL('../../../dist/cmd/spillway/main.js', import.meta.url).pathname
    const login = spawn(process.execPath, [main, '--data', program.data, 'cred', 'login', 'codex'], { env })
    const url = await new Promise<string>((resolve) => {
      let text = ''
      login.stderr.on('data', (bytes) => {
        text += String(bytes)
        const found = /open (http\S+)/.exec(text)?.[1]
        if (found) resolve(found)
      })
    })
    const over = new Promise((resolve) => login.on('close', resolve))
    await fetch(url)
    expect(await over).toBe(0)
    const { code, stdout } = await program.run(['token', 'codex'], { env })
    expect({ code, token: stdout.trim() }).toEqual({
      code: 0,
      token: codexTokens(join(home, 'auth.json')).access_token,
    })
    expect(auth.accepts(stdout.trim())).toBe(true)
  }, 60_000)

  it('nobody lapses because this shell lacks a variable, and who did comes back with it', async () => {
    const variable = { WORK_KEY: 'sk-work' }
    const add = ['cred', 'add', 'work', '--provider', 'openai', '--from-env', 'WORK_KEY']
    expect((await program.run(add)).stderr).toContain('WORK_KEY is not set')
    const state = async (env = {}) => {
      const { stdout } = await program.run(['cred', 'show', 'work', '--json'], { env })
      return JSON.parse(stdout).health
    }
    expect(await state()).toMatchObject({ state: 'healthy' })
    const without = await program.serve()
    expect(await state()).toMatchObject({ state: 'unreadable', reason: 'unreadable' })
    without.process.kill('SIGTERM')
    await without.ended
    const given = await program.serve(variable)
    expect(await state()).toMatchObject({ state: 'healthy' })
    given.process.kill('SIGTERM')
    await given.ended
    expect(await state()).toMatchObject({ state: 'healthy' })
  }, 60_000)

  it('an import that cannot be done says why, with its exit code', async () => {
    const home = program.beside('home')
    mkdirSync(join(home, '.codex'), { recursive: true })
    const run = (args: string[] = []) => program.run(['cred', 'import', 'codex', ...args], { env: { HOME: home } })
    expect(await run()).toMatchObject({ code: 3, stderr: expect.stringContaining('auth.json does not exist') })
    writeFileSync(join(home, '.codex', 'auth.json'), '{"tokens":{"access_token":"a"}}', { mode: 0o600 })
    expect(await run()).toMatchObject({ code: 4, stderr: expect.stringContaining('has no refresh token') })
    expect(await run(['--token-url', 'nonsense'])).toMatchObject({ code: 4 })
    expect(await program.run(['cred', 'import', 'codx'])).toMatchObject({ code: 2 })
    expect(existsSync(join(home, '.codex', 'auth.json'))).toBe(true)
  }, 60_000)
})
