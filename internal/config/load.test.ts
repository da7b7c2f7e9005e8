import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Config, formatProblems, type LoadOptions, loadConfig, type Override } from './config.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spillway-config-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true })
})

type Given = Partial<Omit<LoadOptions, 'file' | 'dataDir'>>

function load(text: string | null, given: Given = {}) {
  const file = join(folder, 'spillway.yaml')
  if (text !== null) writeFileSync(file, text)
  return loadConfig({ file, explicit: false, env: {}, dataDir: '/data', ...given })
}

function accepted(text: string | null, given: Given = {}): Config {
  const loaded = load(text, given)
  if (!loaded.ok) throw new Error(formatProblems(loaded.problems))
  return loaded.config
}

/** The problems as an operator reads them, with the folder left out. */
function refused(text: string | null, given: Given = {}): string[] {
  const loaded = load(text, given)
  if (loaded.ok) throw new Error('it was accepted')
  return formatProblems(loaded.problems).replaceAll(`${folder}/`, '').split('\n')
}

function warnings(text: string | null, given: Given = {}): string {
  const loaded = load(text, given)
  if (!loaded.ok) throw new Error(formatProblems(loaded.problems))
  return formatProblems(loaded.warnings).replaceAll(`${folder}/`, '')
}

describe('the defaults', () => {
  it('are those of the interface, resolved to numbers and absolute paths', () => {
    const config = accepted(null)
    expect(config.server).toMatchObject({ listen: { host: '127.0.0.1', port: 8460 }, drainMs: 30_000 })
    expect(config.upstream).toMatchObject({ connectMs: 10_000, headMs: 900_000, idleMs: 300_000 })
    expect(config.replay).toMatchObject({ maxBodyBytes: 33_554_432, maxTotalBytes: 268_435_456 })
    expect(config.cooldown).toMatchObject({ rateLimitedMs: 60_000, maxMs: 1_800_000, earlyProbeMs: 900_000 })
    expect(config.audit).toEqual({ maxAge: 7_776_000_000, maxRows: 100_000, maxBytes: 67_108_864 })
    expect(config.disk.reserveBytes).toBe('auto')
    expect(config.admin).toEqual({ socket: '/data/admin.sock', listen: null, tokenFile: null })
    expect(config.store.url).toBe('sqlite:/data/spillway.db')
    expect(config.pools).toEqual({
      maxWaitMs: 10_000,
      onExhausted: 'reject',
      preemptAt: null,
      affinity: 'none',
      rampPerSecond: 4,
    })
  })

  it.each([
    ['an empty file', ''],
    ['a file of comments', '# nothing yet\n'],
    ['an empty section', 'server:\n  # listen: 127.0.0.1:1\n'],
    ['an empty mapping', '{}'],
  ])('hold for %s', (_, text) => {
    expect(accepted(text)).toEqual(accepted(null))
  })

  it('hold without a file, which is not named then', () => {
    expect(load(null)).toMatchObject({ ok: true, file: null })
    expect(load('{}')).toMatchObject({ ok: true, file: join(folder, 'spillway.yaml') })
  })
})

describe('a file', () => {
  it('changes only what it names', () => {
    const config = accepted('replay: { maxBodyBytes: 1MiB, budget: { ratio: 0.5 } }\nserver:\n  listen: "[::1]:1"')
    expect(config.replay).toEqual({
      maxAttempts: 3,
      maxBodyBytes: 1_048_576,
      maxTotalBytes: 268_435_456,
      budget: { ratio: 0.5, perSecond: 10 },
      holdMs: { codex: 60_000, default: 2_000 },
    })
    expect(config.server.listen).toEqual({ host: '::1', port: 1 })
  })

  it('takes bare numbers as milliseconds and bytes', () => {
    const config = accepted('server: { drainMs: 1500 }\naudit: { maxBytes: 2048, maxAge: 1h30m }')
    expect(config.server.drainMs).toBe(1_500)
    expect(config.audit).toMatchObject({ maxBytes: 2_048, maxAge: 5_400_000 })
  })

  it('may use an anchor, whose values are found on their own lines', () => {
    const text = 'oauth:\n  codex: &same\n    clientId: one\n    tokenUrl: ftp://x\n  claude: *same\n'
    expect(refused(text)).toEqual([
      expect.stringMatching(/^spillway.yaml:4: oauth.codex.tokenUrl: /),
      expect.stringMatching(/^spillway.yaml:4: oauth.claude.tokenUrl: /),
    ])
  })

  it('must exist when it was asked for', () => {
    expect(refused(null, { explicit: true })).toEqual(['spillway.yaml: does not exist'])
  })

  it('must be readable even when it was not asked for', () => {
    mkdirSync(join(folder, 'spillway.yaml'))
    expect(refused(null)).toEqual(['spillway.yaml: cannot be read: it is a directory'])
  })

  it('is refused with every problem at once, each with its line', () => {
    const text = `server:
  listn: 127.0.0.1:1
  drainMs: 5 minutes
  webSocket: yes
upstream: 5
log:
  level: inf
replay:
  maxAttempts: 0
  maxBodyBytes: 512MiB
log:
  level: inf
cooldown:
  maxMs:
`
    expect(refused(text)).toEqual([
      'spillway.yaml:2: server.listn: unknown key (did you mean listen?)',
      'spillway.yaml:3: server.drainMs: must be a duration such as 500ms, 30s or 1h30m, from 0s to 1h, not "5 minutes"',
      'spillway.yaml:4: server.webSocket: must be true or false, not "yes"',
      'spillway.yaml:5: upstream: must be a section (with the keys connectMs, headMs, idleMs, connections, allowPrivate, proxy)',
      'spillway.yaml:7: log.level: must be one of debug, info, warn, error, not "inf" (did you mean info?)',
      'spillway.yaml:8: replay.maxTotalBytes: is less than replay.maxBodyBytes (it must hold at least one body)',
      'spillway.yaml:9: replay.maxAttempts: must be a whole number from 1 to 20, not 0',
      'spillway.yaml:11: log: given twice, first on line 6',
      'spillway.yaml:12: log.level: given twice, first on line 7',
      'spillway.yaml:14: cooldown.maxMs: has no value; it must be a duration such as 500ms, 30s or 1h30m, from 1ms to 7d (leave the key out for its default, "30m")',
    ])
  })

  it.each([
    ['text in place of sections', 'hello', /^spillway.yaml: must consist of sections \(with the keys server, /],
    ['a list in place of sections', '- server', /^spillway.yaml: must consist of sections/],
    ['a tab', 'server:\n\tlisten: 1', /^spillway.yaml:2: not valid YAML: tabs are not allowed as indentation$/],
    ['an open bracket', 'a: 1\nb: [1,', /^spillway.yaml:2: not valid YAML: /],
    ['two documents', 'server: {}\n---\nserver: {}', /^spillway.yaml:2: not valid YAML: /],
    ['a tag', 'server: !secret {}', /^spillway.yaml:1: not valid YAML: unresolved tag$/],
    ['an alias without an anchor', 'server: *gone', /^spillway.yaml: has an alias without its anchor/],
    ['an alias that contains itself', 'server: &s { tls: *s }', /^spillway.yaml:1: server.tls.tls: unknown key/],
    ['a key of another section', 'listen: 1.2.3.4:1', /:1: listen: unknown key \(did you mean server.listen\?\)$/],
    ['a foreign key', 'banana: 1', /:1: banana: unknown key \(there are server, upstream, /],
    ['a key that every object has', '__proto__: { x: 1 }', /:1: __proto__: unknown key/],
    ['a number that is no setting', '1: 2', /:1: 1: unknown key/],
    ['a mapping in place of a value', 'log: { level: { x: 1 } }', /:1: log.level: must be one of .*, not {"x":1}$/],
    ['a long value', `log: { level: ${'x'.repeat(99)} }`, /not "x{38}…$/],
    ['a duration over its range', 'server: { drainMs: 2h }', /server.drainMs: must be .* from 0s to 1h, not "2h"$/],
    ['a negative size', 'disk: { reserveBytes: -1 }', /disk.reserveBytes: must be a size such as .*, not -1$/],
    ['a port alone', 'server: { listen: 8460 }', /server.listen: must be HOST:PORT .*, not 8460$/],
    [
      'an empty item',
      'upstream:\n  allowPrivate:\n    -\n',
      /:3: upstream.allowPrivate.0: has no value; it must be an/,
    ],
    ['a fraction of an attempt', 'replay: { maxAttempts: 1.5 }', /replay.maxAttempts: must be a whole number/],
    [
      'a URL with a password',
      'notices: { webhook: { url: "http://a:b@c" } }',
      /webhook.url: must be an http or https URL/,
    ],
    [
      'a password in the URL of the database',
      'store: { url: postgres://u:hunter2@db/x }',
      /store.url: must be sqlite:FILE, or postgres:.* without a password \(that stands in store.passwordFile\)/,
    ],
    ['a database without a host', 'store: { url: postgres:///x }', /store.url: must be sqlite:FILE, or postgres:/],
    ['an unknown way to protect it', 'store: { url: "postgres://db/x?sslmode=prefer" }', /no parameter but sslmode/],
    ['half of its client certificate', 'store: { tls: { keyFile: a } }', /store.tls.keyFile: needs certFile/],
    ['half of TLS', 'server: { tls: { certFile: a.pem } }', /:1: server.tls.certFile: needs keyFile \(set both or n/],
    ['the other half of TLS', 'server: { tls: { keyFile: a.pem } }', /:1: server.tls.keyFile: needs certFile/],
    ['admin over TCP without a token', 'admin: { listen: 127.0.0.1:1 }', /:1: admin.listen: needs admin.tokenFile/],
    [
      'a web view for other machines',
      'web: { listen: 0.0.0.0:8461 }',
      /:1: web.listen: is reachable from other machines/,
    ],
    ['a web view on a name', 'web: { listen: box.lan:8461 }', /:1: web.listen: is reachable from other machines/],
    [
      'its address without encryption',
      'web: { publicUrl: http://box.lan }',
      /:1: web.publicUrl: is an address without/,
    ],
    ['its address with a path', 'web: { publicUrl: https://box.lan/spillway }', /:1: web.publicUrl: has a path/],
    [
      'two sources of one token',
      'notices:\n  telegram:\n    botTokenFile: a\n    botTokenEnv: B\n',
      /:4: notices.telegram.botTokenEnv: contradicts botTokenFile \(keep one of the two\)$/,
    ],
  ])('is refused for %s', (_, text, expected) => {
    const problems = refused(text)
    expect(problems).toHaveLength(1)
    expect(problems[0]).toMatch(expected)
  })

  it('names the item of a list that is wrong', () => {
    expect(refused('notices:\n  telegram:\n    botTokenEnv: T\n    chatIds:\n      - 1\n      - two\n')).toEqual([
      'spillway.yaml:6: notices.telegram.chatIds.1: must be a whole number, not "two"',
    ])
  })
})

describe('a secret in the clear', () => {
  const token = '1234567890:AAExampleExampleExampleExampleExample'

  it.each([
    [
      'under the name of the token',
      `botToken: ${token}`,
      'secrets are not written here (use botTokenFile or botTokenEnv)',
    ],
    ['under a short name', `token: ${token}`, 'secrets are not written here (use botTokenFile or botTokenEnv)'],
    ['as a file', `botTokenFile: ${token}`, 'must be the path of a file (not its content), or null'],
    ['as a variable', `botTokenEnv: ${token}`, 'must be the name of an environment variable (not its value), or null'],
    [
      'under a name of its own',
      `apiKey: ${token}`,
      'secrets are not written here (spillway cred add keeps them sealed)',
    ],
  ])('is refused %s and not repeated', (_, line, expected) => {
    const problems = refused(`notices:\n  telegram:\n    ${line}\n`)
    expect(problems).toEqual([`spillway.yaml:3: notices.telegram.${line.split(':')[0]}: ${expected}`])
    expect(problems.join()).not.toContain('Example')
  })

  it.each([
    ['an open quote', `notices: { telegram: { botToken: "${token}\n`],
    ['a stray bracket', `notices: ]${token}`],
    ['a block header', `notices: |${token}\n x`],
    ['a directive', `%${token}\nnotices: 1`],
    ['a tag', `notices: !${token} x`],
  ])('is not repeated when the file is no YAML for %s', (_, text) => {
    expect(refused(text).join()).toContain('not valid YAML')
    expect(refused(text).join()).not.toContain('Example')
  })
})

describe('the environment', () => {
  it('wins over the file, and flags win over both', () => {
    const text = 'server: { listen: 127.0.0.1:1 }\nlog: { level: warn }'
    const env = { SPILLWAY_SERVER_LISTEN: '127.0.0.1:2' }
    const flags: Override[] = [{ key: 'server.listen', text: '127.0.0.1:3', from: '--listen' }]
    expect(accepted(text).server.listen.port).toBe(1)
    expect(accepted(text, { env }).server.listen.port).toBe(2)
    expect(accepted(text, { env, flags }).server.listen.port).toBe(3)
    expect(accepted(text, { env, flags }).log.level).toBe('warn')
  })

  it.each([
    ['a duration', 'SPILLWAY_UPSTREAM_HEAD_MS', '5m', ['upstream', 'headMs'], 300_000],
    ['a bare duration', 'SPILLWAY_UPSTREAM_HEAD_MS', '1500', ['upstream', 'headMs'], 1_500],
    ['a size', 'SPILLWAY_DISK_RESERVE_BYTES', '1MiB', ['disk', 'reserveBytes'], 1_048_576],
    ['a number', 'SPILLWAY_REPLAY_BUDGET_RATIO', '0.25', ['replay', 'budget', 'ratio'], 0.25],
    ['true', 'SPILLWAY_SERVER_EXPOSE_MEMBER', 'TRUE', ['server', 'exposeMember'], true],
    ['false', 'SPILLWAY_SERVER_WEB_SOCKET', 'false', ['server', 'webSocket'], false],
    ['a list of numbers', 'SPILLWAY_NOTICES_TELEGRAM_CHAT_IDS', '1, -5,', ['notices', 'telegram', 'chatIds'], [1, -5]],
    [
      'a list of texts',
      'SPILLWAY_UPSTREAM_ALLOW_PRIVATE',
      '::1,10.0.0.0/8',
      ['upstream', 'allowPrivate'],
      ['::1', '10.0.0.0/8'],
    ],
    ['text that looks like a number', 'SPILLWAY_OAUTH_CODEX_CLIENT_ID', '123', ['oauth', 'codex', 'clientId'], '123'],
    [
      'a URL',
      'SPILLWAY_OAUTH_CODEX_TOKEN_URL',
      'http://127.0.0.1:1/t',
      ['oauth', 'codex', 'tokenUrl'],
      'http://127.0.0.1:1/t',
    ],
    ['null', 'SPILLWAY_POOLS_PREEMPT_AT', 'null', ['pools', 'preemptAt'], null],
    ['an empty text as nothing', 'SPILLWAY_LOG_LEVEL', '', ['log', 'level'], 'info'],
  ])('gives %s', (_, name, text, path, expected) => {
    expect(accepted(null, { env: { [name]: text } })).toHaveProperty(path, expected)
  })

  it('is named when its value is wrong, in place of a line', () => {
    const env = {
      SPILLWAY_SERVER_LISTEN: 'here',
      SPILLWAY_NOTICES_TELEGRAM_CHAT_IDS: '1,x',
      SPILLWAY_REPLAY_MAX_BODY_BYTES: '512MiB',
    }
    expect(refused('server: { listen: 127.0.0.1:1 }', { env })).toEqual([
      'SPILLWAY_NOTICES_TELEGRAM_CHAT_IDS: notices.telegram.chatIds.1: must be a whole number, not "x"',
      'SPILLWAY_REPLAY_MAX_BODY_BYTES: replay.maxTotalBytes: is less than replay.maxBodyBytes (it must hold at least one body)',
      'SPILLWAY_SERVER_LISTEN: server.listen: must be HOST:PORT such as 127.0.0.1:8460 (0.0.0.0 for all interfaces), not "here"',
    ])
  })

  it('does not hide that its section is broken in the file', () => {
    expect(refused('server: 5', { env: { SPILLWAY_SERVER_LISTEN: '127.0.0.1:2' } })).toHaveLength(1)
  })

  it('is warned about when a variable is misspelt, with the near name', () => {
    const env = { SPILLWAY_SERVER_LISTN: 'x', SPILLWAY_BANANA: 'y', OTHER: 'z' }
    expect(warnings(null, { env })).toBe(
      'SPILLWAY_BANANA: no such setting, ignored\n' +
        'SPILLWAY_SERVER_LISTN: no such setting, ignored (did you mean SPILLWAY_SERVER_LISTEN?)',
    )
  })

  it.each([
    ['SPILLWAY_NOTICES_WEBHOOK_SECRET', 'SPILLWAY_NOTICES_WEBHOOK_SECRET_FILE'],
    ['SPILLWAY_ADMIN_TOKEN', 'SPILLWAY_ADMIN_TOKEN_FILE'],
  ])('points from the secret itself in %s to %s', (name, expected) => {
    expect(warnings(null, { env: { [name]: 'x' } })).toBe(
      `${name}: no such setting, ignored (did you mean ${expected}?)`,
    )
  })

  it('may hold variables of ours that mean something elsewhere', () => {
    const env = {
      SPILLWAY_DATA: '/data',
      SPILLWAY_CONFIG: '/x',
      SPILLWAY_BOT: 'token',
      SPILLWAY_PORT_8460_TCP: 'tcp://10.0.0.1:8460',
      SPILLWAY_SERVICE_HOST: '10.0.0.1',
    }
    const text = 'notices: { telegram: { botTokenEnv: SPILLWAY_BOT, chatIds: [1] } }'
    expect(warnings(text, { env, otherVariables: ['SPILLWAY_CONFIG'] })).toBe('')
  })
})

describe('a path', () => {
  it('begins at the folder of the file that names it', () => {
    const config = accepted('server: { tls: { certFile: c.pem, keyFile: /k.pem } }\nadmin: { tokenFile: ~/token }')
    expect(config.server.tls).toEqual({ certFile: join(folder, 'c.pem'), keyFile: '/k.pem' })
    expect(config.admin.tokenFile).toBe(join(homedir(), 'token'))
  })

  it('begins at the data directory in the environment, and for the socket and the database everywhere', () => {
    const config = accepted('admin: { socket: a.sock }\nstore: { url: sqlite:sub/x.db }', {
      env: { SPILLWAY_ADMIN_TOKEN_FILE: 'token' },
    })
    expect(config.admin).toMatchObject({ socket: '/data/a.sock', tokenFile: '/data/token' })
    expect(config.store.url).toBe('sqlite:/data/sub/x.db')
  })

  it('is left alone in memory', () => {
    expect(accepted('store: { url: "sqlite::memory:" }').store.url).toBe('sqlite::memory:')
  })
})

describe('what is hardly meant', () => {
  it.each([
    [
      'a bot without chats',
      'notices: { telegram: { botTokenEnv: T } }',
      'notices.telegram.chatIds: is empty: nobody is told',
    ],
    ['chats without a bot', 'notices: { telegram: { chatIds: [1] } }', 'chatIds: has no effect without a bot token'],
    [
      'a secret without a webhook',
      'notices: { webhook: { secretEnv: T } }',
      'webhook.url: is missing: nothing is sent',
    ],
  ])('is warned about: %s', (_, text, expected) => {
    const said = warnings(text)
    expect(said).toContain(`spillway.yaml:1: `)
    expect(said).toContain(expected)
  })
})
