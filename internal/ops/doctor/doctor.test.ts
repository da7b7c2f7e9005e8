import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Bench, startBench } from '../../../test/fakes/rig/operations.ts'
import { loadConfig } from '../../config/config.ts'
import type { DoctorRow } from '../ops.ts'
import { exposureRows } from './exposure.ts'

let bench: Bench
let server: Server
let folder: string

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'spillway-doctor-'))
  chmodSync(folder, 0o700)
  for (const name of ['master.key', 'spillway.db', 'spillway.yaml'])
    writeFileSync(join(folder, name), '', { mode: 0o600 })
  server = createServer((socket) => socket.destroy())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  bench = await startBench({
    parts: {
      paths: {
        data: folder,
        masterKey: join(folder, 'master.key'),
        database: join(folder, 'spillway.db'),
        config: join(folder, 'spillway.yaml'),
      },
    },
  })
  await pooled('a', (server.address() as AddressInfo).port)
})
afterEach(async () => {
  await bench.stop()
  server.close()
  rmSync(folder, { recursive: true })
})

async function pooled(name: string, port: number): Promise<void> {
  const source = { kind: 'vault' as const, secret: 'sk-x' }
  await bench.ops.credAdd({ name, provider: 'openai', source, baseUrl: `http://127.0.0.1:${port}` })
  await bench.ops.poolCreate({ name: `of-${name}`, provider: 'openai', members: [name] })
}

async function about(check: string): Promise<DoctorRow> {
  const rows = await bench.ops.doctor({})
  const found = rows.find((row) => row.check === check)
  if (!found) throw new Error(`no row ${check} among ${rows.map((row) => row.check).join(', ')}`)
  return found
}

test('a healthy installation has nothing but good rows', async () => {
  const rows = await bench.ops.doctor({})
  expect(rows.map(({ check }) => check)).toEqual([
    'configuration',
    'node',
    'data directory',
    'master key',
    'database',
    'configuration file',
    'disk',
    'clock',
    'pool of-a',
    expect.stringMatching(/^upstream http:\/\/127\.0\.0\.1:/),
  ])
  expect(rows.filter(({ state }) => state !== 'ok')).toEqual([])
})

test.each<[boolean | null, Partial<DoctorRow>]>([
  [true, { state: 'ok', message: 'Node 24.22.3, fast path active' }],
  [null, { state: 'ok', message: 'Node 24.22.3' }],
  [false, { state: 'warn', message: expect.stringContaining('the fast path is off') }],
])('the fast path: %s', async (fastPath, row) => {
  const other = await startBench({ parts: { runtime: { node: '24.22.3', fastPath } } })
  expect((await other.ops.doctor({})).find(({ check }) => check === 'node')).toMatchObject(row)
  await other.stop()
})

test.each<[string, { waiting: number; refused: number }, Partial<DoctorRow>]>([
  ['nobody waits', { waiting: 0, refused: 0 }, { state: 'ok' }],
  [
    'somebody waits',
    { waiting: 2, refused: 0 },
    { state: 'warn', message: expect.stringContaining('2 requests wait') },
  ],
  ['somebody was refused', { waiting: 0, refused: 9 }, { state: 'warn', hint: expect.stringContaining('connections') }],
])('connections: %s', async (_, counted, row) => {
  const upstreams = () => [{ origin: 'https://api.example', open: 256, most: 256, ...counted }]
  const other = await startBench({ parts: { runtime: { node: '24.22.3', fastPath: true, upstreams } } })
  expect((await other.ops.doctor({})).find(({ check }) => check === 'connections')).toMatchObject(row)
  await other.stop()
})

test('the fingerprint of the master key is shown with its file', async () => {
  const { keyId } = bench.vault
  expect(keyId).toMatch(/^[0-9a-f]{16}$/)
  const message = `${folder}/master.key (mode 600), fingerprint ${keyId}`
  expect(await about('master key')).toMatchObject({ state: 'ok', message })
})

describe('permissions', () => {
  test.each<[string, string, number, Partial<DoctorRow>]>([
    ['data directory', '.', 0o755, { state: 'warn' }],
    ['master key', 'master.key', 0o640, { state: 'fail' }],
    ['database', 'spillway.db', 0o604, { state: 'warn' }],
    ['configuration file', 'spillway.yaml', 0o644, { state: 'ok' }],
    ['configuration file', 'spillway.yaml', 0o666, { state: 'fail' }],
  ])('of the %s %s at %o', async (check, name, mode, expected) => {
    const path = name === '.' ? folder : join(folder, name)
    chmodSync(path, mode)
    const found = await about(check)
    expect(found).toMatchObject(expected)
    if (expected.state !== 'ok') expect(found.hint).toMatch(new RegExp(`^chmod [67][04][04] ${path}$`))
  })

  test('of a configuration file that does not exist are nothing to complain about', async () => {
    rmSync(join(folder, 'spillway.yaml'))
    expect(await about('configuration file')).toMatchObject({
      state: 'ok',
      message: `there is no ${folder}/spillway.yaml`,
    })
  })

  test('of a master key that is gone', async () => {
    rmSync(join(folder, 'master.key'))
    expect(await about('master key')).toMatchObject({
      state: 'fail',
      message: `${folder}/master.key is missing`,
      hint: `put back the key file with the fingerprint ${bench.vault.keyId}`,
    })
  })
})

describe('the disk', () => {
  const space = (freeBytes: number) => {
    bench.store.space = async () => ({ usedBytes: 1024 ** 2, freeBytes, totalBytes: 4096 * 1024 ** 2 })
  }
  test.each([
    // 15 % of 4 GiB are 614.4 MiB.
    ['below the reserve', 614, 'fail'],
    ['near the reserve', 1228, 'warn'],
    ['far from it', 1229, 'ok'],
  ])('%s', async (_name, mebibytes, state) => {
    space(mebibytes * 1024 ** 2)
    expect(await about('disk')).toMatchObject({ state, message: expect.stringContaining('the store takes 1.0 MiB') })
  })
})

test('a clock that is behind what was written is noticed', async () => {
  const early = await startBench({ store: bench.store })
  await early.clock.advance(-3_600_000)
  const row = (await early.ops.doctor({})).find(({ check }) => check === 'clock')
  expect(row).toMatchObject({ state: 'warn', message: 'the clock is 1h behind the newest audit row' })
  await early.stop()
})

test('an upstream that refuses is a failure that names it', async () => {
  const gone = createServer()
  await new Promise<void>((resolve) => gone.listen(0, '127.0.0.1', resolve))
  const { port } = gone.address() as AddressInfo
  await new Promise((resolve) => gone.close(resolve))
  await pooled('b', port)
  expect(await about(`upstream http://127.0.0.1:${port}`)).toMatchObject({
    state: 'fail',
    message: 'the connection was refused',
  })
})

test('an upstream that never answers is given up at the deadline', async () => {
  const silent = createServer()
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  const { port } = silent.address() as AddressInfo
  const source = { kind: 'vault' as const, secret: 'sk-x' }
  await bench.ops.credAdd({ name: 't', provider: 'openai', source, baseUrl: `https://127.0.0.1:${port}` })
  await bench.ops.poolCreate({ name: 'tls', provider: 'openai', members: ['t'] })
  const met = new Promise<void>((resolve) => silent.once('connection', () => resolve()))
  const found = about(`upstream https://127.0.0.1:${port}`)
  await met
  await new Promise((resolve) => setImmediate(resolve))
  await bench.clock.advance(5_000)
  expect(await found).toMatchObject({ state: 'fail', message: 'no answer within 5000 ms' })
  silent.close()
})

test('problems of the configuration on the disk and of credentials are told', async () => {
  const parts = { configNow: async () => ({ problems: ['spillway.yaml:3: server.listn: unknown key'], waiting: [] }) }
  const ill = await startBench({ parts })
  await ill.ops.credAdd({ name: 'e', provider: 'openai', source: { kind: 'env', variable: 'NOT_SET' } })
  await ill.clock.advance(1_000)
  const rows = await ill.ops.doctor({})
  expect(rows).toContainEqual(
    expect.objectContaining({
      check: 'configuration',
      state: 'fail',
      message: 'spillway.yaml:3: server.listn: unknown key',
    }),
  )
  expect(rows).toContainEqual(expect.objectContaining({ check: 'credential e', state: 'fail' }))
  await ill.stop()
})

test('a fresh installation is told what to type next', async () => {
  const fresh = await startBench()
  const rows = await fresh.ops.doctor({})
  expect(rows.filter(({ state }) => state === 'warn').map(({ check, hint }) => [check, hint])).toEqual([
    ['credentials', 'spillway cred add NAME --provider P'],
    ['pools', 'spillway pool create NAME --provider P --members A,B'],
  ])
  await fresh.stop()
})

test('credentials that wait for a person are told in the order of their names, with what to do', async () => {
  for (const name of ['k-10', 'k-2']) {
    await bench.ops.credAdd({ name, provider: 'openai', source: { kind: 'vault', secret: 'sk-x' } })
    await bench.ops.credDisable({ name })
  }
  await bench.engine.needsLogin('a', 1, 'refresh-rejected')
  const found = (await bench.ops.doctor({})).filter(({ check }) => check.startsWith('credential '))
  expect(found.map(({ check, state, hint }) => [check, state, hint])).toEqual([
    ['credential a', 'fail', 'spillway cred login a'],
    ['credential k-2', 'fail', 'spillway cred enable k-2'],
    ['credential k-10', 'fail', 'spillway cred enable k-10'],
  ])
})

test.each<[string, Record<string, string>, string[]]>([
  ['this machine alone', { 'server.listen': '127.0.0.1:8460' }, []],
  ['all interfaces in clear text', { 'server.listen': '0.0.0.0:8460' }, ['listen']],
  [
    'all interfaces with TLS',
    { 'server.listen': '0.0.0.0:8460', 'server.tls.certFile': 'c', 'server.tls.keyFile': 'k' },
    [],
  ],
  ['an admin API on all interfaces', { 'admin.listen': '[::]:8462', 'admin.tokenFile': 't' }, ['admin.listen']],
])('is told when it listens on %s: %#', async (_name, values, checks) => {
  const flags = Object.entries(values).map(([key, text]) => ({ key, text, from: key }))
  const loaded = loadConfig({ file: '/none', explicit: false, env: {}, dataDir: '/data', flags })
  if (!loaded.ok) throw new Error('the configuration of the test is wrong')
  expect(exposureRows(loaded.config).map(({ check }) => check)).toEqual(checks)
})
