import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { writeClaudeLogin, writeCodexLogin, writeGeminiLogin } from '../../../test/fakes/auth/logins.ts'
import { type Bench, startBench } from '../../../test/fakes/rig/operations.ts'
import type { Ops } from '../ops.ts'

const given = { accessToken: 'a-canary-token', refreshToken: 'r-canary-token', expiresAt: Date.UTC(2026, 0, 5, 20) }
let bench: Bench
let ops: Ops
let home: string

beforeEach(async () => {
  bench = await startBench()
  ops = bench.ops
  home = join(bench.data, 'home')
  for (const folder of ['', '.codex', '.claude', '.gemini', 'elsewhere'])
    mkdirSync(join(home, folder), { recursive: true })
})
afterEach(() => bench.stop())

const codex = () => join(home, '.codex', 'auth.json')

describe('the login of a tool', () => {
  test.each([
    ['codex', '.codex/auth.json', writeCodexLogin, 'codex', null],
    ['claude', '.claude/.credentials.json', writeClaudeLogin, 'anthropic', '2026-01-05T20:00:00.000Z'],
    ['gemini', '.gemini/oauth_creds.json', writeGeminiLogin, 'gemini', '2026-01-05T20:00:00.000Z'],
  ] as const)('%s is found where the tool keeps it, and shared', async (tool, file, write, provider, expiresAt) => {
    const path = join(home, file)
    write(path, given)
    const made = await ops.credImport({ tool, home })
    expect(made).toMatchObject({ name: tool, tool, path, provider, kept: 'shared', expiresAt, changed: true })
    expect(await ops.credShow({ name: tool })).toMatchObject({
      provider,
      auth: 'oauth',
      login: tool,
      source: { kind: 'file', path },
      problem: null,
      command: null,
    })
    expect(JSON.stringify([made, bench.store.batches])).not.toContain('canary')
  })

  test('is found where the environment says that the tool keeps it', async () => {
    const path = join(home, 'elsewhere', 'auth.json')
    writeCodexLogin(path, given)
    writeClaudeLogin(join(home, 'elsewhere', '.credentials.json'), given)
    expect(await ops.credImport({ tool: 'codex', home, codexHome: join(home, 'elsewhere') })).toMatchObject({ path })
    const claude = await ops.credImport({ tool: 'claude', home, claudeConfigDir: join(home, 'elsewhere') })
    expect(claude).toMatchObject({ name: 'claude', path: join(home, 'elsewhere', '.credentials.json') })
  })

  test('is found in the file that is named, under the name that is given', async () => {
    const path = join(home, 'mine.json')
    writeCodexLogin(path, given)
    expect(await ops.credImport({ tool: 'codex', path, name: 'mine' })).toMatchObject({ name: 'mine', path })
  })

  test('gets the next free name when its own is taken', async () => {
    await ops.credAdd({ name: 'codex', provider: 'codex', source: { kind: 'vault', secret: 'sk-x' } })
    writeCodexLogin(codex(), given)
    expect(await ops.credImport({ tool: 'codex', home })).toMatchObject({ name: 'codex-2' })
  })

  test('is copied into the vault when that is asked, with a warning, and without a trace of the tokens', async () => {
    writeCodexLogin(codex(), given, 'acc-7')
    const made = await ops.credImport({ tool: 'codex', home, copy: true })
    expect(made).toMatchObject({ kept: 'copied', warnings: [expect.stringMatching(/race to refresh/)] })
    expect(await ops.credShow({ name: 'codex' })).toMatchObject({ source: { kind: 'vault' }, auth: 'oauth' })
    const [record] = (await bench.store.load()).credentials
    // What it serves with is no longer the file's.
    writeFileSync(codex(), '{}')
    expect(await bench.credentials.material(record!)).toMatchObject({
      injection: { secret: 'a-canary-token', kind: 'bearer-token', accountId: 'acc-7' },
    })
    expect(JSON.stringify([made, bench.store.batches])).not.toContain('canary')
  })

  test('that holds an API key becomes a key of the provider openai', async () => {
    writeFileSync(codex(), JSON.stringify({ OPENAI_API_KEY: 'sk-in-file', tokens: null }), { mode: 0o600 })
    const made = await ops.credImport({ tool: 'codex', home })
    expect(made).toMatchObject({ provider: 'openai', expiresAt: null, warnings: [] })
    expect(await ops.credShow({ name: 'codex' })).toMatchObject({ auth: 'api-key', login: null, problem: null })
    const [record] = (await bench.store.load()).credentials
    expect(await bench.credentials.material(record!)).toMatchObject({ injection: { secret: 'sk-in-file' } })
  })

  test('that has been imported is left as it is', async () => {
    writeCodexLogin(codex(), given)
    await ops.credImport({ tool: 'codex', home })
    expect(await ops.credImport({ tool: 'codex', home })).toMatchObject({ name: 'codex', changed: false })
    expect(await ops.credList({})).toHaveLength(1)
  })

  test.each([
    ['under a second name', { name: 'again' }],
    ['as a copy', { copy: true }],
  ])('that is shared already is not imported %s', async (_name, more) => {
    writeCodexLogin(codex(), given)
    await ops.credImport({ tool: 'codex', home })
    await expect(ops.credImport({ tool: 'codex', home, ...more })).rejects.toMatchObject({
      code: 'conflict',
      message: `${codex()} is shared by codex already`,
    })
  })

  test('says what is open to others, and what the configuration lacks', async () => {
    const path = join(home, '.gemini', 'oauth_creds.json')
    writeFileSync(path, JSON.stringify({ access_token: 'a', refresh_token: 'r' }), { mode: 0o644 })
    const { warnings } = await ops.credImport({ tool: 'gemini', home })
    expect(warnings).toEqual([
      `${path} can be opened by others (mode 0644): chmod 600 it`,
      'it cannot be refreshed before the configuration has oauth.gemini.clientId and oauth.gemini.clientSecretFile',
    ])
  })
})

describe('an import is refused', () => {
  test.each<[string, string | null, string, RegExp, RegExp]>([
    ['without a file', null, 'not-found', /auth\.json does not exist$/, /codex login, or name its file with --path/],
    ['of a file that is no JSON', 'sk-canary', 'failed', /auth\.json: it is not JSON$/, /codex login/],
    ['of a file without a login', '{"tokens":{}}', 'not-found', /no login \(no tokens.access_token\)$/, /codex login/],
    [
      'of a login without a refresh token',
      '{"tokens":{"access_token":"a-canary"}}',
      'conflict',
      /the login has no refresh token, so it ends with its access token$/,
      /log in with codex again/,
    ],
  ])('%s', async (_name, text, code, message, hint) => {
    if (text !== null) writeFileSync(codex(), text, { mode: 0o600 })
    const refused = ops.credImport({ tool: 'codex', home })
    await expect(refused).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
      hint: expect.stringMatching(hint),
    })
    await expect(refused).rejects.not.toThrow('canary')
    expect(await ops.credList({})).toEqual([])
  })

  test('of an unknown tool, with the nearest one', async () => {
    await expect(ops.credImport({ tool: 'codx', home })).rejects.toMatchObject({
      code: 'invalid',
      message: '"codx" is not a tool whose login can be imported; did you mean codex?',
    })
  })

  test.each([
    ['that is none', 'auth.example', /is not a URL/],
    ['without TLS', 'http://auth.example/token', /begins with https:\/\/, unless it is on this machine/],
    ['of the metadata service', 'https://169.254.169.254/token', /private or link-local/],
  ])('with a token URL %s', async (_name, tokenUrl, message) => {
    writeCodexLogin(codex(), given)
    await expect(ops.credImport({ tool: 'codex', home, tokenUrl })).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringMatching(message),
    })
  })

  test('under a name that is taken', async () => {
    await ops.credAdd({ name: 'mine', provider: 'codex', source: { kind: 'vault', secret: 'sk-x' } })
    writeCodexLogin(codex(), given)
    await expect(ops.credImport({ tool: 'codex', home, name: 'mine' })).rejects.toMatchObject({ code: 'conflict' })
  })
})

test('what is exported of logins is what apply makes of it elsewhere', async () => {
  writeCodexLogin(codex(), given)
  await ops.credImport({ tool: 'codex', home, tokenUrl: 'http://127.0.0.1:1/token' })
  const path = join(home, 'other.json')
  writeFileSync(path, JSON.stringify({ auth: { token: 'a', refresh: 'r' } }), { mode: 0o600 })
  await ops.credAdd({
    name: 'other',
    provider: 'generic',
    baseUrl: 'https://api.example',
    source: { kind: 'file', path, format: 'json:access_token=auth.token,refresh_token=auth.refresh' },
    login: { tokenUrl: 'https://auth.example/token', clientId: 'c', scope: 'all' },
  })
  const { yaml } = await ops.exportConfig({})
  const elsewhere = await startBench()
  await elsewhere.ops.apply({ text: yaml, file: 'x.yaml', folder: '/' })
  expect((await elsewhere.ops.exportConfig({})).yaml).toBe(yaml)
  const { changes } = await elsewhere.ops.apply({ text: yaml, file: 'x.yaml', folder: '/', dryRun: true })
  expect(changes.map(({ action }) => action)).toEqual(['unchanged', 'unchanged'])
  const changed = yaml.replace('auth.example', 'auth.other')
  await expect(elsewhere.ops.apply({ text: changed, file: 'x.yaml', folder: '/' })).rejects.toMatchObject({
    message: expect.stringMatching(/the credential exists and has another login/),
  })
  const records = async (of: Bench) =>
    (await of.store.load()).credentials.map(({ id: _id, createdAt: _at, ...record }) => record)
  expect(await records(elsewhere)).toEqual(await records(bench))
  await elsewhere.stop()
})

test.each<[string, Parameters<Ops['credAdd']>[0], RegExp]>([
  [
    'a format that nobody knows',
    { name: 'x', provider: 'codex', source: { kind: 'file', path: '/f', format: 'cdx' } },
    /the file format cdx is unknown/,
  ],
  [
    'a mapping without a secret',
    { name: 'x', provider: 'codex', source: { kind: 'file', path: '/f', format: 'json:scope=a' } },
    /the mapping needs access_token or api_key/,
  ],
  [
    'a command with an open quote',
    { name: 'x', provider: 'codex', source: { kind: 'command', command: "echo 'a" } },
    /open single quote/,
  ],
  [
    'a token URL for a key',
    { name: 'x', provider: 'codex', source: { kind: 'vault', secret: 'k' }, login: { tokenUrl: 'https://a.example' } },
    /only tokens are refreshed/,
  ],
])('a credential is refused with %s', async (_name, args, message) => {
  await expect(ops.credAdd(args)).rejects.toMatchObject({ code: 'invalid', message: expect.stringMatching(message) })
  expect(await ops.credList({})).toEqual([])
})
