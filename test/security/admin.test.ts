import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { verbs } from '../../internal/ops/ops.ts'
import { type Installation, installation } from '../fakes/rig/installation.ts'
import { askAdmin } from '../fakes/rig/terminal.ts'

const token = 'admin-token-0123456789abcdef'
const folder = mkdtempSync(join(tmpdir(), 'spillway-admin-'))

let spillway: Installation
let port: number

beforeAll(async () => {
  writeFileSync(join(folder, 'token'), `${token}\n`, { mode: 0o600 })
  spillway = await installation({ config: { 'admin.listen': '127.0.0.1:0', 'admin.tokenFile': join(folder, 'token') } })
  await spillway.pool('openai', ['a', 'b'])
  port = spillway.daemon.adminPort ?? 0
})

afterAll(async () => {
  await spillway.close()
  rmSync(folder, { recursive: true })
})

/** Every route of the admin API, with its parameters filled in. */
const routes = [
  ...Object.values(verbs).map(({ method, path, secret }) => ({ method, path, secret: secret === true })),
  ...['/metrics', '/healthz', '/v1/events'].map((path) => ({ method: 'GET', path, secret: false })),
].map((route) => ({ ...route, path: route.path.replace(/:\w+/g, 'openai') }))

const bearer = { authorization: `Bearer ${token}` }

describe('A9: the admin API over TCP', () => {
  it('has routes to look at', () => {
    expect(routes.length).toBeGreaterThan(30)
    expect(port).toBeGreaterThan(0)
  })

  it.each(routes)('asks $method $path for the token', async ({ method, path }) => {
    for (const headers of [
      {},
      { authorization: 'Bearer wrong' },
      { authorization: `Basic ${token}` },
      { authorization: `Bearer ${token}x` },
    ]) {
      const { status, text } = await askAdmin({ port, method, path, headers })
      expect([status, JSON.parse(text).code]).toEqual([401, 'unauthorized'])
    }
  })

  it('has changed nothing by all that', async () => {
    expect(await spillway.ops.poolStatus({ name: 'openai' })).toMatchObject({
      members: [{ park: null }, { park: null }],
    })
    const kinds = (await spillway.audit()).map(({ kind }) => kind)
    expect(kinds).toEqual(['key_created', 'cred_added', 'cred_added', 'pool_changed'])
  })

  it.each(routes.filter(({ secret }) => secret))(
    'gives no secret of $method $path, token or not',
    async ({ method, path }) => {
      const headers = { ...bearer, 'content-type': 'application/json' }
      const { status, text } = await askAdmin({
        port,
        method,
        path,
        headers,
        body: method === 'GET' ? '' : '{"name":"x"}',
      })
      expect([status, JSON.parse(text).code]).toEqual([403, 'socket-only'])
    },
  )

  it('answers who has the token', async () => {
    expect((await askAdmin({ port, path: '/v1/status', headers: bearer })).status).toBe(200)
  })
})

describe('A3: the data port', () => {
  it.each(routes)('does not serve $method $path', async ({ method, path }) => {
    if (path === '/healthz') return
    for (const target of [path, `/openai/..${path}`, `/openai/%2e%2e${path}`]) {
      const headers = { authorization: `Bearer ${spillway.key}`, 'x-spillway-actor': 'operator:cli' }
      const { status } = await askAdmin({ port: Number(new URL(spillway.origin).port), method, path: target, headers })
      expect([400, 404]).toContain(status)
    }
    expect(spillway.upstream.requests).toEqual([])
  })
})

describe('A20: a browser page', () => {
  it.each([
    { name: 'of another site', headers: { ...bearer, origin: 'https://evil.example' }, status: 403 },
    { name: 'in a sandbox', headers: { ...bearer, origin: 'null' }, status: 403 },
    { name: 'whose name was rebound to this machine', headers: { ...bearer, host: 'evil.example' }, status: 421 },
    { name: 'whose name was rebound, with the port', headers: { ...bearer, host: 'evil.example:8461' }, status: 421 },
  ])('$name is turned away although it has the token', async ({ headers, status }) => {
    const asked = await askAdmin({ port, method: 'POST', path: '/v1/pools/openai/rotate', headers })
    expect(asked.status).toBe(status)
    expect(asked.headers['access-control-allow-origin']).toBeUndefined()
    expect(await spillway.audit('pool_rotated')).toEqual([])
  })

  it('that only asks beforehand gets no permission', async () => {
    const headers = { origin: 'https://evil.example', 'access-control-request-method': 'POST' }
    const asked = await askAdmin({ port, method: 'OPTIONS', path: '/v1/pools/openai/rotate', headers })
    expect(asked.status).toBeGreaterThanOrEqual(400)
    expect(asked.headers['access-control-allow-origin']).toBeUndefined()
  })

  it('has no TCP port at all to ask unless one is configured, and the socket is for its owner alone', async () => {
    const usual = await installation()
    expect(usual.daemon.adminPort).toBeNull()
    expect(statSync(join(usual.data, 'admin.sock')).mode & 0o777).toBe(0o600)
    expect(statSync(usual.data).mode & 0o777).toBe(0o700)
    await usual.close()
  })
})
