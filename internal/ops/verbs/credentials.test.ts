import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { addCredentials, type Bench, startBench } from '../../../test/fakes/rig/operations.ts'
import type { Ops } from '../ops.ts'

const secret = 'sk-test-canary-1234567890'
let bench: Bench
let ops: Ops

beforeEach(async () => {
  bench = await startBench({ env: { GIVEN: 'sk-from-env' } })
  ops = bench.ops
})
afterEach(() => bench.stop())

const vault = { kind: 'vault' as const, secret }

describe('a credential that is added', () => {
  test('is shown without its secret, and the store holds it sealed only', async () => {
    const made = await ops.credAdd({ name: 'work', provider: 'openai', source: vault, domain: 'org-1' })
    expect(made).toMatchObject({
      name: 'work',
      provider: 'openai',
      baseUrl: null,
      domain: 'org-1',
      header: null,
      auth: 'api-key',
      source: { kind: 'vault' },
      createdAt: '2026-01-05T14:00:00.000Z',
      generation: 1,
      health: { state: 'healthy' },
      pools: [],
      problem: null,
    })
    expect({ ...(await ops.credShow({ name: 'work' })), warnings: [] }).toEqual(made)
    expect(JSON.stringify([made, bench.store.batches])).not.toContain(secret)
  })

  test('serves with the secret that was given, without the blanks around it', async () => {
    await ops.credAdd({ name: 'work', provider: 'openai', source: { kind: 'vault', secret: ` ${secret}\n` } })
    const [record] = (await bench.store.load()).credentials
    expect(await bench.credentials.material(record!)).toMatchObject({ injection: { secret, kind: 'api-key' } })
  })

  test('keeps its own base URL, which wins over the pool', async () => {
    await ops.credAdd({ name: 'work', provider: 'openai', source: vault, baseUrl: 'http://127.0.0.1:4000/' })
    await ops.poolCreate({ name: 'p', provider: 'openai', members: ['work'], upstream: 'https://proxy.example' })
    expect((await ops.poolStatus({ name: 'p' })).members[0]).toMatchObject({ host: '127.0.0.1:4000' })
  })

  test('refers to its variable, file or command and reads it from there', async () => {
    const path = join(bench.data, 'key')
    writeFileSync(path, `${secret}\n`, { mode: 0o600 })
    const sources = [
      { kind: 'env' as const, variable: 'GIVEN' },
      { kind: 'file' as const, path },
      { kind: 'command' as const, command: 'printf %s sk-from-command' },
    ]
    for (const source of sources) {
      const made = await ops.credAdd({ name: source.kind, provider: 'openai', source })
      expect(made).toMatchObject({ source, problem: null })
    }
    const records = (await bench.store.load()).credentials
    const secrets = await Promise.all(records.map((record) => bench.credentials.material(record)))
    expect(secrets.map(({ injection }) => injection.secret)).toEqual(['sk-from-env', secret, 'sk-from-command'])
    expect((await bench.store.load()).secrets).toEqual([])
  })

  test('works although the store is ill, and the caller is told that it is not durable', async () => {
    bench.store.trouble = new Error('disk full')
    const adding = expect(ops.credAdd({ name: 'work', provider: 'openai', source: vault })).rejects.toMatchObject({
      code: 'failed',
    })
    await bench.clock.advance(10_000)
    await adding
    const [view] = bench.engine.credentials()
    expect(await bench.credentials.material(view!.record)).toMatchObject({ injection: { secret } })
    bench.store.trouble = null
  })

  test.each<[string, Parameters<Ops['credAdd']>[0]['source'], RegExp]>([
    ['a variable that is not set', { kind: 'env', variable: 'MISSING' }, /MISSING is not set/],
    ['a file that is not there', { kind: 'file', path: '/nowhere/key' }, /\/nowhere\/key does not exist/],
  ])('says what is wrong with %s', async (_name, source, problem) => {
    expect((await ops.credAdd({ name: 'x', provider: 'openai', source })).problem).toMatch(problem)
  })
})

describe('a credential is refused', () => {
  const good = { name: 'work', provider: 'openai', source: vault }
  type Args = Parameters<Ops['credAdd']>[0]

  test.each<[string, Args, string]>([
    ['without a name', { ...good, name: '' }, '"" cannot be the name of a credential'],
    ['with a comma in its name', { ...good, name: 'a,b' }, '"a,b" cannot be the name of a credential'],
    ['with an empty secret', { ...good, source: { kind: 'vault', secret: ' ' } }, 'the secret is empty'],
    [
      'with a secret of two lines',
      { ...good, source: { kind: 'vault', secret: 'a\nb' } },
      'the secret contains blanks, line ends or characters that no header can carry',
    ],
    [
      'with a file that is not absolute',
      { ...good, source: { kind: 'file', path: 'key' } },
      'source.path: expected an absolute path',
    ],
    [
      'with a variable that is a value',
      { ...good, source: { kind: 'env', variable: 'sk-x' } },
      'source.variable: expected the name of an environment variable',
    ],
    [
      'with a header where the provider has its own',
      { ...good, header: 'x-key' },
      'openai has its own header for the secret',
    ],
    [
      'with a header that frames the message',
      { ...good, provider: 'generic', header: 'Content-Length' },
      'Content-Length cannot carry a secret',
    ],
    [
      'with a header that is none',
      { ...good, provider: 'generic', header: 'a b' },
      '"a b" is not the name of a header',
    ],
    ['with a blank in its domain', { ...good, domain: 'my org' }, '"my org" cannot be the name of a domain'],
    ['with an ftp upstream', { ...good, baseUrl: 'ftp://x' }, 'a base URL begins with https:// or http://, not ftp://'],
    [
      'with a password in its URL',
      { ...good, baseUrl: 'https://u:p@x' },
      'a base URL carries no user name or password',
    ],
  ])('%s', async (_name, args, message) => {
    await expect(ops.credAdd(args)).rejects.toMatchObject({ code: 'invalid', message })
    expect(await ops.credList({})).toEqual([])
  })

  test('when the name is taken', async () => {
    await ops.credAdd(good)
    await expect(ops.credAdd(good)).rejects.toMatchObject({ code: 'conflict' })
  })

  test('without ever repeating the secret in what it says', async () => {
    const call = ops.credAdd({ ...good, source: { kind: 'vault', secret: `${secret} x` } })
    await expect(call).rejects.not.toThrow(secret)
    const unknown = { ...good, secret } as Args
    await expect(ops.credAdd(unknown)).rejects.toMatchObject({ message: 'unknown field secret' })
  })
})

describe('a credential that lives', () => {
  beforeEach(async () => {
    await addCredentials(ops, ['a', 'b'])
    await ops.poolCreate({ name: 'openai', provider: 'openai', members: ['a', 'b'] })
  })

  test('is switched off and on, and says when it was so already', async () => {
    expect(await ops.credDisable({ name: 'a' })).toEqual({ name: 'a', changed: true })
    expect(await ops.credDisable({ name: 'a' })).toEqual({ name: 'a', changed: false })
    expect(await ops.credShow({ name: 'a' })).toMatchObject({ health: { state: 'disabled', by: 'operator' } })
    expect(bench.attempt('openai')).toBe('b')
    expect(await ops.credEnable({ name: 'a' })).toEqual({ name: 'a', changed: true })
    expect(await ops.credEnable({ name: 'a' })).toEqual({ name: 'a', changed: false })
  })

  test('stays while it is in a pool, unless it is forced out', async () => {
    await expect(ops.credRemove({ name: 'a' })).rejects.toMatchObject({ code: 'conflict' })
    await ops.credRemove({ name: 'a', force: true })
    expect((await ops.poolStatus({ name: 'openai' })).members.map(({ name }) => name)).toEqual(['b'])
    const { secrets } = await bench.store.load()
    expect(secrets).toHaveLength(1)
  })

  test('is asked about by its near name', async () => {
    await expect(ops.credShow({ name: 'A1' })).rejects.toMatchObject({ code: 'not-found', hint: 'there are a and b' })
  })

  test.each(['cleared', 'confirmed', 'inconclusive'] as const)(
    'tells what the upstream thinks of it: %s',
    async (finding) => {
      bench.finding = finding
      expect(await ops.credTest({ name: 'a' })).toEqual({
        name: 'a',
        pool: 'openai',
        finding,
        reason: 'auth-rejected',
        status: 401,
        asked: 'GET https://api.openai.com/v1/models',
        problem: null,
      })
    },
  )

  test('cannot be tested where nobody names an upstream', async () => {
    await addCredentials(ops, ['g'], 'generic')
    await expect(ops.credTest({ name: 'g' })).rejects.toMatchObject({ code: 'conflict' })
  })
})

test('a file that others can read is used, with a warning', async () => {
  mkdirSync(join(bench.data, 'keys'))
  const path = join(bench.data, 'keys', 'open')
  writeFileSync(path, secret, { mode: 0o644 })
  const made = await ops.credAdd({ name: 'open', provider: 'openai', source: { kind: 'file', path } })
  expect(made.problem).toMatch(/by others/)
})
