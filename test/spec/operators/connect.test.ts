/** `spillway connect` and the keys that it hands out, with the built program, a daemon and an upstream. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'smol-toml'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Program, type Ran, type Served } from '../../fakes/rig/program.ts'
import { answer, type FakeUpstream, fakeUpstream } from '../../fakes/upstream/upstream.ts'

const program = new Program()
const home = program.beside('home')
let upstream: FakeUpstream
let served: Served

const run = (...args: string[]): Promise<Ran> => program.run(args, { env: { HOME: home } })
const claudeSettings = () => JSON.parse(readFileSync(join(home, '.claude/settings.json'), 'utf8'))

beforeAll(async () => {
  mkdirSync(home)
  upstream = await fakeUpstream()
  served = await program.serve()
  for (const provider of ['codex', 'anthropic']) {
    const source = { kind: 'vault', secret: `sk-${provider}` } as const
    await program.ops.credAdd({ name: provider, provider: provider === 'codex' ? 'openai' : provider, source })
  }
  await program.ops.poolCreate({ name: 'openai', provider: 'openai', members: ['codex'], upstream: upstream.url })
  await program.ops.poolCreate({
    name: 'anthropic',
    provider: 'anthropic',
    members: ['anthropic'],
    upstream: upstream.url,
  })
})

afterAll(async () => {
  served.process.kill('SIGTERM')
  await served.ended
  await upstream.close()
  program.close()
})

/** What Claude Code would be answered with what stands in its settings. */
async function asClaude(): Promise<[number, string]> {
  const { ANTHROPIC_BASE_URL, ANTHROPIC_AUTH_TOKEN } = claudeSettings().env
  const headers = { authorization: `Bearer ${ANTHROPIC_AUTH_TOKEN}` }
  const response = await fetch(`${ANTHROPIC_BASE_URL}/v1/models`, { headers })
  return [response.status, await response.text()]
}

describe('a connected client', () => {
  it('is served, also after the key was rotated and it is connected once more', async () => {
    const connected = await run('connect', 'claude')
    expect(connected).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`Claude Code is connected to anthropic (${served.origin}/anthropic)\n`),
      stderr: expect.stringContaining('a request through anthropic was answered (200)'),
    })
    expect((await asClaude())[0]).toBe(200)
    expect(upstream.requests.at(-1)).toMatchObject({ target: '/v1/models', credential: 'sk-anthropic' })

    const rotated = await run('key', 'rotate', 'local')
    expect(rotated.stderr).toContain('clients that hold the old one: spillway connect claude\n')
    const [status, text] = await asClaude()
    expect([status, text]).toEqual([401, expect.stringContaining('spillway env anthropic')])
    await run('connect', 'claude')
    expect(claudeSettings().env.ANTHROPIC_AUTH_TOKEN).toBe(rotated.stdout.trim())
    expect((await asClaude())[0]).toBe(200)

    expect((await run('connect', 'claude', '--undo')).code).toBe(0)
    expect(existsSync(join(home, '.claude/settings.json'))).toBe(false)
  })

  it('that asks a command for its key gets the one that is in force, from any folder and without a PATH', async () => {
    mkdirSync(join(home, '.codex'))
    writeFileSync(join(home, '.codex/config.toml'), '# mine\n[tui]\ntheme = "x"\n')
    expect((await run('connect', 'codex')).code).toBe(0)
    const config = readFileSync(join(home, '.codex/config.toml'), 'utf8')
    const { model_provider: name, model_providers: providers } = parse(config) as {
      model_provider: string
      model_providers: Record<string, { base_url: string; auth: { command: string; args: string[] } }>
    }
    const { command, args } = providers[name]!.auth
    const asked = spawnSync(command, args, { encoding: 'utf8', cwd: '/', env: { HOME: home } })
    expect([asked.status, asked.stdout.trim()]).toEqual([0, (await program.ops.keyShow({ name: 'local' })).key])
    expect(config).not.toContain(asked.stdout.trim())
    await run('connect', 'codex', '--undo')
    expect(readFileSync(join(home, '.codex/config.toml'), 'utf8')).toBe('# mine\n[tui]\ntheme = "x"\n')
  })

  it('is told of when its request is refused, and stays connected', async () => {
    upstream.on('sk-anthropic').always(answer(500, {}, { error: { type: 'api_error', message: 'no' } }))
    const { code, stderr } = await run('connect', 'claude', '--json')
    expect([code, stderr]).toEqual([1, ''])
    expect(claudeSettings().env.ANTHROPIC_BASE_URL).toBe(`${served.origin}/anthropic`)
    upstream.on('sk-anthropic').clear()
    await run('connect', 'claude', '--undo')
  })

  it('is connected and taken back while no daemon runs', async () => {
    served.process.kill('SIGTERM')
    await served.ended
    const { code, stderr } = await run('connect', 'qwen')
    expect([code, stderr]).toEqual([0, expect.stringContaining('not tested: no daemon runs; spillway serve starts it')])
    expect((await run('connect', 'qwen')).stdout).toMatch(/^Qwen Code is connected to openai \(.*\) already\n$/)
    expect((await run('connect', 'qwen', '--undo')).code).toBe(0)
    expect(existsSync(join(home, '.qwen/settings.json'))).toBe(false)
  })
})
