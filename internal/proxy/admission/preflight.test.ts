import { afterEach, describe, expect, it } from 'vitest'
import { type Rig, type RigOptions, startRig } from '../../../test/fakes/rig/rig.ts'
import { answer, reset } from '../../../test/fakes/upstream/upstream.ts'

let rig: Rig

async function start(options: RigOptions = {}): Promise<void> {
  rig = await startRig(options)
}

afterEach(() => rig.close())

const asked = ['Origin', 'http://app.example', 'Access-Control-Request-Method', 'POST', 'Cookie', 'a=1']
const allowed = answer(204, { 'access-control-allow-origin': '*', 'access-control-allow-headers': 'authorization' }, '')

const preflight = () =>
  rig.ask({ method: 'OPTIONS', path: '/v1/chat/completions?key=x', key: null, headers: asked, body: '' })

describe('a CORS preflight', () => {
  it('goes upstream without a credential, and needs no key', async () => {
    await start()
    rig.upstream.on('*').always(allowed)
    const { status, headers } = await preflight()
    expect(status).toBe(204)
    expect(headers).toMatchObject({ 'access-control-allow-origin': '*', 'x-spillway-request-id': expect.any(String) })
    const [seen] = rig.upstream.requests
    expect(seen).toMatchObject({ method: 'OPTIONS', target: '/v1/chat/completions', credential: null })
    expect(seen?.header('access-control-request-method')).toBe('POST')
    expect(rig.counted).toMatchObject({ requests: ['served'], attempts: [] })
  })

  it('says nothing about a member, whatever the answer', async () => {
    await start()
    rig.upstream.on('*').always(answer(401, {}, { error: { code: 'invalid_api_key', message: 'no key' } }))
    expect((await preflight()).status).toBe(401)
    expect([rig.health('a'), rig.health('b')]).toEqual(['healthy', 'healthy'])
  })

  it('passes while the pool is exhausted: the browser is to see why', async () => {
    await start({ members: ['a'] })
    rig.upstream.on('key-a').always(answer(429, { 'retry-after': '60' }, { error: { code: 'insufficient_quota' } }))
    expect((await rig.ask()).status).toBe(429)
    rig.upstream.on('*').always(allowed)
    expect((await preflight()).status).toBe(204)
  })

  it('that fails is a 502, and one to an empty pool a 503', async () => {
    await start()
    rig.upstream.on('*').always(reset)
    expect((await preflight()).status).toBe(502)
    await rig.close()
    await start({ members: [] })
    expect((await preflight()).status).toBe(503)
  })

  it('that is none needs a key like any request', async () => {
    await start()
    expect((await rig.ask({ method: 'OPTIONS', path: '/v1/x', key: null, body: '' })).status).toBe(401)
    expect((await rig.ask({ method: 'OPTIONS', path: '/v1/x', key: null, headers: asked, body: 'x' })).status).toBe(401)
    expect((await rig.ask({ method: 'GET', path: '/v1/x', key: null, headers: asked })).status).toBe(401)
  })
})

it('a HEAD without a key is answered here on an anthropic pool, and counted for nothing', async () => {
  await start({ provider: 'anthropic' })
  for (const path of ['/', '/api/hello', '/v1/messages']) {
    expect((await rig.ask({ method: 'HEAD', path, key: null, body: '' })).status).toBe(200)
  }
  expect(rig.upstream.requests).toEqual([])
  expect(rig.counted).toMatchObject({ requests: [], attempts: [], inflight: 0 })
})
