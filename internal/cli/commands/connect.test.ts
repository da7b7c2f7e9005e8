import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { addCredentials, type Bench, startBench } from '../../../test/fakes/rig/operations.ts'
import { portWith } from '../../../test/fakes/rig/port.ts'
import { runCli } from '../cli.ts'

let bench: Bench
let home: string
let key: string

beforeEach(async () => {
  bench = await startBench({ offline: true })
  home = mkdtempSync(join(tmpdir(), 'spillway-home-'))
  key = (await bench.ops.keyCreate({ name: 'local', keep: true })).key
  for (const provider of ['openai', 'anthropic']) {
    await addCredentials(bench.ops, [`of-${provider}`], provider)
    await bench.ops.poolCreate({ name: provider, provider, members: [`of-${provider}`] })
  }
})
afterEach(async () => {
  await bench.stop()
  rmSync(home, { recursive: true, force: true })
})

async function run(line: string, env: Record<string, string> = {}) {
  const [out, err]: [string[], string[]] = [[], []]
  const into = (texts: string[]) =>
    new Writable({
      decodeStrings: false,
      write(text: string, _encoding, done) {
        texts.push(text.replaceAll(home, '~'))
        done()
      },
    })
  const code = await runCli(line.split(' '), {
    stdin: Readable.from([]),
    stdout: into(out),
    stderr: into(err),
    env: { HOME: home, ...env },
    cwd: home,
    port: portWith({
      data: () => bench.data,
      open: async () => ({ ops: bench.ops, close: async () => undefined }),
    }),
  })
  return { code, out: out.join(''), err: err.join('') }
}

const settings = () => readFileSync(join(home, '.claude/settings.json'), 'utf8')

describe('connect', () => {
  test('shows what it writes with the key masked, and takes it back', async () => {
    expect(await run('connect claude')).toEqual({
      code: 0,
      out: `--- /dev/null
+++ ~/.claude/settings.json
@@ -0,0 +1,6 @@
+{
+  "env": {
+    "ANTHROPIC_BASE_URL": "http://127.0.0.1:8460/anthropic",
+    "ANTHROPIC_AUTH_TOKEN": "sk-spillway-…"
+  }
+}
Claude Code is connected to anthropic (http://127.0.0.1:8460/anthropic)
`,
      err: `spillway: not tested: no daemon runs; spillway serve starts it
spillway: spillway connect claude --undo takes it back
`,
    })
    expect(settings()).toContain(key)
    expect(await run('connect claude')).toMatchObject({
      code: 0,
      out: 'Claude Code is connected to anthropic (http://127.0.0.1:8460/anthropic) already\n',
    })
    const { code, out } = await run('connect claude --undo')
    expect([code, out]).toEqual([0, expect.stringContaining('Claude Code is no longer connected to anthropic\n')])
    expect(out).not.toContain(key)
    expect(existsSync(join(home, '.claude/settings.json'))).toBe(false)
    expect(await run('connect claude --undo')).toMatchObject({ code: 0, out: 'Claude Code is not connected\n' })
  })

  test('writes nothing with --dry-run, in either direction', async () => {
    expect(await run('connect claude --dry-run')).toMatchObject({ code: 0, err: 'spillway: nothing was written\n' })
    expect(existsSync(join(home, '.claude'))).toBe(false)
    await run('connect claude')
    expect(await run('connect claude --undo --dry-run')).toMatchObject({
      code: 0,
      err: 'spillway: nothing was written\n',
      out: expect.stringMatching(/^--- ~\/\.claude\/settings\.json\n\+\+\+ \/dev\/null\n/),
    })
    expect(settings()).toContain(key)
  })

  test('answers as JSON', async () => {
    expect(JSON.parse((await run('connect claude --json')).out)).toEqual({
      client: 'claude',
      pool: 'anthropic',
      baseUrl: 'http://127.0.0.1:8460/anthropic',
      from: null,
      changed: true,
      dryRun: false,
      files: [{ path: '~/.claude/settings.json', action: 'create', diff: expect.stringContaining('sk-spillway-…') }],
      test: { ok: false, status: null, message: 'not tested: no daemon runs; spillway serve starts it' },
      notes: [],
    })
    expect(JSON.parse((await run('connect claude --undo --json')).out)).toEqual({
      client: 'claude',
      pool: 'anthropic',
      changed: true,
      dryRun: false,
      files: [{ path: '~/.claude/settings.json', action: 'remove', diff: expect.any(String) }],
      notes: [],
    })
  })

  test('says what a person has to know', async () => {
    mkdirSync(join(home, '.claude'))
    writeFileSync(join(home, '.claude/settings.json'), '{}', { mode: 0o644 })
    const { err } = await run('connect claude', { ANTHROPIC_API_KEY: 'sk-ant-mine' })
    expect(err).toContain(
      'ANTHROPIC_API_KEY is set in this shell, and Claude Code may prefer it to the file: unset ANTHROPIC_API_KEY',
    )
    expect(err).toContain('~/.claude/settings.json holds the client key now and others may read it: chmod 600')
    writeFileSync(join(home, '.claude/settings.json'), settings().replace('{', '{ "a": 1,'))
    expect((await run('connect claude --undo')).err).toContain(
      'was changed since: only what spillway had written is taken back',
    )
    expect(JSON.parse(settings())).toEqual({ a: 1 })
  })

  test('warns of settings beside it that the client may prefer', async () => {
    mkdirSync(join(home, '.claude'))
    writeFileSync(
      join(home, '.claude/settings.json'),
      '{ "env": { "ANTHROPIC_API_KEY": "sk-ant-mine" }, "apiKeyHelper": "pass" }\n',
    )
    const { err } = await run('connect claude --dry-run')
    expect(err).toContain(
      '~/.claude/settings.json has env.ANTHROPIC_API_KEY, which is asked about, and taken in place of the token when the answer is yes: take it out',
    )
    expect(err).toContain('~/.claude/settings.json has apiKeyHelper, which gives another key')
    expect(err).not.toContain('sk-ant-mine')
  })

  test('gives Codex a command in place of the key, and the new key to the others after a rotation', async () => {
    await run('connect codex')
    const config = readFileSync(join(home, '.codex/config.toml'), 'utf8')
    expect(config).toContain('command = "/usr/bin/spillway"\nargs = [ "key", "show", "local" ]')
    expect(config).not.toContain(key)
    await run('connect claude')
    const { out, err } = await run('key rotate local')
    expect(err).toContain('clients that hold the old one: spillway connect claude\n')
    await run('connect claude')
    expect(settings()).toContain(out.trim())
    await run('connect claude --undo')
    expect(existsSync(join(home, '.claude/settings.json'))).toBe(false)
  })

  test.each([
    ['a pool that the client cannot use', 'connect claude --pool openai', 4, 'Claude Code can use anthropic'],
    ['a pool that does not exist', 'connect claude --pool nope', 3, 'Claude Code can use anthropic'],
    ['a client without a pool', 'connect gemini', 3, 'spillway pool create gemini'],
    ['a choice between pools', 'connect opencode', 2, 'spillway connect opencode --pool openai'],
    ['a client that is not known', 'connect crush', 2, 'usage: spillway connect'],
    ['a pool to take back', 'connect claude --undo --pool anthropic', 2, 'spillway connect claude --undo'],
  ])('is refused for %s', async (_name, line, code, hint) => {
    expect(await run(line)).toMatchObject({ code, out: '', err: expect.stringContaining(`hint: ${hint}`) })
  })

  test('is refused without a kept key, with the way out', async () => {
    await bench.ops.keyRevoke({ name: 'local' })
    expect(await run('connect claude')).toMatchObject({
      code: 4,
      err: expect.stringContaining('spillway key rotate local makes a new one'),
    })
    expect(existsSync(join(home, '.claude'))).toBe(false)
  })
})
