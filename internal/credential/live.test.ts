import { randomBytes } from 'node:crypto'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { MemoryStore } from '../../test/fakes/rig/store.ts'
import { FakeClock } from '../clock/clock.ts'
import { type Health, pristine, unreadable } from '../pool/pool.ts'
import type { CredentialRecord, SecretRecord, Source } from '../store/store.ts'
import { Secret, Vault } from '../vault/vault.ts'
import { createCredentials, type LiveCredentials, type Material, NoMaterial } from './credential.ts'

const vault = new Vault(randomBytes(32))
let folder = ''
let clock: FakeClock
let told: string[]
let live: LiveCredentials
let health: Health

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spillway-live-'))
  clock = new FakeClock()
  told = []
  health = pristine
  live = createCredentials({
    clock,
    vault,
    store: new MemoryStore(),
    directory: folder,
    oauth: () => ({}),
    env: { KEY: 'sk-env', KEYS: 'sk-a, sk-b', EMPTY: '' },
    random: () => 0.5,
    warn: (message, name) => told.push(`${name}: ${message}`),
    verdicts: {
      engineView: () => ({ generation: 7, health }),
      needsLogin: async (record, generation, reason) =>
        void told.push(`${record.name} needs login ${generation} ${reason}`),
      replaced: async (record, how) => void told.push(`${record.name} replaced by ${how}`),
    },
  })
})
afterEach(async () => {
  await live.stop()
  rmSync(folder, { recursive: true })
})

function record(name: string, source: Source): CredentialRecord {
  return {
    id: `id-${name}`,
    name,
    provider: 'openai',
    baseUrl: null,
    domain: null,
    header: null,
    source,
    auth: 'api-key',
    createdAt: 0,
  }
}

function sealed(name: string, value: string): SecretRecord {
  const context = { owner: `id-${name}`, field: 'secret', generation: 1 }
  return { ...context, sealed: vault.seal(new Secret(value), context) }
}

function now(credential: CredentialRecord): Material {
  const material = live.material(credential)
  if (material instanceof Promise) throw new Error('the material was not in memory')
  return material
}

test('vault secrets answer at once, and one that cannot be opened harms no other', async () => {
  const [good, swapped, missing] = ['good', 'swapped', 'missing'].map((name) => record(name, { kind: 'vault' })) as [
    CredentialRecord,
    CredentialRecord,
    CredentialRecord,
  ]
  live.add([good, swapped, missing], [sealed('good', 'sk-1'), { ...sealed('good', 'sk-1'), owner: 'id-swapped' }])
  expect(now(good)).toEqual({
    injection: { secret: 'sk-1', kind: 'api-key', accountId: null, header: null },
    generation: 1,
  })
  expect(() => now(swapped)).toThrow(NoMaterial)
  expect(live.problems().map(({ credential, reason }) => ({ credential, reason }))).toEqual([
    { credential: 'swapped', reason: 'unreadable' },
    { credential: 'missing', reason: 'unreadable' },
  ])
  expect(told).toEqual([])
  await clock.advance(25)
  expect(told).toEqual(['swapped needs login 7 unreadable', 'missing needs login 7 unreadable'])
})

test('a replaced credential serves its new secret with a higher generation, and a removed one serves none', async () => {
  const one = record('one', { kind: 'vault' })
  live.add([one], [sealed('one', 'sk-1')])
  live.add([one], [sealed('one', 'sk-2')])
  expect(now(one)).toMatchObject({ injection: { secret: 'sk-2' }, generation: 2 })
  expect(await live.renew(one, 1)).toBe('renewed')
  expect(await live.renew(one, 2)).toBe('unavailable')
  live.remove(one.id)
  expect(() => now(one)).toThrow(NoMaterial)
})

test('10,000 vault credentials are in memory before any of them is opened', async () => {
  const names = Array.from({ length: 10_000 }, (_, i) => `n${i}`)
  const records = names.map((name) => record(name, { kind: 'vault' }))
  const secrets = names.map((name) => sealed(name, randomBytes(24).toString('base64url')))
  const opened = vi.spyOn(vault, 'open')
  live.add(records, secrets)
  expect(opened).not.toHaveBeenCalled()
  expect(now(records[9_999] as CredentialRecord).generation).toBe(1)
  expect(opened).toHaveBeenCalledOnce()
  while (opened.mock.calls.length < 10_000) await clock.advance(25)
  expect(live.problems()).toEqual([])
  expect(opened).toHaveBeenCalledTimes(10_000)
  opened.mockRestore()
})

const variables = [
  { name: 'a whole value', variable: 'KEY', secret: 'sk-env' },
  { name: 'one of several', variable: 'KEYS#2', secret: 'sk-b' },
  { name: 'one too far', variable: 'KEYS#3', secret: null },
  { name: 'one that is not set', variable: 'NONE', secret: null },
  { name: 'an empty one', variable: 'EMPTY', secret: null },
]
test.each(variables)('an environment variable is a source: $name', ({ variable, secret }) => {
  const one = record('one', { kind: 'env', variable })
  live.add([one], [])
  if (secret === null) expect(() => now(one)).toThrow(/environment variable/)
  else expect(now(one).injection.secret).toBe(secret)
})

test('a key file answers from memory after the first reading, warns when others can read it, and is read again when it changes', async () => {
  const path = join(folder, 'key')
  writeFileSync(path, '\n  sk-1  \n# more\n')
  chmodSync(path, 0o644)
  const one = record('one', { kind: 'file', path, format: 'key' })
  live.add([one], [])
  await live.ready()
  expect(now(one)).toMatchObject({ injection: { secret: 'sk-1' }, generation: 1 })
  expect(live.problems()[0]?.message).toContain('can be opened by others')
  writeFileSync(path, 'sk-2')
  chmodSync(path, 0o600)
  await poll(() => now(one).generation === 2)
  expect(now(one).injection.secret).toBe('sk-2')
  expect(told).toEqual(['one replaced by refresh'])
  expect(live.problems()).toEqual([])
})

test('a key file that vanishes goes on serving from memory; one that appears is taken and announced', async () => {
  const path = join(folder, 'key')
  const one = record('one', { kind: 'file', path, format: 'key' })
  live.add([one], [])
  await live.ready()
  expect(() => now(one)).toThrow('does not exist')
  expect(told).toEqual(['one needs login 7 unreadable'])
  health = unreadable(clock.now())
  writeFileSync(path, 'sk-1')
  await poll(() => live.problems().every((each) => !each.message.includes('exist')))
  expect(now(one).injection.secret).toBe('sk-1')
  expect(told).toEqual(['one needs login 7 unreadable', 'one replaced by login'])
  rmSync(path)
  await clock.advance(1_000)
  expect(await live.renew(one, 1)).toBe('unavailable')
  expect(now(one).injection.secret).toBe('sk-1')
  expect(live.problems()).toMatchObject([
    { message: `${path} does not exist; the key that was read last goes on serving`, broken: false },
  ])
})

const cooling: Health = { state: 'cooling', reason: 'quota', since: 0, until: 9e15, probeAt: 9e15, strikes: 1 }
const verdicts: { name: string; before: Health; told: string }[] = [
  { name: 'a healthy credential gets a new generation', before: pristine, told: 'one replaced by refresh' },
  {
    name: 'a cooling one is healthy again: the limit was of the old key',
    before: cooling,
    told: 'one replaced by login',
  },
  {
    name: 'a closed one lives again',
    before: { state: 'disabled', reason: 'auth-rejected', since: 0, by: 'upstream' },
    told: 'one replaced by login',
  },
  {
    name: 'one that an operator disabled stays so',
    before: { state: 'disabled', reason: 'operator', since: 0, by: 'operator' },
    told: '',
  },
]
test.each(verdicts)('a new key in a file: $name', async ({ before, told: expected }) => {
  const path = join(folder, 'key')
  writeFileSync(path, 'sk-1')
  const one = record('one', { kind: 'file', path, format: 'key' })
  live.add([one], [])
  await live.ready()
  health = before
  writeFileSync(path, 'sk-22')
  await poll(() => now(one).generation === 2)
  expect(told.join()).toBe(expected)
})

test('a key in a JSON file is found by its format', async () => {
  const path = join(folder, 'auth.json')
  writeFileSync(path, '{"OPENAI_API_KEY":"sk-codex","deep":{"key":"sk-deep"}}')
  const codex = record('codex', { kind: 'file', path, format: 'codex' })
  const mapped = record('mapped', { kind: 'file', path, format: 'json:api_key=deep.key' })
  const wrong = record('wrong', { kind: 'file', path, format: 'json:api_key=deep.none' })
  live.add([codex, mapped, wrong], [])
  await live.ready()
  expect(now(codex).injection.secret).toBe('sk-codex')
  expect(now(mapped).injection.secret).toBe('sk-deep')
  expect(() => now(wrong)).toThrow('holds no API key')
  expect(live.problemOf(wrong)?.reason).toBe('unreadable')
})

test('an auth failure re-reads the file before anything else', async () => {
  const path = join(folder, 'key')
  writeFileSync(path, 'sk-1')
  const one = record('one', { kind: 'file', path, format: 'key' })
  live.add([one], [])
  await live.ready()
  writeFileSync(path, 'sk-22')
  expect(await live.renew(one, 1)).toBe('renewed')
  expect(now(one).injection.secret).toBe('sk-22')
})

test('a command runs once for many askers, is cached until its end, and runs again ahead of it', async () => {
  const end = clock.now() + 3_600_000
  const script = `echo x >>${folder}/runs; printf '{"token":"t%s","expires_at":%s}' $(wc -l <${folder}/runs) ${end}`
  const one = record('one', { kind: 'command', command: `sh -c '${script.replaceAll("'", `'"'"'`)}'` })
  live.add([one], [])
  const [first, second] = await Promise.all([live.material(one), live.material(one)])
  expect(first).toEqual(second)
  expect(now(one)).toMatchObject({ injection: { secret: 't1', kind: 'bearer-token' }, generation: 1 })
  expect(await live.renew(one, 1)).toBe('unavailable')
  await clock.advance(3_600_000 - 59_000)
  expect(now(one).injection.secret).toBe('t1')
  await vi.waitFor(() => expect(now(one)).toMatchObject({ injection: { secret: 't2' }, generation: 2 }), 5_000)
})

test('a command that fails is not run again before its pause is over', async () => {
  const one = record('one', { kind: 'command', command: `sh -c "echo x >>${folder}/runs; exit 1"` })
  live.add([one], [])
  await expect(live.material(one)).rejects.toMatchObject({ reason: 'unreadable', retryAt: clock.now() + 2_000 })
  expect(() => now(one)).toThrow('sh ended with exit code 1')
  await clock.advance(2_000)
  await expect(live.material(one)).rejects.toMatchObject({ retryAt: clock.now() + 4_000 })
})

/** Moves the fake time while a real worker does its work. */
async function poll(done: () => boolean): Promise<void> {
  await vi.waitFor(
    async () => {
      await clock.advance(500)
      expect(done()).toBe(true)
    },
    { timeout: 5_000, interval: 20 },
  )
}
