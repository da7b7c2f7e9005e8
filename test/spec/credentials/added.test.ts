import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AuthServer } from '../../fakes/auth/auth-server.ts'
import { writeCodexLogin } from '../../fakes/auth/logins.ts'
import { type Installation, installation } from '../../fakes/rig/installation.ts'
import { type } from '../../fakes/rig/terminal.ts'
import { answer } from '../../fakes/upstream/upstream.ts'

const key = 'sk-test-0123456789-abcdefghij-wxyz'

let spillway: Installation

beforeEach(async () => {
  spillway = await installation()
})
afterEach(() => spillway.close())

const add = (name: string, more: readonly string[] = [], input = `${key}\n`) =>
  type(spillway, ['cred', 'add', name, '--provider', 'openai', ...more], input)
const here = () => ['--base-url', spillway.upstream.url]

describe('a key that is added', () => {
  it('is checked with one free request, and shows whose it is', async () => {
    const ran = await add('work', here())
    expect(ran.code).toBe(0)
    expect(ran.stdout).toMatch(/^added work \(openai\): key …wxyz, fingerprint [0-9a-f]{8}\n$/)
    expect(ran.stderr).toMatch(/its upstream accepts it \(GET http:.*\/v1\/models\)/)
    expect(spillway.upstream.requests.map(({ method, target }) => `${method} ${target}`)).toEqual(['GET /v1/models'])
    const listed = await type(spillway, ['cred', 'list'])
    expect(listed.stdout).toMatch(/work +healthy +- +openai +…wxyz [0-9a-f]{8} +vault/)
    expect(`${ran.stdout}${ran.stderr}${listed.stdout}`).not.toContain(key)
  })

  it('is kept although its upstream rejects it, and what to do is said', async () => {
    spillway.upstream.on('*').always(answer(401, {}, { error: { code: 'invalid_api_key' } }))
    const ran = await add('work', here())
    expect(ran.code).toBe(0)
    expect(ran.stderr).toMatch(
      /warning: its upstream rejects it \(401, auth-rejected\)\. It is kept: spillway cred replace work/,
    )
    expect(await spillway.ops.credList({})).toHaveLength(1)
  })

  it('is kept although nobody answers, and who did not is said', async () => {
    const ran = await add('work', ['--base-url', 'http://127.0.0.1:9'])
    expect(ran.code).toBe(0)
    expect(ran.stderr).toMatch(
      /warning: nobody answered GET http:\/\/127\.0\.0\.1:9\/v1\/models: .*; spillway cred test work/,
    )
  })

  it('is not asked about with --no-check', async () => {
    const ran = await add('work', [...here(), '--no-check'])
    expect(ran).toMatchObject({ code: 0, stderr: '' })
    expect(spillway.upstream.requests).toEqual([])
  })

  it('is shown as JSON with what was found', async () => {
    const ran = await add('work', [...here(), '--json'])
    expect(JSON.parse(ran.stdout)).toMatchObject({
      name: 'work',
      identity: { ending: 'wxyz', account: null },
      check: { finding: 'cleared', status: 200 },
    })
  })
})

describe('a secret in the wrong place', () => {
  const traces = async () =>
    JSON.stringify([await spillway.audit(), await spillway.ops.status({}), await spillway.ops.credList({})])

  it.each([
    ['the name of a credential', ['cred', 'add', key, '--provider', 'openai']],
    ['the name of a key', ['key', 'create', key]],
    ['the name of a pool', ['pool', 'create', key, '--provider', 'openai', '--members', 'x']],
  ])('as %s is refused, repeated nowhere, and its owner told where it is now', async (_name, words) => {
    const ran = await type(spillway, words, 'sk-other\n')
    expect(ran).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/looks like a secret[\s\S]*history/),
    })
    expect(`${ran.stderr}${await traces()}`).not.toContain(key)
  })

  it('as an argument is refused in its own sentence', async () => {
    const ran = await add('work', [key])
    expect(ran.code).toBe(2)
    expect(ran.stderr).toMatch(/not taken from the command line[\s\S]*history of your shell/)
    expect(`${ran.stderr}${await traces()}`).not.toContain(key)
  })
})

describe('cred replace', () => {
  it('revives a key that its upstream had rejected', async () => {
    await spillway.pool('openai', ['work'])
    spillway.upstream.on('sk-work').always(answer(401, {}, { error: { code: 'invalid_api_key' } }))
    await spillway.ask()
    await expect
      .poll(async () => (await spillway.ops.credShow({ name: 'work' })).command)
      .toBe('spillway cred replace work')
    const ran = await type(spillway, ['cred', 'replace', 'work'], `${key}\n`)
    expect(ran).toMatchObject({ code: 0, stdout: expect.stringMatching(/^work has a new secret: key …wxyz/) })
    expect((await spillway.ask()).status).toBe(200)
    expect(spillway.upstream.served.at(-1)).toBe(key)
  })
})

describe('a shared login', () => {
  let auth: AuthServer

  beforeEach(async () => {
    auth = await AuthServer.start()
  })
  afterEach(() => auth.stop())

  it('says whose it is, and is noticed when it becomes that of another account', async () => {
    const file = join(spillway.data, 'auth.json')
    writeCodexLogin(file, auth.login('person'), 'acc-1', 'me@example.com')
    const ran = await type(spillway, ['cred', 'import', 'codex', '--path', file])
    expect(ran.stdout).toBe(`imported codex (codex): shares ${file}, the login of me@example.com (plus)\n`)
    expect((await spillway.ops.credShow({ name: 'codex' })).identity).toEqual({
      account: 'me@example.com',
      accountId: 'acc-1',
      plan: 'plus',
      fingerprint: null,
      ending: null,
    })
    writeCodexLogin(file, auth.login('other'), 'acc-2', 'other@example.com')
    await expect
      .poll(async () => {
        await spillway.advance(3_000)
        return spillway.audit('cred_account_changed')
      })
      .toMatchObject([{ from: 'codex', detail: { before: 'me@example.com', after: 'other@example.com' } }])
  })

  it('is given no secret: what is piped is refused at once, with the command for a login', async () => {
    const file = join(spillway.data, 'auth.json')
    writeCodexLogin(file, auth.login('person'), 'acc-1', 'me@example.com')
    await type(spillway, ['cred', 'import', 'codex', '--path', file])
    expect(await type(spillway, ['cred', 'replace', 'codex'], 'sk-proj-0123456789abcdef\n')).toEqual({
      code: 2,
      stdout: '',
      stderr:
        'spillway: error: codex is a login: there is no secret to give it\nspillway: hint: spillway cred login codex\n',
    })
  })
})
