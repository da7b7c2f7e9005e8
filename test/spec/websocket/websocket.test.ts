import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import OpenAI from 'openai'
import { OpenAIRealtimeWS } from 'openai/realtime/ws'
import { afterEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { FakeClock } from '../../../internal/clock/clock.ts'
import type { Rig, RigOptions } from '../../fakes/rig/rig.ts'
import { connectTo, type Wish } from '../../fakes/rig/websocket-client.ts'
import { webSocketStage } from '../../fakes/rig/websocket-rig.ts'
import { selfSigned } from '../../fakes/upstream/certificate.ts'
import { echo, type Greeting, refuses, says, type WebSocketUpstream } from '../../fakes/upstream/websocket-upstream.ts'

let rig: Rig
let upstream: WebSocketUpstream

async function start(greetings: Record<string, Greeting> = {}, options: RigOptions = {}): Promise<void> {
  ;({ rig, upstream } = await webSocketStage(greetings, options))
}

afterEach(async () => {
  await rig.close()
  await upstream.close()
})

const limited = { error: { type: 'requests', code: 'rate_limit_exceeded', message: 'slow down' } }
const quota = { error: { type: 'usage_limit_reached', message: 'used up', resets_in_seconds: 600 } }
const badKey = { error: { type: 'invalid_request_error', code: 'invalid_api_key', message: 'no' } }
const errorFrame = { type: 'error', status: 429, error: { type: 'usage_limit_reached', resets_in_seconds: 600 } }

const connect = (wish: Wish = {}) => connectTo(rig, wish)

function handshake(more: readonly string[] = [], path = '/pool/v1/realtime'): string {
  return [
    `GET ${path} HTTP/1.1`,
    'Host: localhost',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    `Authorization: Bearer ${rig.key}`,
    ...more,
    '',
    '',
  ].join('\r\n')
}

describe('a WebSocket', () => {
  it('is carried with the credential in place of the client key, wherever that was', async () => {
    await start()
    const client = connect({
      path: '/v1/realtime?model=gpt&key=abc&x=a//b',
      protocols: ['realtime', `openai-insecure-api-key.${rig.key}`],
    })
    await client.opened
    expect(client.socket.protocol).toBe('realtime')
    client.socket.send('hello')
    await expect.poll(() => client.heard).toEqual(['hello'])
    const [seen] = upstream.seen
    expect(seen).toMatchObject({ url: '/v1/realtime?model=gpt&x=a//b', secret: 'key-a' })
    expect(JSON.stringify(seen)).not.toContain(rig.key)
    expect(seen?.rawHeaders.join()).not.toMatch(/sec-websocket-extensions/i)
    expect(rig.counted).toMatchObject({ requests: [], attempts: ['success'], inflight: 1 })
    client.socket.close(1000)
    expect((await client.ended).code).toBe(1000)
    await expect.poll(() => rig.counted).toMatchObject({ requests: ['served'], inflight: 0 })
    await expect.poll(() => upstream.connections).toBe(0)
  })

  it('in a Gemini pool has the key out of its query, and the member’s where Gemini looks for it', async () => {
    await start({}, { provider: 'gemini', members: ['a'] })
    const client = connect({ path: `/ws/live?key=${rig.key}&alt=json`, key: null })
    await client.opened
    expect(upstream.seen).toMatchObject([{ url: '/ws/live?alt=json' }])
    expect(JSON.stringify(upstream.seen)).not.toContain(rig.key)
    expect(upstream.seen[0]?.rawHeaders.join()).toMatch(/x-goog-api-key,key-a/i)
  })

  it.each([
    ['a protocol beside others', (key: string) => ['realtime', `openai-insecure-api-key.${key}`], 'realtime'],
    ['the only protocol', (key: string) => [`openai-insecure-api-key.${key}`], 'openai-insecure-api-key.'],
  ])('is let in with the key as %s', async (_name, protocols, answered) => {
    await start()
    const client = connect({ key: null, protocols: protocols(rig.key) })
    await client.opened
    expect(client.socket.protocol.startsWith(answered)).toBe(true)
    expect(JSON.stringify(upstream.seen)).not.toContain(rig.key)
  })

  it('is carried also behind the proxy’s own certificate, and failed over there', async () => {
    await start({ a: refuses(429, limited) }, { identity: selfSigned })
    const client = connect({ scheme: 'wss' })
    client.socket.on('open', () => client.socket.send('hello'))
    await expect.poll(() => client.heard).toEqual(['hello'])
    expect(upstream.secrets).toEqual(['key-a', 'key-b'])
  })

  it('carries large and binary messages both ways, whole', async () => {
    await start()
    const client = connect()
    await client.opened
    const large = 'x'.repeat(3_000_000)
    client.socket.send(large)
    client.socket.send(Buffer.from([1, 2, 3]))
    client.socket.send('{"type":"response.created"}')
    await expect.poll(() => client.heard.length).toBe(3)
    expect(client.heard[0]).toBe(large)
  })

  it('carries what the client sent before it was answered', async () => {
    await start()
    const mask = Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69])
    const text = await rig.raw(Buffer.concat([Buffer.from(handshake()), mask]), /hi$/)
    expect(text).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n/)
    expect(text).toContain('x-spillway-request-id')
  })

  it('with a slow reader holds its own upstream back', async () => {
    await start()
    const client = connect()
    await client.opened
    client.socket.pause()
    const [server] = upstream.accepted
    const megabyte = Buffer.alloc(1_048_576)
    for (let sent = 0; sent < 64; sent++) server?.send(megabyte)
    const other = connect()
    await other.opened
    other.socket.send('hello')
    await expect.poll(() => other.heard).toEqual(['hello'])
    let before = -1
    const isStill = () => {
      const now = server?.bufferedAmount ?? 0
      const same = now === before
      before = now
      return same
    }
    await expect.poll(isStill, { interval: 200, timeout: 5_000 }).toBe(true)
    expect(before).toBeGreaterThan(48 * 1_048_576)
    client.socket.resume()
    await expect.poll(() => client.heard.length, { timeout: 10_000 }).toBe(64)
  })

  it('whose client vanishes lets the upstream go at once and blames nobody', async () => {
    await start()
    const client = connect()
    await client.opened
    await expect.poll(() => upstream.connections).toBe(1)
    client.socket.terminate()
    await expect.poll(() => upstream.connections, { interval: 5, timeout: 1_000 }).toBe(0)
    expect(rig.counted.requests).toEqual(['client_gone'])
    expect(rig.health('a')).toBe('healthy')
  })

  it('whose upstream vanishes is closed', async () => {
    await start()
    const client = connect()
    await client.opened
    upstream.accepted[0]?.terminate()
    expect((await client.ended).code).toBe(1011)
    await expect.poll(() => rig.counted).toMatchObject({ requests: ['upstream_error'], inflight: 0 })
  })

  it('is closed with the server’s own code and reason', async () => {
    await start()
    const client = connect()
    await client.opened
    upstream.accepted[0]?.send('hello')
    upstream.accepted[0]?.close(4_000, 'session over')
    expect(await client.ended).toEqual({ code: 4_000, reason: 'session over' })
    await expect.poll(() => rig.counted.requests).toEqual(['served'])
  })
})

describe('a refused upgrade', () => {
  it.each([
    ['429', refuses(429, limited, { 'retry-after': '3600' }), 'cooling'],
    ['401', refuses(401, badKey), 'suspect'],
    ['403', refuses(403, { error: { message: 'no', code: 'account_deactivated' } }), 'suspect'],
    ['503', refuses(503, { error: { code: 'server_is_overloaded', message: 'busy' } }), 'healthy'],
  ])('with %s goes to the next member before the client sees anything', async (_name, refusal, health) => {
    await start({ a: refusal })
    const client = connect()
    await client.opened
    client.socket.send('hello')
    await expect.poll(() => client.heard).toEqual(['hello'])
    expect(upstream.secrets).toEqual(['key-a', 'key-b'])
    expect(rig.health('a')).toBe(health)
    client.socket.close()
    await expect.poll(() => rig.counted).toMatchObject({ requests: ['failed_over'], inflight: 0 })
  })

  it('waits for a recovery that is near, with what the client has sent already', async () => {
    const clock = new FakeClock()
    await start({ a: refuses(429, limited, { 'retry-after': '5' }) }, { members: ['a'], maxWaitMs: 10_000, clock })
    const client = rig.raw(
      Buffer.concat([Buffer.from(handshake()), Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69])]),
      /hi$/,
    )
    await expect.poll(() => rig.health('a')).toBe('cooling')
    upstream.on('key-a', echo)
    await clock.advance(6_000)
    expect(await client).toMatch(/^HTTP\/1\.1 101 /)
    expect(upstream.secrets).toEqual(['key-a', 'key-a'])
    expect(rig.health('a')).toBe('healthy')
  })

  it('that waits for a recovery is forgotten when its client leaves', async () => {
    await start({ a: refuses(429, limited, { 'retry-after': '5' }) }, { members: ['a'], maxWaitMs: 10_000 })
    const client = connect()
    await expect.poll(() => rig.health('a')).toBe('cooling')
    expect(rig.counted.inflight).toBe(1)
    client.socket.terminate()
    await expect.poll(() => rig.counted).toMatchObject({ requests: ['client_gone'], inflight: 0 })
  })

  it('before anybody was asked is answered in the words of the pool’s own dialect', async () => {
    await start({}, { provider: 'gemini', members: ['a'] })
    await rig.engine.setEnabled('a', false, 'test')
    const { status, text } = await connect({ path: '/ws/live' }).refused
    expect([status, JSON.parse(text).error.status]).toEqual([429, 'RESOURCE_EXHAUSTED'])
    expect(upstream.seen).toEqual([])
  })

  it('by everybody is answered over HTTP in the dialect’s words, and the connection closed', async () => {
    await start({ a: refuses(429, quota), b: refuses(429, quota) })
    const { status, headers, text } = await connect().refused
    expect(status).toBe(429)
    expect(headers).toMatchObject({ connection: 'close', 'retry-after': expect.stringMatching(/^\d+$/) })
    expect(JSON.parse(text)).toMatchObject({ error: { type: 'usage_limit_reached' } })
    await expect.poll(() => rig.counted).toMatchObject({ requests: ['exhausted'], inflight: 0 })
    const again = await connect().refused
    expect(again.status).toBe(429)
    expect(upstream.secrets).toEqual(['key-a', 'key-b'])
  })

  it('for the request’s own fault is passed on as it is', async () => {
    await start({ a: refuses(400, { error: { message: 'no such model key-a', code: 'model_not_found' } }) })
    const { status, text } = await connect().refused
    expect([status, JSON.parse(text).error.code]).toEqual([400, 'model_not_found'])
    expect(text).not.toContain('key-a')
    expect(upstream.secrets).toEqual(['key-a'])
    expect(rig.counted.requests).toEqual(['client_error'])
  })

  it.each([['an endless body', (socket: { write(text: string): void }) => socket.write(`${'x'.repeat(100_000)}`)]])(
    'with %s is no way around the limits',
    async (_name, write) => {
      const raw: Greeting = {
        raw: (_request, socket) => {
          socket.write('HTTP/1.1 400 No\r\ncontent-length: 10000000\r\n\r\n')
          write(socket)
        },
      }
      await start({ a: raw })
      expect((await connect().refused).status).toBe(502)
    },
  )

  it.each([
    ['200', 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'],
    ['garbage', 'SMTP ready\r\n\r\n'],
    ['101 without its key', 'HTTP/1.1 101 Y\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n'],
  ])('by %s is a fault of the upstream', async (_name, bytes) => {
    await start({ a: { raw: (_request, socket) => socket.write(bytes) } })
    const { status, text } = await connect().refused
    expect([status, JSON.parse(text).error.code]).toEqual([502, 'upstream_protocol'])
    expect(rig.health('a')).toBe('healthy')
    await expect.poll(() => upstream.connections).toBe(0)
  })

  it('that never comes ends at the deadline', async () => {
    await start({ a: { raw: () => {} } }, { upstream: { headMs: 300 } })
    expect((await connect().refused).status).toBe(504)
    await expect.poll(() => upstream.connections).toBe(0)
  })

  it('by a certificate that nobody has signed blames no member', async () => {
    const server = createServer(selfSigned)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    await start({}, { members: ['a'], baseUrls: { a: `https://127.0.0.1:${port}` } })
    const { status, text } = await connect().refused
    expect([status, JSON.parse(text).error.code]).toEqual([503, 'upstream_unreachable'])
    expect(rig.health('a')).toBe('healthy')
    expect(rig.counted.attempts).toEqual(['infra'])
    server.close()
  })

  it('of a host that may not be contacted is said', async () => {
    await start({}, { members: ['a'], upstream: { allowPrivate: [] } })
    const { status, text } = await connect().refused
    expect([status, JSON.parse(text).error.code]).toEqual([503, 'upstream_unreachable'])
    expect(upstream.seen).toEqual([])
  })
})

describe('a login whose token has run out', () => {
  it('is renewed while the upgrade waits, and the same member serves', async () => {
    await start({ a: refuses(401, { error: { message: 'expired' } }) }, { auth: 'oauth', provider: 'codex' })
    rig.credentials.renewals.set('a', 'renewed')
    const client = connect({ path: '/responses' })
    await client.opened
    expect(rig.credentials.renewed).toEqual(['a'])
    expect(upstream.secrets).toEqual(['key-a', 'key-a-2'])
  })
})

describe('bytes behind an upgrade request', () => {
  const smuggled = 'GET /pool/v1/files HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer KEY\r\n\r\n'
  const behind = () => smuggled.replace('KEY', rig.key)

  it.each([
    ['the upstream refused', { a: refuses(400, { error: { message: 'no' } }) }, []],
    ['that was malformed', {}, ['Content-Length: 5']],
    ['with a chunked body', {}, ['Transfer-Encoding: chunked']],
    ['with two frames', {}, ['Transfer-Encoding: chunked', 'Content-Length: 5']],
    ['of another version', {}, ['Sec-WebSocket-Version: 8']],
  ])('%s are never another request', async (_name, greetings, more) => {
    await start(greetings)
    const text = await rig.raw(handshake(more) + behind() + behind())
    expect(text).toMatch(/^HTTP\/1\.1 400 /)
    expect(text.match(/HTTP\/1\.1/g)).toHaveLength(1)
    expect(rig.upstream.requests).toEqual([])
  })

  it('do not overtake a request before it, and do not spoil it', async () => {
    await start()
    const text = await rig.raw(behind() + handshake(), /101 Switching[\s\S]*\r\n\r\n/)
    expect(text).toMatch(/^HTTP\/1\.1 404 [\s\S]*HTTP\/1\.1 101 Switching/)
  })

  it('wait for the answers to requests that are not plain, too', async () => {
    await start()
    const chunked = behind()
      .replace('GET', 'POST')
      .replace('\r\n\r\n', '\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n')
    const text = await rig.raw(chunked + chunked + handshake(), /101 Switching[\s\S]*\r\n\r\n/)
    expect(text).toMatch(/^HTTP\/1\.1 404 [\s\S]*HTTP\/1\.1 404 [\s\S]*HTTP\/1\.1 101 Switching/)
  })

  it('get their refusal after the answer to the request before them', async () => {
    await start({}, { webSocket: false })
    const text = await rig.raw(behind() + handshake())
    expect(text).toMatch(/^HTTP\/1\.1 404 [\s\S]*HTTP\/1\.1 426 /)
  })
})

describe('an upgrade that is not let in', () => {
  it('without a known key gets 401 and closes', async () => {
    await start()
    expect((await connect({ key: 'sk-wrong' }).refused).status).toBe(401)
    expect(upstream.seen).toEqual([])
  })

  it('gets 426 where WebSockets are switched off', async () => {
    await start({}, { webSocket: false })
    expect((await connect().refused).status).toBe(426)
    expect(upstream.seen).toEqual([])
  })

  it('to another protocol is served as a plain request', async () => {
    await start({}, { pool: { upstream: null } })
    const text = await rig.raw(
      [
        'POST /pool/v1/chat/completions HTTP/1.1',
        'Host: localhost',
        'Connection: Upgrade, HTTP2-Settings',
        'Upgrade: h2c',
        'HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA',
        `Authorization: Bearer ${rig.key}`,
        'Content-Length: 2',
        '',
        '{}',
      ].join('\r\n'),
      /chat\.completion/,
    )
    expect(text).toMatch(/^HTTP\/1\.1 200 /)
  })
})

describe('a member that can serve no longer', () => {
  it.each([
    ['is disabled', () => rig.engine.setEnabled('a', false, 'test')],
    ['needs a login', () => rig.engine.needsLogin('a', 1, 'refresh-rejected')],
    ['leaves the pool', () => rig.engine.dropMember('pool', 'a', 'test')],
  ])('because it %s loses its sockets, and only its own', async (_name, fall) => {
    await start({}, { pool: { strategy: 'round-robin' } })
    const first = connect()
    await first.opened
    const second = connect()
    await second.opened
    const [ofA, ofB] = upstream.secrets[0] === 'key-a' ? [first, second] : [second, first]
    await fall()
    expect((await ofA.ended).code).toBe(1012)
    expect(ofB.socket.readyState).toBe(WebSocket.OPEN)
  })

  it('loses its sockets also when that is no news', async () => {
    await start({
      a: { accept: (socket) => socket.on('message', () => socket.send(JSON.stringify(errorFrame))) },
    })
    for (const _time of [1, 2]) {
      const [idle, busy] = [connect(), connect()]
      await Promise.all([idle.opened, busy.opened])
      busy.socket.send('go')
      expect((await idle.ended).code).toBe(1012)
      expect((await busy.ended).code).toBe(1012)
      await rig.engine.clear('pool', 'a', 'test')
    }
    expect(rig.told.filter(({ event }) => event.kind === 'cred_cooled')).toHaveLength(1)
    expect(upstream.secrets).toEqual(['key-a', 'key-a', 'key-a', 'key-a'])
  })

  it('because another of its sockets met its limit loses all', async () => {
    await start({
      a: { accept: (socket) => socket.on('message', () => socket.send(JSON.stringify(errorFrame))) },
    })
    const [idle, busy] = [connect(), connect()]
    await Promise.all([idle.opened, busy.opened])
    busy.socket.send('go')
    expect((await busy.ended).code).toBe(1012)
    expect((await idle.ended).code).toBe(1012)
  })
})

describe('a drain', () => {
  it('closes sockets that are quiet, and those that are not at its end', async () => {
    await start({ a: { accept: () => {} } })
    const [quiet, busy] = [connect(), connect()]
    await Promise.all([quiet.opened, busy.opened])
    busy.socket.send('a question without an answer')
    const before = performance.now()
    const drained = rig.proxy.drain(4_000)
    expect((await quiet.ended).code).toBe(1012)
    expect(performance.now() - before).toBeLessThan(2_000)
    expect(busy.socket.readyState).toBe(WebSocket.OPEN)
    expect((await busy.ended).code).toBe(1012)
    await drained
    expect(rig.counted.inflight).toBe(0)
  })
})

describe('while it drains, the proxy', () => {
  it('opens no WebSocket on a connection that it still has', async () => {
    await start()
    const socket = rig.socket()
    let text = ''
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString()
    })
    socket.write('GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n')
    await expect.poll(() => text).toContain('ok\n')
    const drained = rig.proxy.drain(2_000)
    socket.write(handshake())
    await drained
    expect(text).toContain('503 Service Unavailable')
    expect(text).toContain('"draining"')
    expect(upstream.seen).toEqual([])
  })
})

describe('the openai SDK’s realtime client', () => {
  it('connects although the first member is at its limit', async () => {
    await start({ a: refuses(429, limited), b: says({ type: 'session.created', session: { model: 'gpt-realtime' } }) })
    const openai = new OpenAI({ baseURL: `http://127.0.0.1:${rig.port}/pool/v1`, apiKey: rig.key })
    // The SDK speaks TLS alone; what is tried here is plain.
    const realtime = plainly(() => new OpenAIRealtimeWS({ model: 'gpt-realtime' }, openai))
    const created = new Promise((resolve) => realtime.on('session.created', resolve))
    expect(await created).toMatchObject({ session: { model: 'gpt-realtime' } })
    expect(upstream.secrets).toEqual(['key-a', 'key-b'])
    realtime.close()
  })
})

/** Makes `wss:` URLs plain while `make` runs. */
function plainly<Result>(make: () => Result): Result {
  const { protocol } = Object.getOwnPropertyDescriptors(URL.prototype)
  if (!protocol?.set) throw new Error('URL has no protocol to set')
  const { set } = protocol
  Object.defineProperty(URL.prototype, 'protocol', {
    ...protocol,
    set(this: URL, value: string) {
      set.call(this, value === 'wss' ? 'ws' : value)
    },
  })
  try {
    return make()
  } finally {
    Object.defineProperty(URL.prototype, 'protocol', protocol)
  }
}
