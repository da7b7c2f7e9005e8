import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ClientName, clientNamed, clientNames } from './clients.ts'
import { connect, connectionsIn, disconnect, type Site } from './connection.ts'
import type { Pointer } from './plan.ts'

let home: string
let site: Site

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'spillway-connect-'))
  site = { world: { home, env: {}, exists: existsSync }, data: join(home, 'data'), dryRun: false }
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

const key = 'sk-spillway-0123456789abcdef-of-a-test'

function pointer(provider: string, change: Partial<Pointer> = {}): Pointer {
  return {
    pool: provider,
    provider,
    shape: provider,
    baseUrl: `http://127.0.0.1:8460/${provider}`,
    key,
    keyCommand: ['/usr/bin/node', '/opt/spillway/main.js', 'key', 'show', 'local'],
    ...change,
  }
}

function write(path: string, text: string): string {
  mkdirSync(dirname(join(home, path)), { recursive: true })
  writeFileSync(join(home, path), text)
  return join(home, path)
}

const read = (path: string) => readFileSync(join(home, path), 'utf8')

const codexConfig = `# my Codex
model = "gpt-5-codex" # the big one
model_provider = "openai"

[tui]
theme = "dark"

[[hooks]]
name = "x"

[model_providers.local]
name = "ollama"
base_url = "http://127.0.0.1:11434/v1"`

const homes: { client: ClientName; provider: string; files: Record<string, { before: string; after: string }> }[] = [
  {
    client: 'codex',
    provider: 'openai',
    files: {
      '.codex/config.toml': {
        before: codexConfig,
        after: `${codexConfig.replace('"openai"', '"spillway"')}

[model_providers.spillway]
name = "spillway"
base_url = "http://127.0.0.1:8460/openai"
wire_api = "responses"

[model_providers.spillway.auth]
command = "/usr/bin/node"
args = [ "/opt/spillway/main.js", "key", "show", "local" ]
timeout_ms = 15000
`,
      },
    },
  },
  {
    client: 'claude',
    provider: 'anthropic',
    files: {
      '.claude/settings.json': {
        before:
          '{\n    "model": "opus",\n    "env": {\n        "ANTHROPIC_AUTH_TOKEN": "mine",\n        "FOO": "1"\n    }\n}',
        after: `{\n    "model": "opus",\n    "env": {\n        "ANTHROPIC_AUTH_TOKEN": "${key}",\n        "FOO": "1",\n        "ANTHROPIC_BASE_URL": "http://127.0.0.1:8460/anthropic"\n    }\n}`,
      },
    },
  },
  {
    client: 'gemini',
    provider: 'gemini',
    files: {
      '.gemini/settings.json': {
        before:
          '{\n\t// mine\n\t"security": {\n\t\t"auth": {\n\t\t\t"selectedType": "oauth-personal"\n\t\t}\n\t},\n}\n',
        after: '{\n\t// mine\n\t"security": {\n\t\t"auth": {\n\t\t\t"selectedType": "gemini-api-key"\n\t\t}\n\t},\n}\n',
      },
      '.gemini/.env': {
        before: '# mine\nGEMINI_API_KEY="AIza"\nOTHER=1\n',
        after: `# mine\nGEMINI_API_KEY=${key}\nOTHER=1\nGOOGLE_GEMINI_BASE_URL=http://127.0.0.1:8460/gemini\n`,
      },
    },
  },
  {
    client: 'opencode',
    provider: 'anthropic',
    files: {
      '.config/opencode/opencode.jsonc': {
        before: '{\r\n  // models\r\n  "model": "anthropic/claude"\r\n}\r\n',
        after: `{\r\n  // models\r\n  "model": "anthropic/claude",\r\n  "provider": {\r\n    "anthropic": {\r\n      "options": {\r\n        "baseURL": "http://127.0.0.1:8460/anthropic/v1",\r\n        "apiKey": "${key}"\r\n      }\r\n    }\r\n  }\r\n}\r\n`,
      },
    },
  },
  {
    client: 'qwen',
    provider: 'openai',
    files: {
      '.qwen/settings.json': {
        before: '{"model":{"name":"m"},"$version":4}',
        after: `{"model":{"name":"m"},"$version":4,"security": {"auth":{"selectedType":"openai"}}}`,
      },
    },
  },
]

describe.each(homes)('$client', ({ client: name, provider, files }) => {
  const client = clientNamed(name)

  test('gets its files changed where there are some, and back byte for byte', () => {
    for (const [path, { before }] of Object.entries(files)) write(path, before)
    connect(client, pointer(provider), site)
    for (const [path, { after }] of Object.entries(files))
      if (name !== 'qwen') expect(read(path)).toBe(after)
      else expect(JSON.parse(read(path))).toMatchObject({ $version: 4, security: { auth: { apiKey: key } } })
    expect(disconnect(client, site)).toMatchObject({
      pool: provider,
      files: Object.keys(files).map(() => ({ isExact: true })),
    })
    for (const [path, { before }] of Object.entries(files)) expect(read(path)).toBe(before)
    expect(connectionsIn(site.data)).toEqual([])
  })

  test('gets files for its owner only where there are none, and they go again', () => {
    const { files: made } = connect(client, pointer(provider), site)
    expect(made).toHaveLength(Object.keys(files).length)
    for (const { path } of made) expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(connectionsIn(site.data)).toEqual([name])
    disconnect(client, site)
    for (const { path } of made) expect(existsSync(path)).toBe(false)
    expect(disconnect(client, site)).toEqual({ pool: null, files: [] })
  })

  test('is not changed twice, and gives back what was there before the first time', () => {
    for (const [path, { before }] of Object.entries(files)) write(path, before)
    connect(client, pointer(provider), site)
    const again = connect(client, pointer(provider), site)
    expect(again.from).toBe(provider)
    expect(again.files.filter(({ before, after }) => before !== after)).toEqual([])
    connect(client, pointer(provider, { key: `${key}-2`, baseUrl: 'http://127.0.0.1:9/other' }), site)
    disconnect(client, site)
    for (const [path, { before }] of Object.entries(files)) expect(read(path)).toBe(before)
  })

  test('is only told what would be done with a dry run', () => {
    for (const [path, { before }] of Object.entries(files)) write(path, before)
    const { files: planned } = connect(client, pointer(provider), { ...site, dryRun: true })
    for (const { before, after } of planned) expect(after).not.toBe(before)
    for (const [path, { before }] of Object.entries(files)) expect(read(path)).toBe(before)
    expect(existsSync(site.data)).toBe(false)
  })

  test('is refused, with nothing written, where a file is not what it should be', () => {
    const paths = Object.keys(files).filter((path) => !path.endsWith('.env'))
    for (const path of paths) write(path, '{{{ = [')
    expect(() => connect(client, pointer(provider), site)).toThrow(expect.objectContaining({ code: 'conflict' }))
    for (const path of paths) expect(read(path)).toBe('{{{ = [')
    expect(existsSync(site.data)).toBe(false)
  })
})

describe('what a person has changed since', () => {
  test('stays in JSON, and only what was written goes', () => {
    write('.claude/settings.json', '{\n  "env": {\n    "ANTHROPIC_AUTH_TOKEN": "mine"\n  }\n}\n')
    connect(clientNamed('claude'), pointer('anthropic'), site)
    const path = join(home, '.claude/settings.json')
    writeFileSync(path, read('.claude/settings.json').replace('{\n', '{\n  // new\n  "model": "opus",\n'))
    expect(disconnect(clientNamed('claude'), site).files).toMatchObject([{ isExact: false }])
    expect(read('.claude/settings.json')).toBe(
      '{\n  // new\n  "model": "opus",\n  "env": {\n    "ANTHROPIC_AUTH_TOKEN": "mine"\n  }\n}\n',
    )
  })

  test('stays beside lines that become what they were', () => {
    const before =
      '{\n  "share": "disabled",\n  "provider": {\n    "openai": { "options": { "apiKey": "mine" } }, // mine\n  },\n}\n'
    write('.config/opencode/opencode.jsonc', before)
    connect(clientNamed('opencode'), pointer('openai'), site)
    const schema = '{\n  "$schema": "https://opencode.ai/config.json",\n'
    write('.config/opencode/opencode.jsonc', read('.config/opencode/opencode.jsonc').replace('{\n', schema))
    disconnect(clientNamed('opencode'), site)
    expect(read('.config/opencode/opencode.jsonc')).toBe(before.replace('{\n', schema))
  })

  test('stays in TOML', () => {
    write('.codex/config.toml', codexConfig)
    connect(clientNamed('codex'), pointer('openai'), site)
    writeFileSync(
      join(home, '.codex/config.toml'),
      `${read('.codex/config.toml')}\n[projects."/x"]\ntrust_level = "trusted"\n`,
    )
    expect(disconnect(clientNamed('codex'), site).files).toMatchObject([{ isExact: false }])
    expect(read('.codex/config.toml')).toBe(`${codexConfig}\n\n[projects."/x"]\ntrust_level = "trusted"\n`)
  })

  test('stays in a file that was made, without the objects that were made for it', () => {
    connect(clientNamed('qwen'), pointer('openai'), site)
    const settings = JSON.parse(read('.qwen/settings.json'))
    write('.qwen/settings.json', JSON.stringify({ ...settings, $version: 4 }, null, 2))
    disconnect(clientNamed('qwen'), site)
    expect(read('.qwen/settings.json')).toBe('{\n  "$version": 4\n}')
  })

  test('is not taken back where it is not ours any more', () => {
    connect(clientNamed('claude'), pointer('anthropic'), site)
    write('.claude/settings.json', '{"env":{"ANTHROPIC_BASE_URL":"https://mine"}}')
    disconnect(clientNamed('claude'), site)
    expect(read('.claude/settings.json')).toBe('{"env":{"ANTHROPIC_BASE_URL":"https://mine"}}')
  })

  test('is not touched where the file is gone', () => {
    connect(clientNamed('gemini'), pointer('gemini'), site)
    rmSync(join(home, '.gemini/.env'))
    disconnect(clientNamed('gemini'), site)
    expect(readdirSync(join(home, '.gemini'))).toEqual([])
  })

  test.each<[ClientName, string]>([
    ['claude', '.claude/settings.json'],
    ['codex', '.codex/config.toml'],
  ])('of %s is refused with nothing done where it cannot be read', (name, path) => {
    connect(clientNamed(name), pointer('openai'), site)
    write(path, '{{{ = [')
    const refusal = { code: 'conflict', hint: 'mend the file first; nothing was changed' }
    expect(() => disconnect(clientNamed(name), site)).toThrow(expect.objectContaining(refusal))
    expect([read(path), connectionsIn(site.data)]).toEqual(['{{{ = [', [name]])
  })

  test('is kept when the client is connected anew', () => {
    write('.claude/settings.json', '{\n  "a": 1\n}\n')
    connect(clientNamed('claude'), pointer('anthropic'), site)
    writeFileSync(join(home, '.claude/settings.json'), read('.claude/settings.json').replace('"a": 1', '"a": 2'))
    connect(clientNamed('claude'), pointer('anthropic', { pool: 'glm', baseUrl: 'http://127.0.0.1:8460/glm' }), site)
    expect(JSON.parse(read('.claude/settings.json'))).toMatchObject({ a: 2, env: { ANTHROPIC_AUTH_TOKEN: key } })
    disconnect(clientNamed('claude'), site)
    expect(read('.claude/settings.json')).toBe('{\n  "a": 2\n}\n')
  })
})

describe('a file', () => {
  test('keeps its mode, and its name stays a link', () => {
    const target = write('dotfiles/claude.json', '{}')
    chmodSync(target, 0o640)
    mkdirSync(join(home, '.claude'))
    symlinkSync(target, join(home, '.claude/settings.json'))
    const { open } = connect(clientNamed('claude'), pointer('anthropic'), site)
    expect(open).toEqual([join(home, '.claude/settings.json')])
    expect(readlinkSync(join(home, '.claude/settings.json'))).toBe(target)
    expect([statSync(target).mode & 0o777, read('dotfiles/claude.json')]).toEqual([0o640, expect.stringContaining(key)])
    disconnect(clientNamed('claude'), site)
    expect([readlinkSync(join(home, '.claude/settings.json')), read('dotfiles/claude.json')]).toEqual([target, '{}'])
  })

  test('behind a link without an end is made there, and goes without the link', () => {
    mkdirSync(join(home, '.claude'))
    symlinkSync('../later.json', join(home, '.claude/settings.json'))
    connect(clientNamed('claude'), pointer('anthropic'), site)
    expect(read('later.json')).toContain(key)
    disconnect(clientNamed('claude'), site)
    expect([existsSync(join(home, 'later.json')), readlinkSync(join(home, '.claude/settings.json'))]).toEqual([
      false,
      '../later.json',
    ])
  })

  test('that is no text is refused', () => {
    write('.claude/settings.json', '')
    writeFileSync(join(home, '.claude/settings.json'), Buffer.from([0x7b, 0xff, 0x7d]))
    expect(() => connect(clientNamed('claude'), pointer('anthropic'), site)).toThrow('is not in UTF-8')
  })

  test.each<[ClientName, string, string]>([
    ['codex', 'CODEX_HOME', 'config.toml'],
    ['claude', 'CLAUDE_CONFIG_DIR', 'settings.json'],
    ['gemini', 'GEMINI_CLI_HOME', '.gemini/settings.json'],
    ['opencode', 'XDG_CONFIG_HOME', 'opencode/opencode.json'],
    ['qwen', 'QWEN_HOME', 'settings.json'],
  ])('of %s is where %s says', (name, variable, path) => {
    const elsewhere = { ...site, world: { ...site.world, env: { [variable]: join(home, 'elsewhere') } } }
    connect(clientNamed(name), pointer('openai'), elsewhere)
    expect(existsSync(join(home, 'elsewhere', path))).toBe(true)
    expect(disconnect(clientNamed(name), site).pool).toBe(null)
    expect(disconnect(clientNamed(name), elsewhere).pool).toBe('openai')
  })

  test('with a record is nobody else’s to read', () => {
    for (const name of clientNames) connect(clientNamed(name), pointer('openai'), site)
    const folder = join(site.data, 'connections')
    expect(readdirSync(folder).map((name) => statSync(join(folder, name)).mode & 0o777)).toEqual([
      384, 384, 384, 384, 384,
    ])
    expect(connectionsIn(site.data)).toEqual([...clientNames].sort())
  })
})
