import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Program, type Served } from '../fakes/rig/program.ts'
import { askAdmin } from '../fakes/rig/terminal.ts'
import { TelegramFake } from '../fakes/telegram/telegram.ts'
import { type Behaviour, type FakeUpstream, fakeUpstream } from '../fakes/upstream/upstream.ts'

/** Each is planted in one place; `+`, `/` and `=` look different once they are encoded. */
const canaries = {
  vault: 'sk-canary-vault-a+b/c=d-Zm9vYmFy',
  env: 'sk-canary-env-e+f/g=h-Zm9vYmFy',
  file: 'sk-canary-file-i+j/k=l-Zm9vYmFy',
  command: 'sk-canary-command-m+n/o=p-Zm9vYmFy',
  webhook: 'canary-webhook-q+r/s=t-Zm9vYmFy',
  admin: 'canary-admin-u+v/w=x-Zm9vYmFy',
  bot: '4200:canary-bot-token-yAzB_Zm9vYmFyZm9vYmFyZm9v',
  misplaced: 'sk-canary-misplaced-C+D/E=F',
}
const chat = 42

const program = new Program()
let telegram: TelegramFake
let upstream: FakeUpstream
let served: Served
let clientKey = ''
/** Everything that the program has said anywhere, by where. */
const said: Record<string, string> = {}

function hear(where: string, text: string | Buffer): void {
  said[where] = `${said[where] ?? ''}\n${text.toString('latin1')}`
}

/** A refusal that repeats the credential it was sent, in the body and in a header. */
const reflecting = (status: number, code: string, words = 'Incorrect API key provided'): Behaviour => ({
  play({ request, response }) {
    const message = `${words}: ${request.credential} (${encodeURIComponent(request.credential ?? '')})`
    response.writeHead(status, { 'content-type': 'application/json', 'x-your-key': request.credential ?? '' })
    response.end(JSON.stringify({ error: { message, code } }))
  },
})

async function run(args: readonly string[], input = ''): Promise<void> {
  const env = { CANARY_ENV: canaries.env }
  const { stdout, stderr } = await program.run(args, { input, env })
  hear(`spillway ${args.join(' ')}`, `${stdout}${stderr}`)
}

beforeAll(async () => {
  telegram = await TelegramFake.open({ token: canaries.bot, chats: [chat] })
  upstream = await fakeUpstream()
  const webhook = createServer((request, response) => {
    request.on('data', (bytes: Buffer) => hear('webhook', bytes)).on('end', () => response.end())
    hear('webhook', JSON.stringify(request.headers))
  })
  await new Promise<void>((resolve) => webhook.listen(0, '127.0.0.1', resolve))
  const secret = (name: keyof typeof canaries) => {
    const path = program.beside(name)
    writeFileSync(path, `${canaries[name]}\n`, { mode: 0o600 })
    return path
  }
  mkdirSync(program.data, { mode: 0o700 })
  writeFileSync(
    join(program.data, 'spillway.yaml'),
    `log: { level: debug, format: json }
pools: { maxWaitMs: 0s }
server: { exposeMember: true }
admin: { listen: 127.0.0.1:0, tokenFile: ${secret('admin')} }
notices:
  telegram: { botTokenFile: ${secret('bot')}, chatIds: [${chat}], apiRoot: ${telegram.apiRoot} }
  webhook: { url: http://127.0.0.1:${(webhook.address() as AddressInfo).port}/, secretFile: ${secret('webhook')} }
`,
  )
  served = await program.serve({ CANARY_ENV: canaries.env })
  for (const stream of [served.process.stdout, served.process.stderr]) {
    stream?.on('data', (bytes: Buffer) => hear('log', bytes))
  }
  clientKey = (await program.ops.keyCreate({ name: 'canary' })).key
  await run(['cred', 'add', 'vault', '--provider', 'openai', '--no-check'], `${canaries.vault}\n`)
  await run(['cred', 'add', 'env', '--provider', 'openai', '--no-check', '--from-env', 'CANARY_ENV'])
  await run(['cred', 'add', 'file', '--provider', 'openai', '--no-check', '--from-file', secret('file')])
  await run([
    'cred',
    'add',
    'command',
    '--provider',
    'openai',
    '--no-check',
    '--from-command',
    `cat ${secret('command')}`,
  ])
  const members = ['--members', 'vault,env,file,command', '--provider', 'openai']
  await run(['pool', 'create', 'openai', ...members, '--upstream', upstream.url])
  await live()
  await look()
  served.process.kill('SIGTERM')
  const { stdout, stderr } = await served.ended
  hear('log', stdout + stderr)
  for (const { texts } of telegram.messages) hear('telegram', texts.join('\n'))
  hear('telegram calls', JSON.stringify(telegram.calls.map(({ payload }) => payload)))
  await new Promise((resolve) => webhook.close(resolve))
}, 120_000)

afterAll(async () => {
  program.close()
  await upstream.close()
  await telegram.close()
})

/** Requests of every kind of ending: served, failed over, refused, exhausted, broken, mistaken. */
async function live(): Promise<void> {
  const ask = async (path = '/openai/v1/chat/completions', key = clientKey) => {
    const init = { method: 'POST', headers: { authorization: `Bearer ${key}` }, body: '{}' }
    const response = await fetch(`${served.origin}${path}`, init).catch((error: Error) => error)
    if (response instanceof Error) return hear('answers', String(response))
    hear('answers', JSON.stringify([...response.headers]) + (await response.text()))
  }
  for (const name of ['vault', 'env', 'file', 'command'] as const) {
    await ask()
    // What is wrong with the request goes on to the client; what is wrong with the credential does not.
    upstream.on(canaries[name]).once(reflecting(400, 'invalid_value', `Invalid value, said to the key of ${name}`))
    await ask()
    upstream.on(canaries[name]).always(reflecting(429, 'rate_limit_exceeded'))
    await ask()
  }
  await ask()
  await ask('/openai/v1/models?key=wrong', canaries.misplaced)
  await ask(`/${canaries.misplaced}/v1`, clientKey)
  for (const member of ['vault', 'env', 'file', 'command'] as const) {
    await program.ops.poolClear({ name: 'openai', member })
    upstream.on(canaries[member]).always(reflecting(401, 'invalid_api_key'))
  }
  for (let i = 0; i < 5; i++) await ask()
  await telegram.until(() => telegram.messages.length >= 3)
  telegram.say(chat, '/status')
  telegram.say(chat, '/audit 50')
  await telegram.until(() => telegram.messages.length >= 5)
  // A secret in the wrong place of the configuration.
  const file = join(program.data, 'spillway.yaml')
  const good = readFileSync(file, 'utf8')
  writeFileSync(
    file,
    `${good}admin2: ${canaries.misplaced}\n`.replace(/botTokenFile: \S+,/, `botTokenFile: ${canaries.bot},`),
  )
  hear('reload', JSON.stringify(await program.ops.reload({})))
  writeFileSync(file, good)
  await program.ops.reload({})
}

/** Everything that an operator can look at. */
async function look(): Promise<void> {
  const json = ['status', 'pool list', 'pool status openai', 'pool explain openai', 'cred list', 'key list', 'doctor']
  for (const words of json) await run([...words.split(' '), '--json'])
  for (const words of ['status', 'audit list -n 500', 'audit export', 'export', 'audit verify'])
    await run(words.split(' '))
  for (const name of ['vault', 'env', 'file', 'command']) {
    await run(['cred', 'show', name, '--json'])
    await run(['cred', 'test', name, '--json'])
    await run(['cred', 'add', name, '--provider', 'openai', '--no-check'], `${canaries.vault}\n`)
  }
  const socketPath = join(program.data, 'admin.sock')
  for (const path of ['/metrics', '/v1/status', '/v1/audit', '/v1/credentials']) {
    hear(`admin ${path}`, (await askAdmin({ socketPath, path })).text)
  }
}

/** The secret as it would look raw, percent-encoded, in JSON, and in base64 wherever it begins in its three-byte groups. */
function disguises(secret: string): string[] {
  const shifted = [0, 1, 2].flatMap((shift) => {
    const text = Buffer.from(`${'x'.repeat(shift)}${secret}`)
      .toString('base64')
      .replace(/=+$/, '')
    // Leave out the characters that depend on what stands before or behind.
    const own = text.slice(shift === 0 ? 0 : 4, -2)
    return [own, own.replaceAll('+', '-').replaceAll('/', '_')]
  })
  return [...new Set([secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1), ...shifted])]
}

/** Where a secret shows, of all that was said and of all files of the data directory. */
function sightings(secret: string): string[] {
  const files = readdirSync(program.data)
    .map((name) => join(program.data, name))
    .filter((path) => statSync(path).isFile() && !path.endsWith('spillway.yaml'))
    .map((path): [string, string] => [path, readFileSync(path).toString('latin1')])
  return [...Object.entries(said), ...files].flatMap(([where, text]) =>
    disguises(secret)
      .filter((disguise) => text.includes(disguise))
      .map((disguise) => `${where}: ${disguise}`),
  )
}

describe('A17: canary secrets', () => {
  it('were really used: each credential reached the upstream, and the bot and the webhook were told', () => {
    for (const name of ['vault', 'env', 'file', 'command'] as const) {
      expect(upstream.requests.some(({ credential }) => credential === canaries[name])).toBe(true)
      expect(said.answers).toContain(`Invalid value, said to the key of ${name}: *`)
    }
    expect(said.telegram).toContain('openai')
    expect(said.webhook).toContain('openai')
    expect(said.log).toContain('cred_cooled')
    expect(said['admin /metrics']).toContain('spillway_requests_total')
  })

  it('are recognised by this test in every disguise', () => {
    const secret = canaries.vault
    const heard = `${Buffer.from(`key: ${secret}!`).toString('base64')} ${encodeURIComponent(secret)}`
    expect(disguises(secret).filter((disguise) => heard.includes(disguise)).length).toBeGreaterThanOrEqual(2)
  })

  it.each(Object.keys(canaries) as (keyof typeof canaries)[])(
    'of %s show nowhere: not in logs, files, answers, metrics, notices or listings',
    (name) => {
      expect(sightings(canaries[name])).toEqual([])
    },
  )

  it('of a client show nowhere either', () => {
    expect(sightings(clientKey)).toEqual([])
  })
})
