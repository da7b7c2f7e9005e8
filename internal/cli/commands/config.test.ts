import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { portWith } from '../../../test/fakes/rig/port.ts'
import type { Ops } from '../../ops/ops.ts'
import { type Port, runCli } from '../cli.ts'

let folder: string
let file: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spillway-config-'))
  file = join(folder, 'spillway.yaml')
})
afterEach(() => rmSync(folder, { recursive: true }))

async function typed(
  words: string[],
  env: Record<string, string> = {},
  change: Partial<Port> = {},
): Promise<{ code: number; said: string }> {
  let said = ''
  const sink = new Writable({
    write(text, _encoding, done) {
      said += String(text)
      done()
    },
  })
  const port = portWith({ loading: () => ({ file, explicit: false, env, dataDir: folder }), ...change })
  const io = { stdin: Readable.from([]), stdout: sink, stderr: sink, env, cwd: folder, port }
  return { code: await runCli(['config', ...words], io), said }
}

test('shows every setting, and where it was written', async () => {
  writeFileSync(file, 'server:\n  drainMs: 5s\nnotices:\n  telegram:\n    botTokenFile: bot.token\n')
  const { said } = await typed(['show', '--json'], { SPILLWAY_LOG_LEVEL: 'debug' })
  const settings = new Map(JSON.parse(said).map((each: { key: string }) => [each.key, each]))
  expect(settings.get('server.drainMs')).toMatchObject({ value: '5s', origin: 'file', place: `${file}:2` })
  expect(settings.get('log.level')).toMatchObject({
    value: 'debug',
    origin: 'environment',
    place: 'SPILLWAY_LOG_LEVEL',
  })
  expect(settings.get('server.listen')).toMatchObject({ value: '127.0.0.1:8460', origin: 'default', place: null })
  expect(settings.get('notices.telegram.botTokenFile')).toMatchObject({ value: join(folder, 'bot.token') })
  expect((await typed(['show', '--origin'])).said).toMatch(/server\.drainMs +5s +\S+spillway\.yaml:2\n/)
  expect((await typed(['show'])).said).not.toContain('spillway.yaml:2')
})

test('lists every problem of a file, with exit 2', async () => {
  writeFileSync(join(folder, 'new.yaml'), 'server:\n  listn: 1\nlog:\n  level: loud\n')
  const { code, said } = await typed(['check', 'new.yaml'])
  expect(code).toBe(2)
  expect(said).toMatch(/new\.yaml:2: server\.listn: unknown key.*\n.*new\.yaml:4: log\.level: must be one of/)
})

test.each<[string, string | null, RegExp]>([
  ['a good file', 'log: { level: warn }\n', /spillway\.yaml is well\n$/],
  ['no file', null, /there is no .*spillway\.yaml: every setting is at its default\n$/],
])('finds nothing wrong with %s', async (_name, text, said) => {
  if (text !== null) writeFileSync(file, text)
  const found = await typed(['check'])
  expect(found.said).toMatch(said)
  expect(found.code).toBe(0)
})

test('a file that is named must be there', async () => {
  expect(await typed(['check', 'none.yaml'])).toMatchObject({
    code: 2,
    said: expect.stringContaining('does not exist'),
  })
})

test('prints the schema', async () => {
  expect(JSON.parse((await typed(['schema'])).said)).toMatchObject({ title: 'spillway.yaml' })
})

test('opens the files that settings name, and says what is wrong with each, with its line', async () => {
  writeFileSync(join(folder, 'empty'), '\n', { mode: 0o600 })
  writeFileSync(join(folder, 'pem'), 'no certificate\n', { mode: 0o600 })
  writeFileSync(
    file,
    `admin: { tokenFile: empty }
notices:
  telegram: { botTokenFile: gone, chatIds: [1] }
  webhook: { url: "https://example.com/", secretEnv: UNSET }
server:
  tls: { certFile: pem, keyFile: pem }
`,
  )
  const { code, said } = await typed(['check'])
  expect(code).toBe(2)
  const expected = [
    /spillway\.yaml:1: admin\.tokenFile: the first line of \S+empty is empty\n/,
    /spillway\.yaml:3: notices\.telegram\.botTokenFile: \S+gone does not exist\n/,
    /spillway\.yaml:4: notices\.webhook\.secretEnv: the environment variable UNSET is not set here\n/,
    /spillway\.yaml:6: server\.tls\.certFile: \S+pem does not hold a certificate \(PEM\)\n/,
    /spillway\.yaml:6: server\.tls\.keyFile: \S+pem does not hold a private key without a passphrase \(PEM\)\n/,
  ]
  for (const each of expected) expect(said).toMatch(each)
})

test('warns of a secret that others can read', async () => {
  writeFileSync(join(folder, 'token'), 'secret\n')
  chmodSync(join(folder, 'token'), 0o644)
  writeFileSync(file, 'admin: { listen: 127.0.0.1:0, tokenFile: token }\n')
  const { code, said } = await typed(['check'])
  expect(code).toBe(0)
  expect(said).toMatch(
    /warning: \S+spillway\.yaml:1: admin\.tokenFile: \S+token is open to other users \(mode 644\) \(chmod 600 \S+token\)/,
  )
})

test('marks what the running daemon takes with its next start', async () => {
  writeFileSync(file, 'server: { listen: 127.0.0.1:1, drainMs: 5s }\n')
  const ops = { configWaiting: async () => ({ settings: ['server.listen'] }) } as unknown as Ops
  const open = async () => ({ ops, close: async () => undefined })
  const { said } = await typed(['show'], {}, { open })
  expect(said).toMatch(/server\.listen +127\.0\.0\.1:1 \(with the next start\)\n/)
  expect(said).toMatch(/server\.drainMs +5s\n/)
  expect(said).toMatch(/spillway: the daemon that runs has other values until it is started again/)
  const shown = JSON.parse((await typed(['show', '--json'], {}, { open })).said)
  expect(shown.filter(({ waits }: { waits: boolean }) => waits)).toMatchObject([{ key: 'server.listen' }])
})
