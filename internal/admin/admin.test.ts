import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { type IncomingHttpHeaders, type RequestOptions, request } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { addCredentials, type Bench, startBench } from '../../test/fakes/rig/operations.ts'
import { verbs } from '../ops/ops.ts'
import { Secret } from '../vault/vault.ts'
import { type Admin, type AdminAddress, createAdmin, type LiveEvent } from './admin.ts'

const token = 'admin-token-0123456789'
let bench: Bench
let folder: string
let socket: string
let admin: Admin
let failures: [unknown, string][]
let publish: (event: LiveEvent) => void
let listeners: Set<object>

beforeEach(async () => {
  bench = await startBench()
  await addCredentials(bench.ops, ['a', 'b'])
  await bench.ops.poolCreate({ name: 'openai', provider: 'openai', members: ['a', 'b'] })
  folder = mkdtempSync(join(tmpdir(), 'spillway-admin-'))
  socket = join(folder, 'admin.sock')
  failures = []
  listeners = new Set()
  admin = make()
})
afterEach(async () => {
  await admin.close()
  await bench.stop()
  rmSync(folder, { recursive: true })
})

function make(): Admin {
  return createAdmin({
    ops: bench.operations,
    metrics: { render: async () => 'spillway_up 1\n', contentType: 'text/plain; version=0.0.4' },
    events(listener) {
      publish = listener
      // A stream of the test before may end only now.
      const current = listeners
      current.add(listener)
      return () => current.delete(listener)
    },
    after: (delayMs, run) => bench.clock.after(delayMs, run),
    failed: (error, route) => failures.push([error, route]),
  })
}

const onTcp = (): AdminAddress => ({ socket, tcp: { host: '127.0.0.1', port: 0, token: new Secret(token) } })

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  readonly json: () => Record<string, unknown>
}

function ask(
  where: RequestOptions,
  method: string,
  path: string,
  options: { body?: unknown; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const body =
    options.body === undefined
      ? undefined
      : typeof options.body === 'string'
        ? options.body
        : JSON.stringify(options.body)
  const headers = { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...options.headers }
  return new Promise((resolve, reject) => {
    const sent = request({ ...where, method, path, headers, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
      })
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json: () => JSON.parse(text) }),
      )
      response.on('error', reject)
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

const local = (method: string, path: string, options?: Parameters<typeof ask>[3]) =>
  ask({ socketPath: socket }, method, path, options)
const remote = (method: string, path: string, headers: Record<string, string> = {}, body?: unknown) =>
  ask({ host: '127.0.0.1', port: admin.port ?? 0 }, method, path, { headers, ...(body === undefined ? {} : { body }) })
const bearer = { authorization: `Bearer ${token}` }

describe('on the socket', () => {
  beforeEach(() => admin.listen({ socket, tcp: null }))

  test('nobody but the owner may connect', () => {
    expect(statSync(socket).mode & 0o777).toBe(0o600)
  })

  test('every verb can be called by its name, as the command line does', async () => {
    expect((await local('POST', '/v1/verbs/poolStatus', { body: { name: 'openai' } })).json()).toEqual(
      await bench.ops.poolStatus({ name: 'openai' }),
    )
    await local('POST', '/v1/verbs/poolPark', {
      body: { name: 'openai', member: 'a' },
      headers: { 'x-spillway-actor': 'operator:cli' },
    })
    expect(await bench.ops.auditList({ kind: 'member_parked' })).toMatchObject([{ actor: 'operator:cli' }])
    for (const name of ['nothing', 'toString', '__proto__'])
      expect((await local('POST', `/v1/verbs/${name}`)).json()).toMatchObject({ status: 404, code: 'not-found' })
    expect((await local('POST', '/v1/verbs/poolPark', { body: { nam: 'openai' } })).json()).toMatchObject({
      status: 400,
    })
  })

  test('verbs answer with what the operations say', async () => {
    expect((await local('GET', '/v1/pools/openai')).json()).toEqual(await bench.ops.poolStatus({ name: 'openai' }))
    expect((await local('GET', '/v1/status')).json()).toEqual(await bench.ops.status({}))
    const rotated = await local('POST', '/v1/pools/openai/rotate', { body: { forMs: 60_000 } })
    expect(rotated).toMatchObject({ status: 200, headers: { 'content-type': 'application/json; charset=utf-8' } })
    expect(rotated.json()).toMatchObject({ from: 'a', to: 'b' })
    expect((await local('GET', '/v1/audit?kind=pool_rotated&limit=1')).json()).toMatchObject([
      { actor: 'operator:api' },
    ])
  })

  test('a POST without a body is one without arguments', async () => {
    expect((await local('POST', '/v1/pools/openai/rotate')).status).toBe(200)
  })

  test('whoever opened the socket may say who acts, in a word that fits', async () => {
    await local('POST', '/v1/pools/openai/park', {
      body: { member: 'a' },
      headers: { 'x-spillway-actor': 'operator:cli' },
    })
    await local('POST', '/v1/pools/openai/park', { body: { member: 'b' }, headers: { 'x-spillway-actor': 'spillway' } })
    const rows = await bench.ops.auditList({ kind: 'member_parked' })
    expect(rows.map(({ from, actor }) => [from, actor])).toEqual([
      ['a', 'operator:cli'],
      ['b', 'operator:api'],
    ])
  })

  test.each<[string, [string, string, unknown?], object]>([
    [
      'a name that does not exist',
      ['GET', '/v1/pools/opnai'],
      { status: 404, code: 'not-found', detail: 'no pool named opnai; did you mean openai?' },
    ],
    [
      'an unknown field',
      ['POST', '/v1/pools/openai/park', { membr: 'a' }],
      { status: 400, code: 'invalid', detail: expect.stringContaining('did you mean member?') },
    ],
    [
      'an unknown query field',
      ['GET', '/v1/audit?limt=3'],
      { status: 400, code: 'invalid', detail: 'unknown field limt, did you mean limit?' },
    ],
    ['what this state does not allow', ['DELETE', '/v1/credentials/a'], { status: 409, code: 'conflict' }],
    [
      'a route that is none',
      ['GET', '/v1/nothing?x=1'],
      { status: 404, code: 'no-such-route', detail: 'there is no GET /v1/nothing' },
    ],
    ['a body that is no JSON', ['POST', '/v1/pools', '{"name":'], { status: 400, code: 'bad-body' }],
    ['a body that is a list', ['POST', '/v1/pools', []], { status: 400, code: 'bad-body' }],
  ])('%s is a problem with a code', async (_name, [method, path, body], problem) => {
    const answer = await local(method, path, body === undefined ? {} : { body })
    expect(answer.headers['content-type']).toBe('application/problem+json')
    expect(answer.json()).toMatchObject({ type: 'about:blank', ...problem })
    expect(answer.status).toBe(answer.json().status)
    expect(failures).toEqual([])
  })

  test('a body of another type, or one that is too large, is refused', async () => {
    const plain = await local('POST', '/v1/pools', { body: 'name=x', headers: { 'content-type': 'text/plain' } })
    expect(plain).toMatchObject({ status: 415 })
    const large = await local('POST', '/v1/apply', { body: { text: 'x'.repeat(5 * 1024 * 1024) } })
    expect([large.status, large.json().code]).toEqual([413, 'bad-body'])
  })

  test('a failure inside shows nothing of itself, and is told to the log', async () => {
    bench.store.space = async () => {
      throw new Error('canary: sealed row 7')
    }
    const answer = await local('GET', '/v1/doctor')
    expect(answer.json()).toMatchObject({ status: 500, code: 'internal' })
    expect(answer.text).not.toContain('canary')
    expect(failures).toMatchObject([[{ message: 'canary: sealed row 7' }, '/v1/doctor']])
  })

  test('a path with a slash inside a name arrives as that name', async () => {
    const answer = await local('GET', `/v1/pools/${encodeURIComponent('a/../b')}`)
    expect(answer.json()).toMatchObject({ code: 'not-found', detail: 'no pool named a/../b' })
  })

  test('a secret is answered once, and kept by no cache', async () => {
    const answer = await local('POST', '/v1/keys', { body: { name: 'ci' } })
    expect(answer).toMatchObject({ status: 200, headers: { 'cache-control': 'no-store' } })
    expect(bench.keys.check('openai', String(answer.json().key))).toMatchObject({ ok: true })
  })

  test('health and metrics are served', async () => {
    expect(await local('GET', '/healthz')).toMatchObject({ status: 200 })
    expect(await local('GET', '/metrics')).toMatchObject({
      status: 200,
      text: 'spillway_up 1\n',
      headers: { 'content-type': 'text/plain; version=0.0.4' },
    })
  })
})

describe('events', () => {
  interface Stream {
    readonly next: (pattern: RegExp) => Promise<string>
    readonly ended: Promise<void>
    readonly leave: () => void
  }

  function follow(): Promise<Stream> {
    return new Promise((resolve, reject) => {
      const sent = request({ socketPath: socket, path: '/v1/events', agent: false }, (response) => {
        let text = ''
        const waiting: (() => void)[] = []
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => {
          text += chunk
          for (const look of waiting) look()
        })
        const ended = new Promise<void>((done) => response.on('close', () => done()))
        const next = (pattern: RegExp) =>
          new Promise<string>((found) => {
            const look = () => pattern.test(text) && found(text)
            waiting.push(look)
            look()
          })
        resolve({ next, ended, leave: () => sent.destroy() })
      })
      sent.on('error', reject)
      sent.end()
    })
  }

  beforeEach(() => admin.listen({ socket, tcp: null }))

  test('are sent as they happen, with the number of their audit row', async () => {
    const stream = await follow()
    await stream.next(/^:\n\n/)
    publish({ kind: 'pool_rotated', seq: 7, data: { pool: 'openai' } })
    publish({ kind: 'store_trouble', seq: null, data: { what: 'full\ndisk' } })
    expect(await stream.next(/store_trouble/)).toBe(
      ':\n\nevent: pool_rotated\nid: 7\ndata: {"pool":"openai"}\n\nevent: store_trouble\ndata: {"what":"full\\ndisk"}\n\n',
    )
    stream.leave()
  })

  test('keep a quiet stream alive, and forget a client that left', async () => {
    const stream = await follow()
    await stream.next(/^:\n\n/)
    await bench.clock.advance(15_000)
    await stream.next(/^:\n\n:\n\n$/)
    expect(listeners.size).toBe(1)
    stream.leave()
    await expect.poll(() => listeners.size).toBe(0)
  })

  test('end when the daemon does', async () => {
    const stream = await follow()
    await stream.next(/^:\n\n/)
    await admin.close()
    await stream.ended
    expect(listeners.size).toBe(0)
  })

  test('have room for so many readers only', async () => {
    const streams = []
    for (let n = 0; n < 32; n++) streams.push(await follow())
    expect((await local('GET', '/v1/events')).json()).toMatchObject({ status: 429, code: 'too-many' })
    for (const stream of streams) stream.leave()
  })
})

describe('the socket path', () => {
  test('of over 100 bytes is refused with the setting that mends it', async () => {
    const long = join(folder, 'x'.repeat(100))
    await expect(admin.listen({ socket: long, tcp: null })).rejects.toMatchObject({
      code: 'invalid',
      hint: expect.stringContaining('admin.socket'),
    })
  })

  test('that a dead process left is taken over', async () => {
    const dead = createServer()
    await new Promise<void>((resolve) => dead.listen(socket, resolve))
    // Node removes the file when it closes a server; a killed process cannot.
    rmSync(socket)
    await new Promise((resolve) => dead.close(resolve))
    const { spawnSync } = await import('node:child_process')
    const leave = `require('node:net').createServer().listen(${JSON.stringify(socket)}, () => process.kill(process.pid, 'SIGKILL'))`
    spawnSync(process.execPath, ['-e', leave])
    expect(statSync(socket).isSocket()).toBe(true)
    await admin.listen({ socket, tcp: null })
    expect((await local('GET', '/healthz')).status).toBe(200)
  })

  test('behind which somebody answers is left alone', async () => {
    await admin.listen({ socket, tcp: null })
    const second = make()
    await expect(second.listen({ socket, tcp: null })).rejects.toMatchObject({ code: 'conflict' })
    expect((await local('GET', '/healthz')).status).toBe(200)
  })

  test('that is a file is left alone', async () => {
    writeFileSync(socket, 'precious')
    await expect(admin.listen({ socket, tcp: null })).rejects.toMatchObject({ code: 'conflict' })
    expect(statSync(socket).size).toBe(8)
  })

  test('is free again after a close', async () => {
    await admin.listen({ socket, tcp: null })
    await admin.close()
    expect(() => statSync(socket)).toThrow('ENOENT')
  })

  test('is given back when the TCP listener cannot open', async () => {
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    const { port } = taken.address() as { port: number }
    const tcp = { host: '127.0.0.1', port, token: new Secret(token) }
    await expect(admin.listen({ socket, tcp })).rejects.toMatchObject({
      code: 'conflict',
      message: `the admin address 127.0.0.1:${port} is in use by another process`,
    })
    expect(() => statSync(socket)).toThrow('ENOENT')
    taken.close()
  })
})

describe('on TCP', () => {
  beforeEach(() => admin.listen(onTcp()))

  test('the token opens what the socket does', async () => {
    expect((await remote('GET', '/v1/pools/openai', bearer)).json()).toEqual(
      await bench.ops.poolStatus({ name: 'openai' }),
    )
  })

  test('nobody can claim to be somebody else', async () => {
    await remote('POST', '/v1/pools/openai/park', { ...bearer, 'x-spillway-actor': 'operator:cli' }, { member: 'a' })
    expect(await bench.ops.auditList({ kind: 'member_parked' })).toMatchObject([{ actor: 'operator:api' }])
  })

  // A9: every route that the router knows, asked without a token and with wrong ones.
  test('every route answers 401 without the token', async () => {
    const routes = admin.routes('tcp')
    for (const { method, path } of Object.values(verbs)) expect(routes).toContainEqual({ method, path })
    expect(routes.filter(({ path }) => path.startsWith('/v1/verbs'))).toEqual([])
    for (const fixed of ['/healthz', '/metrics', '/v1/events'])
      expect(routes).toContainEqual({ method: 'GET', path: fixed })
    const wrong: Record<string, string>[] = [
      {},
      { authorization: 'Bearer wrong' },
      { authorization: `Basic ${token}` },
      { authorization: token },
      { 'x-api-key': token },
    ]
    for (const { method, path } of [...routes, { method: 'GET', path: '/v1/nothing' }]) {
      for (const headers of wrong) {
        const answer = await remote(method, path.replace(/:[a-z]+/g, 'openai'), headers)
        expect([method, path, headers, answer.status]).toEqual([method, path, headers, 401])
        if (method !== 'HEAD') expect(answer.json()).toMatchObject({ code: 'unauthorized' })
      }
    }
    expect((await bench.ops.poolStatus({ name: 'openai' })).active).toBe('a')
  })

  // A20: a page in a browser on this machine.
  test('a web page is turned away, even with the token', async () => {
    for (const origin of ['https://evil.example', 'null', `http://127.0.0.1:${admin.port}`])
      expect((await remote('GET', '/v1/status', { ...bearer, origin })).json()).toMatchObject({
        status: 403,
        code: 'foreign-origin',
      })
  })

  test.each([
    ['evil.example', 421],
    ['evil.example:8461', 421],
    ['127.0.0.1.evil.example', 421],
    ['10.0.0.1', 421],
    ['localhost', 200],
    ['127.0.0.1:1', 200],
    ['[::1]:1', 200],
  ])('the Host %s gets %i', async (host, status) => {
    expect((await remote('GET', '/v1/status', { ...bearer, host })).status).toBe(status)
  })

  test('secrets are not given out', async () => {
    for (const [method, path] of [
      ['POST', '/v1/keys'],
      ['GET', '/v1/pools/openai/env'],
    ] as const)
      expect((await remote(method, path, bearer, method === 'POST' ? { name: 'x' } : undefined)).json()).toMatchObject({
        status: 403,
        code: 'socket-only',
      })
    expect(await bench.ops.keyList({})).toEqual([])
  })
})
