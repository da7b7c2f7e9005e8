import { once } from 'node:events'
import { afterEach, describe, expect, it } from 'vitest'
import { type Rig, type RigOptions, startRig } from '../../../test/fakes/rig/rig.ts'

let rig: Rig

async function start(options: RigOptions = {}): Promise<void> {
  rig = await startRig(options)
}

afterEach(() => rig.close())

async function rawStatus(lines: readonly string[], body = ''): Promise<string> {
  const text = await rig.raw([...lines, 'Connection: close', '', body].join('\r\n'))
  return text.split('\r\n', 1)[0] ?? ''
}

describe('a client key', () => {
  const places: [string, RigOptions['provider'], (key: string) => string, string][] = [
    ['Authorization', 'openai', (key) => `Authorization: Bearer ${key}`, ''],
    ['Authorization in other letters', 'openai', (key) => `AUTHORIZATION: bearer ${key}`, ''],
    ['x-api-key', 'anthropic', (key) => `x-api-key: ${key}`, ''],
    ['x-goog-api-key', 'gemini', (key) => `x-goog-api-key: ${key}`, ''],
    ['api-key', 'azure', (key) => `api-key: ${key}`, ''],
    ['the query', 'gemini', () => 'Accept: */*', '?key=KEY'],
  ]

  it.each(places)('is taken from %s', async (_name, provider, header, query) => {
    await start({ provider: provider ?? 'openai' })
    const path = `/pool/v1beta/models${query.replace('KEY', rig.key)}`
    expect(await rawStatus([`GET ${path} HTTP/1.1`, 'Host: a', header(rig.key)])).toBe('HTTP/1.1 200 OK')
    expect(JSON.stringify(rig.upstream.requests[0])).not.toContain(rig.key)
    expect(rig.upstream.requests[0]?.credential).toBe('key-a')
  })

  it('is needed', async () => {
    await start()
    const { status, json } = await rig.ask({ key: null })
    expect([status, json]).toMatchObject([401, { error: { code: 'missing_key' } }])
    expect(rig.upstream.requests).toHaveLength(0)
    expect(rig.counted.requests).toEqual(['client_error'])
  })

  it.each([
    ['missing', null, 'missing_key', /^spillway: .*"spillway env pool"/],
    ['unknown', 'sk-of-the-upstream', 'unknown_key', /^spillway: .*"spillway env pool"/],
  ])('that is %s is told where there is one', async (_name, key, code, message) => {
    await start()
    const headers = key === null ? '' : `Authorization: Bearer ${key}\r\n`
    const text = await rig.raw(`GET /pool/v1/models HTTP/1.1\r\nHost: a\r\n${headers}Connection: close\r\n\r\n`)
    const { error } = JSON.parse(text.slice(text.indexOf('{')))
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) })
  })

  it('has to be known', async () => {
    await start({ provider: 'anthropic' })
    const { status, json } = await rig.ask({ key: 'sk-spillway-0000000000000000-guess' })
    expect([status, json]).toMatchObject([401, { type: 'error', error: { type: 'authentication_error' } }])
  })
})

describe('a request target', () => {
  it.each([
    ['absolute form', 'http://127.0.0.1/pool/v1/models', 'HTTP/1.1 400 Bad Request'],
    ['a leading double slash', '//pool/v1/models', 'HTTP/1.1 400 Bad Request'],
    ['dot segments', '/pool/../healthz', 'HTTP/1.1 400 Bad Request'],
    ['an unknown pool', '/nobody/v1/models', 'HTTP/1.1 404 Not Found'],
    ['no pool', '/', 'HTTP/1.1 404 Not Found'],
    ['an encoded pool name', '/%70ool/v1/models', 'HTTP/1.1 404 Not Found'],
    ['what looks like the admin API', '/v1/status', 'HTTP/1.1 404 Not Found'],
    ['something below a reserved name', '/healthz/x', 'HTTP/1.1 404 Not Found'],
  ])('with %s is refused', async (_name, target, line) => {
    await start()
    const status = await rawStatus([`GET ${target} HTTP/1.1`, 'Host: a', `Authorization: Bearer ${rig.key}`])
    expect(status).toBe(line)
    expect(rig.upstream.requests).toHaveLength(0)
  })

  it('is refused as problem+json with a stable code', async () => {
    await start()
    const text = await rig.raw('GET /nobody HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    expect(text.toLowerCase()).toContain('content-type: application/problem+json')
    expect(text).toContain('"code":"unknown_pool"')
  })

  it.each([
    ['/v1/chat/completions', 'no pool named v1; the base URL is http://a:8460/POOL/v1 (spillway env POOL)'],
    ['/v1/messages', 'no pool named v1; the base URL is http://a:8460/POOL (spillway env POOL)'],
    ['/v1beta/models', 'no pool named v1beta; the base URL is http://a:8460/POOL (spillway env POOL)'],
    ['/nobody/v1/messages', 'no pool named nobody; the base URL is http://a:8460/POOL (spillway env POOL)'],
    ['/', 'no pool of that name; the base URL is http://a:8460/POOL/v1 (spillway env POOL)'],
  ])('without a pool, such as %s, is told what to write, where SDKs look for it too', async (target, message) => {
    await start()
    const text = await rig.raw(`GET ${target} HTTP/1.1\r\nHost: a:8460\r\nConnection: close\r\n\r\n`)
    const body = JSON.parse(text.slice(text.indexOf('{')))
    expect(body).toMatchObject({ detail: `spillway: ${message}`, error: { message: `spillway: ${message}` } })
  })
})

describe('a method', () => {
  it.each([
    ['TRACE', 'TRACE /pool/v1 HTTP/1.1'],
    ['CONNECT', 'CONNECT evil:443 HTTP/1.1'],
  ])('%s is refused', async (_name, line) => {
    await start()
    expect(await rawStatus([line, 'Host: a'])).toBe('HTTP/1.1 405 Method Not Allowed')
  })
})

describe('the health of the process', () => {
  it('is told without a key', async () => {
    await start()
    expect(await rawStatus(['GET /healthz HTTP/1.1', 'Host: a'])).toBe('HTTP/1.1 200 OK')
    expect(await rawStatus(['HEAD /readyz HTTP/1.1', 'Host: a'])).toBe('HTTP/1.1 200 OK')
    rig.proxy.ready(false)
    expect(await rawStatus(['GET /readyz HTTP/1.1', 'Host: a'])).toBe('HTTP/1.1 503 Service Unavailable')
    expect(await rawStatus(['GET /healthz HTTP/1.1', 'Host: a'])).toBe('HTTP/1.1 200 OK')
  })

  it('is only read', async () => {
    await start()
    expect(await rawStatus(['POST /healthz HTTP/1.1', 'Host: a', 'Content-Length: 0'])).toBe(
      'HTTP/1.1 405 Method Not Allowed',
    )
  })
})

describe('what a client can announce', () => {
  it('a WebSocket upgrade gets 426 where it is switched off, so that clients fall back to HTTP', async () => {
    await start({ webSocket: false })
    const lines = [
      'GET /pool/v1/responses HTTP/1.1',
      'Host: a',
      'Upgrade: websocket',
      `Authorization: Bearer ${rig.key}`,
    ]
    const text = await rig.raw([...lines, 'Connection: Upgrade', '', ''].join('\r\n'), /}$/)
    expect(text).toContain('426 Upgrade Required')
    expect(text).toMatch(/upgrade: HTTP\/1\.1\r\n/i)
    expect(rig.upstream.requests).toHaveLength(0)
  })

  it('a WebSocket upgrade may carry its key as a subprotocol, and needs one', async () => {
    await start({ webSocket: false })
    const lines = ['GET /pool/v1/realtime HTTP/1.1', 'Host: a', 'Upgrade: websocket', 'Connection: Upgrade']
    const protocol = `Sec-WebSocket-Protocol: realtime, openai-insecure-api-key.${rig.key}`
    expect(await rig.raw([...lines, protocol, '', ''].join('\r\n'), /}$/)).toContain('426 Upgrade Required')
    expect(await rig.raw([...lines, '', ''].join('\r\n'), /}$/)).toContain('401 Unauthorized')
  })

  it('another upgrade, such as h2c, is ignored', async () => {
    await start()
    const lines = ['GET /pool/v1/models HTTP/1.1', 'Host: a', 'Upgrade: h2c', `Authorization: Bearer ${rig.key}`]
    expect(await rawStatus([...lines, 'HTTP2-Settings: AAMA'])).toBe('HTTP/1.1 200 OK')
    expect(rig.upstream.requests[0]?.header('http2-settings')).toBeNull()
  })

  it('an expectation other than 100-continue is refused', async () => {
    await start()
    const lines = ['GET /pool/v1/models HTTP/1.1', 'Host: a', 'Expect: teapot', `Authorization: Bearer ${rig.key}`]
    expect(await rawStatus(lines)).toBe('HTTP/1.1 417 Expectation Failed')
  })

  it('HEAD / of Claude Code is answered here, without a key', async () => {
    await start({ provider: 'anthropic' })
    expect(await rawStatus(['HEAD /pool/ HTTP/1.1', 'Host: a'])).toBe('HTTP/1.1 200 OK')
    expect(rig.upstream.requests).toHaveLength(0)
    expect(rig.counted.requests).toEqual([])
  })
})

describe('a connection', () => {
  it.each([
    ['refused', '/pool/v1/x', '401 Unauthorized'],
    ['of no pool', '/nobody/v1/x', '404 Not Found'],
  ])(
    'of a request that is %s while its long body is being sent still delivers the answer',
    async (_name, path, line) => {
      await start()
      const socket = rig.socket()
      const errors: unknown[] = []
      let text = ''
      socket.on('error', (error) => errors.push(error))
      socket.on('data', (chunk: Buffer) => {
        text += chunk.toString()
      })
      socket.write(`POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 30000000\r\n\r\n`)
      const closed = once(socket, 'close')
      for (let sent = 0; sent < 300 && socket.writable; sent++) {
        if (!socket.write(Buffer.alloc(100_000))) await Promise.race([once(socket, 'drain'), closed])
      }
      await closed
      expect(text).toContain(line)
      expect(errors).toEqual([])
    },
  )

  it('serves one request after another', async () => {
    await start()
    const one = `GET /pool/v1/models HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${rig.key}\r\n\r\n`
    const text = await rig.raw(one + one + one.replace('Host: a', 'Host: a\r\nConnection: close'))
    expect(text.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(3)
  })

  it('is closed after a request whose frame is doubtful, so that nothing behind it is read', async () => {
    await start()
    const doubtful = `POST /pool/v1/x HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Length: 0\r\n\r\n`
    const next = `GET /pool/v1/models HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${rig.key}\r\n\r\n`
    const text = await rig.raw(doubtful + next)
    expect(text.match(/HTTP\/1\.1 /g)).toHaveLength(1)
    expect(text).toContain('400 Bad Request')
    expect(rig.upstream.requests).toHaveLength(0)
  })
})
