import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { addCredentials, type Bench, startBench } from '../../../test/fakes/rig/operations.ts'
import type { Ops } from '../ops.ts'

let bench: Bench
let ops: Ops

beforeEach(async () => {
  bench = await startBench()
  ops = bench.ops
  await addCredentials(ops, ['a'])
  await ops.poolCreate({ name: 'openai', provider: 'openai', members: ['a'] })
})
afterEach(() => bench.stop())

describe('a client key', () => {
  test('is shown once, opens its pools at once, and is stored as a digest', async () => {
    const made = await ops.keyCreate({ name: 'ci', pools: ['openai'] })
    expect(made).toEqual({
      name: 'ci',
      key: expect.stringMatching(/^sk-spillway-/),
      id: expect.any(String),
      pools: ['openai'],
      kept: false,
    })
    expect(bench.keys.check('openai', made.key)).toMatchObject({ ok: true })
    expect(bench.keys.check('gemini', made.key)).toMatchObject({ ok: false, why: 'not-allowed' })
    expect(JSON.stringify([bench.store.batches, bench.store.rows, await ops.keyList({})])).not.toContain(made.key)
    expect(await ops.auditList({ kind: 'key_created' })).toMatchObject([
      { from: 'ci', actor: 'operator:test', detail: { pools: ['openai'] } },
    ])
  })

  test('is not given out when the store did not take it', async () => {
    bench.store.trouble = new Error('disk full')
    const call = expect(ops.keyCreate({ name: 'ci' })).rejects.toMatchObject({ code: 'failed' })
    await bench.clock.advance(10_000)
    await call
    expect(await ops.keyList({})).toEqual([])
    bench.store.trouble = null
  })

  test('is worthless from the moment it is revoked, and its name is free again', async () => {
    const { key } = await ops.keyCreate({ name: 'ci' })
    expect(await ops.keyRevoke({ name: 'ci' })).toEqual({ name: 'ci', changed: true })
    expect(bench.keys.check('openai', key)).toMatchObject({ ok: false, why: 'unknown' })
    expect(await ops.keyRevoke({ name: 'ci' })).toEqual({ name: 'ci', changed: false })
    await ops.keyCreate({ name: 'ci' })
    expect((await ops.keyList({})).map(({ name, revokedAt }) => [name, revokedAt !== null])).toEqual([
      ['ci', true],
      ['ci', false],
    ])
    const after = await startBench({ store: bench.store })
    expect(after.keys.check('openai', key)).toMatchObject({ ok: false })
    await after.stop()
  })

  test('is rotated: a new one opens the same pools, and the old one nothing', async () => {
    const old = await ops.keyCreate({ name: 'ci', pools: ['openai'], keep: true })
    const made = await ops.keyRotate({ name: 'ci' })
    expect(made).toMatchObject({ name: 'ci', pools: ['openai'], kept: true, revoked: 1 })
    expect(bench.keys.check('openai', old.key)).toMatchObject({ ok: false, why: 'unknown' })
    expect(bench.keys.check('openai', made.key)).toMatchObject({ ok: true })
    expect(bench.keys.check('gemini', made.key)).toMatchObject({ ok: false, why: 'not-allowed' })
    expect(await ops.keyShow({ name: 'ci' })).toMatchObject({ key: made.key })
    expect((await ops.auditList({})).map(({ kind }) => kind).slice(-2)).toEqual(['key_created', 'key_revoked'])
  })

  test('is kept after a rotation if it was kept before, if it is local, or if that is asked', async () => {
    await ops.keyCreate({ name: 'ci' })
    expect(await ops.keyRotate({ name: 'ci' })).toMatchObject({ kept: false, revoked: 1 })
    await expect(ops.keyShow({ name: 'ci' })).rejects.toMatchObject({
      code: 'conflict',
      hint: 'spillway key rotate ci --keep puts one in its place that is',
    })
    expect(await ops.keyRotate({ name: 'ci', keep: true })).toMatchObject({ kept: true })
    expect(await ops.keyRotate({ name: 'ci' })).toMatchObject({ kept: true })
  })

  test('that is revoked comes back with a rotation', async () => {
    await ops.keyCreate({ name: 'local', keep: true })
    await ops.keyRevoke({ name: 'local' })
    const made = await ops.keyRotate({ name: 'local' })
    expect(made).toMatchObject({ kept: true, revoked: 0 })
    expect(await ops.env({ name: 'openai' })).toMatchObject({ keyKnown: true, variables: [{}, { value: made.key }] })
  })

  test('stays when the store does not take the new one', async () => {
    const { key } = await ops.keyCreate({ name: 'ci' })
    bench.store.trouble = new Error('disk full')
    const call = expect(ops.keyRotate({ name: 'ci' })).rejects.toMatchObject({ code: 'failed' })
    await bench.clock.advance(10_000)
    await call
    expect(bench.keys.check('openai', key)).toMatchObject({ ok: true })
    bench.store.trouble = null
  })

  test.each<[string, () => Promise<unknown>, object]>([
    ['for a name that is taken', () => ops.keyCreate({ name: 'ci' }), { code: 'conflict' }],
    [
      'for a pool that is misspelt',
      () => ops.keyCreate({ name: 'x', pools: ['opnai'] }),
      { code: 'not-found', message: 'no pool named opnai; did you mean openai?' },
    ],
    ['for a name that is none', () => ops.keyCreate({ name: 'a b' }), { code: 'invalid' }],
    [
      'to be rotated when there is none',
      () => ops.keyRotate({ name: 'zz' }),
      { code: 'not-found', hint: 'there is ci' },
    ],
    ['for a name that does not exist', () => ops.keyRevoke({ name: 'zz' }), { code: 'not-found', hint: 'there is ci' }],
  ])('is refused %s', async (_name, act, refusal) => {
    await ops.keyCreate({ name: 'ci' })
    await expect(act()).rejects.toMatchObject(refusal)
  })
})

describe('env', () => {
  test.each<[string, Record<string, string>, string[]]>([
    [
      'openai',
      { OPENAI_BASE_URL: 'http://127.0.0.1:8460/p/v1', OPENAI_API_KEY: 'KEY' },
      ['base_url = "http://127.0.0.1:8460/p/v1"', 'env_key = "OPENAI_API_KEY"'],
    ],
    ['openrouter', { OPENAI_BASE_URL: 'http://127.0.0.1:8460/p/v1', OPENAI_API_KEY: 'KEY' }, []],
    ['anthropic', { ANTHROPIC_BASE_URL: 'http://127.0.0.1:8460/p', ANTHROPIC_AUTH_TOKEN: 'KEY' }, []],
    ['gemini', { GOOGLE_GEMINI_BASE_URL: 'http://127.0.0.1:8460/p', GEMINI_API_KEY: 'KEY' }, []],
    [
      'codex',
      { SPILLWAY_KEY: 'KEY' },
      ['base_url = "http://127.0.0.1:8460/p"', 'env_key = "SPILLWAY_KEY"', 'wire_api = "responses"'],
    ],
    ['azure', { AZURE_OPENAI_ENDPOINT: 'http://127.0.0.1:8460/p', AZURE_OPENAI_API_KEY: 'KEY' }, []],
    ['generic', { SPILLWAY_BASE_URL: 'http://127.0.0.1:8460/p', SPILLWAY_KEY: 'KEY' }, []],
  ])('says what the clients of %s read, with the key that was kept', async (provider, variables, lines) => {
    const { key } = await ops.keyCreate({ name: 'local', keep: true })
    await ops.credAdd({ name: 'x', provider, source: { kind: 'vault', secret: 'sk-x' }, baseUrl: 'http://127.0.0.1:9' })
    await ops.poolCreate({ name: 'p', provider, members: ['x'] })
    const found = await ops.env({ name: 'p' })
    expect(found).toMatchObject({ pool: 'p', provider, key: 'local', keyKnown: true })
    const named = Object.fromEntries(found.variables.map(({ name, value }) => [name, value.replace(key, 'KEY')]))
    expect(named).toEqual(variables)
    expect(found.notes).toEqual(expect.arrayContaining(lines))
  })

  test.each([
    ['anthropic', ['ANTHROPIC_API_KEY']],
    ['gemini', ['GOOGLE_API_KEY']],
    ['openai', []],
  ])('of %s names what must not be set beside it', async (provider, unset) => {
    await ops.keyCreate({ name: 'local', keep: true })
    await addCredentials(ops, ['x'], provider)
    await ops.poolCreate({ name: 'p', provider, members: ['x'] })
    expect(await ops.env({ name: 'p' })).toMatchObject({ unset, shape: provider })
  })

  test('refuses to go on without a key when none is named', async () => {
    await ops.keyCreate({ name: 'local' })
    await expect(ops.env({ name: 'openai' })).rejects.toMatchObject({
      code: 'conflict',
      message: 'the key local is not kept here: only its owner has it',
      hint: 'spillway key rotate local puts one in its place that is',
    })
  })

  test('leaves the version out where the upstream has it in its base already', async () => {
    await ops.keyCreate({ name: 'local', keep: true })
    await ops.poolCreate({ name: 'v', provider: 'openai', members: ['a'], upstream: 'https://gateway.example/api/v1' })
    expect((await ops.env({ name: 'v' })).variables[0]?.value).toBe('http://127.0.0.1:8460/v')
  })

  test.each([
    ['http://0.0.0.0:8460', 'http://127.0.0.1:8460/openai/v1'],
    ['https://[::]:8460', 'https://[::1]:8460/openai/v1'],
    ['http://10.0.0.5:8460', 'http://10.0.0.5:8460/openai/v1'],
  ])('points at an address that can be reached when %s listens', async (origin, base) => {
    const other = await startBench({ store: bench.store, parts: { origin: () => origin } })
    await other.ops.keyCreate({ name: 'local', keep: true })
    expect((await other.ops.env({ name: 'openai' })).variables[0]?.value).toBe(base)
    await other.stop()
  })

  test('prints a placeholder for a key that is not kept, and says so', async () => {
    await ops.keyCreate({ name: 'ci' })
    const found = await ops.env({ name: 'openai', key: 'ci' })
    expect(found).toMatchObject({ key: 'ci', keyKnown: false })
    expect(found.variables[1]).toEqual({ name: 'OPENAI_API_KEY', value: 'PUT-THE-CLIENT-KEY-HERE' })
    expect(found.notes[0]).toBe('the key ci is kept nowhere: put it in place of PUT-THE-CLIENT-KEY-HERE')
  })

  test('refuses a key that does not exist or was revoked', async () => {
    await ops.keyCreate({ name: 'local', keep: true })
    await ops.keyRevoke({ name: 'local' })
    await expect(ops.env({ name: 'openai' })).rejects.toMatchObject({
      code: 'conflict',
      message: 'the client key local, which is taken when none is named, is revoked',
      hint: 'spillway key rotate local makes a new one; or name another with --key NAME',
    })
    await expect(ops.env({ name: 'openai', key: 'local' })).rejects.toMatchObject({
      code: 'conflict',
      message: 'the key local is revoked',
      hint: 'spillway key rotate local puts a new one in its place',
    })
    await expect(ops.keyShow({ name: 'lokal' })).rejects.toMatchObject({ code: 'not-found' })
    expect((await bench.store.load()).secrets.filter(({ owner }) => owner.startsWith('key:'))).toEqual([])
  })
})
