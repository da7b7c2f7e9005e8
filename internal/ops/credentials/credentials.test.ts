import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { addCredentials, type Bench, startBench } from '../../../test/fakes/rig/operations.ts'
import type { Ops } from '../ops.ts'

const key = 'sk-test-0123456789-abcdefghij-wxyz'

let bench: Bench
let ops: Ops

beforeEach(async () => {
  bench = await startBench({ env: { GIVEN: 'sk-from-the-environment' } })
  ops = bench.ops
})
afterEach(() => bench.stop())

const vault = (secret: string) => ({ kind: 'vault' as const, secret })

async function materialOf(name: string): Promise<string> {
  const { record } = bench.engine.credentials().find((each) => each.record.name === name)!
  return (await bench.credentials.material(record)).injection.secret
}

describe('whose a key is', () => {
  test('is told by a fingerprint that only the same key has, and by its last four characters', async () => {
    const one = await ops.credAdd({ name: 'one', provider: 'openai', source: vault(key) })
    const same = await ops.credAdd({ name: 'same', provider: 'openai', source: vault(key) })
    const other = await ops.credAdd({ name: 'other', provider: 'openai', source: vault(`${key}2`) })
    expect(one.identity).toMatchObject({
      account: null,
      ending: 'wxyz',
      fingerprint: expect.stringMatching(/^[0-9a-f]{8}$/),
    })
    expect(same.identity).toEqual(one.identity)
    expect(other.identity.fingerprint).not.toBe(one.identity.fingerprint)
  })

  test('is not told by the end of a short key', async () => {
    const made = await ops.credAdd({ name: 'one', provider: 'openai', source: vault('sk-short') })
    expect(made.identity).toMatchObject({ ending: null, fingerprint: expect.any(String) })
  })

  test('is not asked of a command by a listing', async () => {
    const source = { kind: 'command' as const, command: 'false' }
    await ops.credAdd({ name: 'one', provider: 'openai', source })
    expect((await ops.credList({}))[0]).toMatchObject({ identity: { fingerprint: null } })
  })
})

describe('a new credential is remarked on', () => {
  test.each([
    ['a key of another provider', { source: vault('sk-ant-api03-abc') }, /looks like a key of anthropic/],
    [
      'a foreign key for a gateway',
      { source: vault('sk-ant-api03-abc'), baseUrl: 'https://gateway.example' },
      /looks like a key of anthropic, and it is for openai; that is right only if https:\/\/gateway\.example takes it/,
    ],
    ['a command that fails', { source: { kind: 'command' as const, command: 'false' } }, /exit|status|ended/],
    ['a variable that is not set', { source: { kind: 'env' as const, variable: 'NOPE' } }, /NOPE is not set/],
    ['plain http to a public name', { source: vault(key), baseUrl: 'http://example.com' }, /plain http/],
  ])('%s', async (_name, given, warning) => {
    const made = await ops.credAdd({ name: 'one', provider: 'openai', ...given })
    expect(made.warnings).toEqual([expect.stringMatching(warning)])
  })

  test.each([
    ['its own key', { source: vault(key) }],
    ['plain http to this machine', { source: vault(key), baseUrl: 'http://127.0.0.1:4000' }],
  ])('but not %s', async (_name, given) => {
    expect((await ops.credAdd({ name: 'one', provider: 'openai', ...given })).warnings).toEqual([])
  })
})

describe('before a secret is typed', () => {
  test.each([
    ['an unknown provider', { name: 'x', provider: 'opnai' }, 'invalid'],
    ['a base URL that is none', { name: 'x', provider: 'openai', baseUrl: 'api' }, 'invalid'],
    ['a name that looks like a secret', { name: key, provider: 'openai' }, 'invalid'],
    ['a name that is taken', { name: 'work', provider: 'openai' }, 'conflict'],
  ])('%s is refused', async (_name, given, code) => {
    await addCredentials(ops, ['work'])
    await expect(ops.credVet(given)).rejects.toMatchObject({ code, message: expect.not.stringContaining(key) })
  })

  test('nothing is added', async () => {
    await ops.credVet({ name: 'work', provider: 'openai' })
    expect(await ops.credList({})).toEqual([])
  })
})

describe('a key is replaced', () => {
  beforeEach(() => addCredentials(ops, ['work']))

  test('by another one, and serves again whatever kept it out', async () => {
    await ops.credDisable({ name: 'work' })
    await ops.credReplace({ name: 'work', secret: key })
    expect(await materialOf('work')).toBe(key)
    expect(await ops.credShow({ name: 'work' })).toMatchObject({ health: { state: 'healthy' }, generation: 2 })
  })

  test.each([
    ['a variable', { kind: 'env' as const, variable: 'GIVEN' }, 'sk-from-the-environment'],
    ['a command', { kind: 'command' as const, command: 'printf %s sk-from-a-command' }, 'sk-from-a-command'],
  ])('by %s, and the sealed one is gone', async (_name, source, secret) => {
    await ops.credReplace({ name: 'work', source })
    expect(await materialOf('work')).toBe(secret)
    expect(await ops.credShow({ name: 'work' })).toMatchObject({ source })
    const { secrets, credentials } = await bench.store.load()
    expect(credentials[0]).toMatchObject({ source })
    expect(secrets.filter(({ field }) => field === 'secret')).toEqual([])
  })

  test('by a key that is kept, where a file was before', async () => {
    const path = join(bench.data, 'key')
    writeFileSync(path, 'sk-in-the-file', { mode: 0o600 })
    await ops.credReplace({ name: 'work', source: { kind: 'file', path } })
    expect(await materialOf('work')).toBe('sk-in-the-file')
    await ops.credReplace({ name: 'work', secret: key })
    expect(await ops.credShow({ name: 'work' })).toMatchObject({ source: { kind: 'vault' } })
    expect(await materialOf('work')).toBe(key)
  })

  test('not by both or neither, nor by a login', async () => {
    await expect(ops.credReplace({ name: 'work' })).rejects.toMatchObject({ code: 'invalid' })
    const source = { kind: 'file' as const, path: '/nowhere', format: 'codex' }
    await expect(ops.credReplace({ name: 'work', source })).rejects.toMatchObject({ code: 'conflict' })
  })
})

test('the settings of a pool are shown with who decides, and an empty value gives each back', async () => {
  await addCredentials(ops, ['work'])
  await ops.poolCreate({ name: 'p', provider: 'openai', members: ['work'], preemptAt: '90', strategy: 'ordered' })
  const before = await ops.poolSettings({ name: 'p' })
  expect(before).toContainEqual({ setting: 'preemptAt', value: 90, origin: 'pool' })
  expect(before).toContainEqual({ setting: 'maxWaitMs', value: 10_000, origin: 'configuration' })
  expect(before).toContainEqual({ setting: 'upstream', value: 'https://api.openai.com', origin: 'provider' })
  const names = before.map(({ setting }) => setting)
  await ops.poolSet({ name: 'p', set: Object.fromEntries(names.map((name) => [name, ''])) })
  const after = await ops.poolSettings({ name: 'p' })
  expect(after).toContainEqual({ setting: 'preemptAt', value: null, origin: 'configuration' })
  expect(after).toContainEqual({ setting: 'strategy', value: 'sticky', origin: 'pool' })
})

test('a second pool of a name is told how its members come into the first one', async () => {
  await addCredentials(ops, ['openai-1', 'work', 'home'])
  await ops.poolCreate({ name: 'openai', provider: 'openai', members: ['openai-1'] })
  const second = ops.poolCreate({ name: 'openai', provider: 'openai', members: ['work', 'home'] })
  const hint = 'spillway pool add openai work && spillway pool add openai home'
  await expect(second).rejects.toMatchObject({ code: 'conflict', hint })
})
