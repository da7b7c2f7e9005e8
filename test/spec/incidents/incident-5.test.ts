import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { remoteOps, runCli } from '../../../internal/cli/cli.ts'
import { FakeClock } from '../../../internal/clock/clock.ts'
import { AuthServer } from '../../fakes/auth/auth-server.ts'
import { guardedBy, writeClaudeLogin } from '../../fakes/auth/logins.ts'
import { type Installation, installation } from '../../fakes/rig/installation.ts'
import { portWith } from '../../fakes/rig/port.ts'
import { answer } from '../../fakes/upstream/upstream.ts'

const rejected = answer(401, {}, { error: { message: 'Incorrect API key provided', code: 'invalid_api_key' } })

/** A worker as cron would start it: it notes its start, asks the pool once, and fails with what it was told. */
const working = (base: string, key: string) => `
require('node:fs').appendFileSync('starts', 'x')
fetch(${base}, {
  method: 'POST',
  headers: { authorization: 'Bearer ' + process.env.${key}, 'content-type': 'application/json' },
  body: JSON.stringify({ model: 'any', messages: [] }),
}).then((response) => process.exit(response.ok ? 0 : 1))
`
const worker = working("process.env.OPENAI_BASE_URL + '/chat/completions'", 'OPENAI_API_KEY')
const claudeWorker = working("process.env.ANTHROPIC_BASE_URL + '/v1/messages'", 'ANTHROPIC_AUTH_TOKEN')
let spillway: Installation
let folder: string

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'spillway-cron-'))
  spillway = await installation({ config: { 'pools.maxWaitMs': '0' } })
  await spillway.pool('openai', ['work'])
})
afterEach(async () => {
  await spillway.close()
  rmSync(folder, { recursive: true })
})

/** One tick of a cron line, over the daemon's socket: its exit code and what it said. */
async function tick(
  args: readonly string[],
  program: string,
  pool = 'openai',
): Promise<{ code: number; said: string }> {
  let said = ''
  const sink = new Writable({
    write(chunk, _encoding, done) {
      said += String(chunk)
      done()
    },
  })
  const code = await runCli(
    ['run', '--pool', pool, '--backoff', '1ms..2ms', ...args, '--', process.execPath, '-e', program],
    {
      stdin: Readable.from([]),
      stdout: sink,
      stderr: sink,
      env: { PATH: process.env.PATH },
      cwd: folder,
      port: portWith({
        now: () => spillway.clock.now(),
        open: async () => ({
          ops: remoteOps(join(spillway.data, 'admin.sock'), 'operator:cli'),
          close: async () => undefined,
        }),
      }),
    },
  )
  return { code, said }
}

const starts = () => readFileSync(join(folder, 'starts'), 'utf8').length

/** Every file of the data directory with its size. */
function files(): Record<string, number> {
  return Object.fromEntries(readdirSync(spillway.data).map((name) => [name, statSync(join(spillway.data, name)).size]))
}

/** What a tick could leave behind. */
async function traces() {
  await spillway.daemon.core.engine.flush()
  return { files: files(), rows: (await spillway.audit()).length, requests: spillway.upstream.requests.length }
}

describe('a cron job against a login that lapsed', () => {
  it('is started once in 7,000 ticks, leaves nothing behind at the others, and runs after a login', async () => {
    const auth = await AuthServer.start()
    await spillway.close()
    spillway = await installation({
      clock: new FakeClock(Date.now()),
      config: {
        'pools.maxWaitMs': '0',
        'oauth.claude.tokenUrl': auth.tokenUrl,
        'oauth.claude.authorizeUrl': `${auth.origin}/authorize`,
      },
    })
    try {
      const file = join(folder, 'credentials.json')
      writeClaudeLogin(file, auth.login('person'))
      await spillway.ops.credImport({ tool: 'claude', path: file, name: 'max', copy: true })
      await spillway.ops.poolCreate({
        name: 'claude',
        provider: 'anthropic',
        members: ['max'],
        upstream: spillway.upstream.url,
      })
      spillway.upstream.on('*').always(guardedBy(auth))
      auth.revoke('person')
      const first = await tick(['--job', 'nightly'], claudeWorker, 'claude')
      expect(first).toEqual({
        code: 77,
        said: 'spillway: run: halted (session expired): claude needs a person: max needs a login; spillway cred login max\n',
      })
      const before = await traces()
      for (let i = 1; i < 7_000; i++) expect(await tick(['--job', 'nightly'], claudeWorker, 'claude')).toEqual(first)
      expect(starts()).toBe(1)
      expect(await traces()).toEqual(before)
      expect(auth.history.map(({ result }) => result)).toEqual(['refused'])

      const { url } = await spillway.ops.credLogin({ name: 'max' })
      await fetch(url)
      const health = async () => (await spillway.ops.credShow({ name: 'max' })).health.state
      await expect.poll(health).toBe('healthy')
      expect(await tick(['--job', 'nightly'], claudeWorker, 'claude')).toEqual({ code: 0, said: '' })
      expect(starts()).toBe(2)
    } finally {
      await auth.stop()
    }
  }, 120_000)

  it('is started once where a key was revoked, too', async () => {
    spillway.upstream.on('sk-work').always(rejected)
    const first = await tick(['--job', 'nightly'], worker)
    expect(first).toEqual({
      code: 77,
      said: 'spillway: run: halted (disabled): openai needs a person: work is disabled; spillway cred replace work\n',
    })
    const before = await traces()
    for (let i = 1; i < 100; i++) expect(await tick(['--job', 'nightly'], worker)).toEqual(first)
    expect(starts()).toBe(1)
    expect(await traces()).toEqual(before)
  })

  it('says that the session expired, and runs at the first tick after somebody has logged in', async () => {
    const { engine } = spillway.daemon.core
    await engine.needsLogin('work', 1, 'refresh-rejected')
    expect(await tick([], worker)).toEqual({
      code: 77,
      said: 'spillway: run: halted (session expired): openai needs a person: work needs a login; spillway cred login work\n',
    })
    await engine.renewCredential('work', 'login', () => [], 'operator:test')
    expect(await tick([], worker)).toEqual({ code: 0, said: '' })
    expect(starts()).toBe(1)
  })
})

describe('a shell job that prints 401', () => {
  it('keeps its retries, whatever the pool says', async () => {
    await spillway.daemon.core.engine.needsLogin('work', 1, 'refresh-rejected')
    const program = new URL('../../../dist/cmd/spillway/main.js', import.meta.url).pathname
    const words = ['--data', spillway.data, 'run', '--pool', 'openai', '--type', 'shell', '--backoff', '1ms..2ms', '--']
    const job = ['sh', '-c', 'printf x >> starts; echo "HTTP 401: session expired"; exit 6']
    const run = spawn(process.execPath, [program, ...words, ...job], { cwd: folder, env: { PATH: process.env.PATH } })
    let printed = ''
    run.stdout.on('data', (chunk) => {
      printed += String(chunk)
    })
    const [code] = await once(run, 'close')
    expect(code).toBe(6)
    expect(starts()).toBe(4)
    expect(printed).toBe('HTTP 401: session expired\n'.repeat(4))
  })
})
