import type { IncomingMessage } from 'node:http'
import OpenAI from 'openai'
import { OpenAIRealtimeWS } from 'openai/realtime/ws'
import { afterEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { FakeClock } from '../../internal/clock/clock.ts'
import { type Rig, type RigOptions, startRig } from '../fakes/rig.ts'
import { type Greeting, refuses, says, type WebSocketUpstream, webSocketUpstream } from '../fakes/websocket-upstream.ts'

let rig: Rig
let upstream: WebSocketUpstream

/** A pool of `a` and `b` before a fake that accepts and echoes, unless `greetings` says otherwise. */
async function start(greetings: Record<string, Greeting> = {}, options: RigOptions = {}): Promise<void> {
  upstream = await webSocketUpstream()
  for (const [member, greeting] of Object.entries(greetings)) upstream.on(`key-${member}`, greeting)
  rig = await startRig({ ...options, pool: { upstream: upstream.url, ...options.pool } })
}

afterEach(async () => {
  await rig.close()
  await upstream.close()
})

const limited = { error: { type: 'requests', code: 'rate_limit_exceeded', message: 'slow down' } }
const quota = { error: { type: 'usage_limit_reached', message: 'used up', resets_in_seconds: 600 } }
const badKey = { error: { type: 'invalid_request_error', code: 'invalid_api_key', message: 'no' } }
const errorFrame = { type: 'error', status: 429, error: { type: 'usage_limit_reached', resets_in_seconds: 600 } }

interface Ended {
  readonly code: number
  readonly reason: string
}

/** A client's WebSocket that keeps what it hears. */
class Client {
  readonly socket: WebSocket
  readonly heard: string[] = []
  readonly ended: Promise<Ended>
  readonly refused: Promise<{ status: number; headers: IncomingMessage['headers']; text: string }>
  readonly opened: Promise<void>

  constructor(url: string, protocols: string[], headers: Record<string, string>) {
    this.socket = new WebSocket(url, protocols, { headers })
    this.socket.on('message', (data) => this.heard.push(data.toString()))
    this.socket.on('error', () => {})
    this.opened = new Promise((resolve) => this.socket.on('open', () => resolve()))
    this.ended = new Promise((resolve) => {
      this.socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }))
    })
    this.refused = new Promise((resolve) => {
      this.socket.on('unexpected-response', (_request, response) => {
        let text = ''
        response.on('data', (chunk: Buffer) => {
          text += chunk.toString()
        })
        response.on('close', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }))
      })
    })
  }
}

function connect(
  about: { path?: string; protocols?: string[]; headers?: Record<string, string>; key?: string | null } = {},
): Client {
  const { path = '/v1/realtime?model=gpt-realtime', protocols = [], headers = {}, key = rig.key } = about
  const all = key === null ? headers : { authorization: `Bearer ${key}`, ...headers }
  return new Client(`ws://127.0.0.1:${rig.port}/pool${path}`, protocols, all)
}

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
    const before = performance.now()
    await expect.poll(() => upstream.connections, { interval: 5 }).toBe(0)
    expect(performance.now() - before).toBeLessThan(100)
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

describe('a login whose token runs out on an open WebSocket', () => {
  const expired = { type: 'error', status: 401, error: { message: 'Your authentication token has expired.' } }
  const login: RigOptions = { auth: 'oauth', provider: 'codex' }

  it('is renewed before the client is asked to come again, which then meets the new token', async () => {
    const clock = new FakeClock()
    await start({ a: says(expired) }, { ...login, clock })
    rig.credentials.renewals.set('a', 'renewed')
    let renew = () => {}
    rig.credentials.renewing = new Promise((resolve) => {
      renew = resolve
    })
    const client = connect({ path: '/responses' })
    await client.opened
    await expect.poll(() => rig.credentials.renewed).toEqual(['a'])
    await clock.advance(9_000)
    expect(client.socket.readyState).toBe(WebSocket.OPEN)
    renew()
    expect((await client.ended).code).toBe(1012)
    expect(client.heard).toEqual([])
    expect(rig.counted).toMatchObject({ attempts: ['auth-expired'], requests: ['passed'] })
    expect(rig.health('a')).toBe('healthy')
    const again = connect({ path: '/responses' })
    await again.opened
    expect(upstream.secrets).toEqual(['key-a', 'key-a-2'])
    expect(kinds()).not.toContain('cred_suspect')
  })

  it('is renewed also in the middle, once for each WebSocket', async () => {
    await start({ a: says({ type: 'response.output_text.delta' }, expired, expired) }, login)
    rig.credentials.renewals.set('a', 'renewed')
    const client = connect({ path: '/responses' })
    expect((await client.ended).code).toBe(1012)
    expect(client.heard[0]).toContain('delta')
    expect(rig.credentials.renewed).toEqual(['a'])
    expect(rig.health('a')).toBe('healthy')
    const again = connect({ path: '/responses' })
    await again.opened
    expect(upstream.secrets).toEqual(['key-a', 'key-a-2'])
  })

  it('and cannot be renewed now goes on, because the next would be told the same', async () => {
    await start({ a: says(expired) }, login)
    const client = connect({ path: '/responses' })
    await expect.poll(() => client.heard).toEqual([JSON.stringify(expired)])
    client.socket.send('hello')
    await expect.poll(() => client.heard).toHaveLength(2)
    expect(rig.credentials.renewed).toEqual(['a'])
    expect(rig.health('a')).toBe('healthy')
  })

  it('and was renewed for the same upgrade becomes a suspect, and the client is sent elsewhere', async () => {
    await start({ a: refuses(401, { error: { message: 'expired' } }) }, login)
    upstream.on('key-a-2', says(expired))
    rig.credentials.renewals.set('a', 'renewed')
    const client = connect({ path: '/responses' })
    expect((await client.ended).code).toBe(1012)
    expect(rig.credentials.renewed[0]).toBe('a')
    expect(kinds()).toContain('cred_suspect')
    expect(upstream.secrets).toEqual(['key-a', 'key-a-2'])
  })

  it('while it is being tested gives back what was, for the next to test with the new token', async () => {
    await recovering(says(expired), login)
    rig.credentials.renewals.set('a', 'renewed')
    expect((await connect({ path: '/responses' }).ended).code).toBe(1012)
    expect(rig.health('a')).toBe('cooling')
    const again = connect({ path: '/responses' })
    again.socket.on('open', () => again.socket.send('hello'))
    await expect.poll(() => again.heard).toEqual(['hello'])
    expect(rig.health('a')).toBe('healthy')
  })

  it('lets its upstream break off meanwhile', async () => {
    await start(
      {
        a: {
          accept(socket) {
            socket.send(JSON.stringify(expired), () => socket.terminate())
          },
        },
      },
      login,
    )
    rig.credentials.renewals.set('a', 'renewed')
    let renew = () => {}
    rig.credentials.renewing = new Promise((resolve) => {
      renew = resolve
    })
    const client = connect({ path: '/responses' })
    await expect.poll(() => rig.credentials.renewed).toEqual(['a'])
    await expect.poll(() => upstream.connections).toBe(0)
    renew()
    expect((await client.ended).code).toBe(1012)
    expect(client.heard).toEqual([])
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

  it('do not overtake a request before it', async () => {
    await start()
    const text = await rig.raw(behind() + handshake())
    expect(text).not.toContain('101 Switching')
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

describe('an error in the first frame', () => {
  it('cools the member, and the client is sent elsewhere without having seen it', async () => {
    await start({ a: says({ type: 'response.created' }, errorFrame) })
    const client = connect()
    expect((await client.ended).code).toBe(1012)
    expect(client.heard).toEqual([])
    expect(rig.health('a')).toBe('cooling')
    const again = connect()
    await again.opened
    expect(upstream.secrets).toEqual(['key-a', 'key-b'])
  })

  it('that no other member could help goes to the client', async () => {
    const fault = { type: 'error', error: { type: 'invalid_request_error', message: 'no such voice' } }
    await start({ a: says(fault) })
    const client = connect()
    await expect.poll(() => client.heard).toEqual([JSON.stringify(fault)])
    expect(rig.health('a')).toBe('healthy')
    expect(client.socket.readyState).toBe(WebSocket.OPEN)
  })

  it('later goes to the client, and the member’s sockets are closed', async () => {
    await start({ a: says({ type: 'session.created' }, errorFrame) })
    const client = connect()
    expect((await client.ended).code).toBe(1012)
    expect(client.heard).toHaveLength(2)
    expect(rig.health('a')).toBe('cooling')
  })
})

/** A pool whose only members have been refused for a minute, which is over; what they say from now on is `greeting`. */
async function recovering(greeting: Greeting, options: RigOptions = {}): Promise<FakeClock> {
  const clock = new FakeClock()
  const refusal = refuses(429, limited, { 'retry-after': '60' })
  await start({ a: refusal, b: refusal }, { members: ['a'], ...options, clock })
  expect((await connect().refused).status).toBe(429)
  await clock.advance(66_000)
  upstream.on('key-a', greeting)
  rig.counted.attempts.length = 0
  rig.counted.requests.length = 0
  return clock
}

const kinds = () => rig.told.map(({ event }) => event.kind)
const silent: Greeting = { accept: () => {} }

describe('a member that is tested by a WebSocket', () => {
  it('is not well with the 101, but with the first message that is no refusal', async () => {
    await recovering(silent)
    const client = connect()
    await client.opened
    upstream.accepted[0]?.send('{"type":"response.created"}')
    upstream.accepted[0]?.ping()
    expect(rig.health('a')).toBe('probing')
    upstream.accepted[0]?.send('{"type":"session.created"}')
    await expect.poll(() => rig.health('a')).toBe('healthy')
    expect(rig.counted.attempts).toEqual(['success'])
    expect(kinds()).toContain('pool_recovered')
  })

  it('cools again with a refusal in the first message, and was never well between', async () => {
    await recovering(says({ type: 'response.created' }, errorFrame))
    const client = connect()
    expect((await client.ended).code).toBe(1012)
    expect(rig.health('a')).toBe('cooling')
    expect(kinds()).not.toContain('pool_recovered')
    expect(rig.counted).toMatchObject({ attempts: ['quota-exhausted'], requests: ['passed'] })
    expect(rig.engine.pool('pool')?.members).toMatchObject([{ health: { reason: 'quota' } }])
  })

  it('is well when its WebSocket is silent for a while, so that nobody waits for a person who types', async () => {
    const clock = await recovering(silent)
    const client = connect()
    await client.opened
    await clock.advance(1_900)
    expect(rig.health('a')).toBe('probing')
    await clock.advance(200)
    expect(rig.health('a')).toBe('healthy')
    await clock.advance(60_000)
    upstream.accepted[0]?.send(JSON.stringify(errorFrame))
    expect((await client.ended).code).toBe(1012)
    expect(client.heard).toEqual([])
    expect(rig.health('a')).toBe('cooling')
  })

  it('is well when mere beginnings are all it says for a while', async () => {
    const clock = await recovering(says({ type: 'response.created' }))
    const client = connect()
    await client.opened
    for (let step = 0; step < 50 && client.heard.length === 0; step++) await clock.advance(100)
    await expect.poll(() => client.heard).toHaveLength(1)
    expect(rig.health('a')).toBe('healthy')
  })

  it('is what it was when the client leaves before a word was said', async () => {
    await recovering(silent)
    const client = connect()
    await client.opened
    client.socket.terminate()
    await expect.poll(() => rig.health('a')).toBe('cooling')
    expect(rig.counted).toMatchObject({ attempts: ['client-gone'], requests: ['client_gone'] })
  })

  it('is what it was when the client closes before a word was said', async () => {
    await recovering(silent)
    const client = connect()
    await client.opened
    client.socket.close(1000)
    await expect.poll(() => rig.health('a')).toBe('cooling')
    expect(rig.counted.attempts).toEqual(['client-gone'])
  })

  it.each([
    ['breaks off', (socket: WebSocket) => socket.terminate()],
    ['closes', (socket: WebSocket) => socket.close(1_000)],
  ])('is what it was when the upstream %s before it said a word', async (_name, end) => {
    await recovering({ accept: end })
    const client = connect()
    await client.ended
    await expect.poll(() => rig.health('a')).toBe('cooling')
    expect(rig.counted).toMatchObject({ attempts: ['upstream-error'], requests: ['upstream_error'] })
    expect(kinds()).not.toContain('pool_recovered')
  })

  it('lets those go who wait for it as soon as it is well', async () => {
    const clock = await recovering(silent, { maxWaitMs: 10_000 })
    const first = connect()
    await first.opened
    const waits = rig.ask()
    await expect.poll(() => rig.engine.pool('pool')?.members[0]?.inFlight).toBe(1)
    await expect.poll(() => rig.counted.inflight).toBe(2)
    expect(rig.counted.attempts).toEqual([])
    upstream.accepted[0]?.send('hello')
    await expect.poll(() => first.heard).toEqual(['hello'])
    await clock.advance(300)
    expect((await waits).status).toBe(404)
  })
})

describe('a first message that refuses', () => {
  it('is no success of the member that was active, and the pointer goes on', async () => {
    await start()
    const before = connect()
    before.socket.on('open', () => before.socket.send('hello'))
    await expect.poll(() => before.heard).toEqual(['hello'])
    before.socket.close()
    await expect.poll(() => rig.counted.requests).toEqual(['served'])
    upstream.on('key-a', says(errorFrame))
    expect((await connect().ended).code).toBe(1012)
    expect(rig.counted.attempts).toEqual(['success', 'quota-exhausted'])
    expect(rig.counted.requests).toEqual(['served', 'passed'])
    const again = connect()
    again.socket.on('open', () => again.socket.send('hello'))
    await expect.poll(() => again.heard).toEqual(['hello'])
    expect(rig.engine.pool('pool')?.active).toBe('b')
    const failovers = rig.told.filter(({ event }) => event.kind === 'cred_failover')
    expect(failovers.map(({ event }) => [event.from, event.to])).toEqual([['a', 'b']])
  })

  it('in a pool that has nobody else is hidden, and the client that comes again is told over HTTP', async () => {
    await start({ a: says(errorFrame) }, { members: ['a'] })
    const client = connect()
    expect((await client.ended).code).toBe(1012)
    expect(client.heard).toEqual([])
    const { status, text } = await connect().refused
    expect([status, JSON.parse(text).error.type]).toEqual([429, 'usage_limit_reached'])
    expect(rig.counted.requests).toEqual(['passed', 'exhausted'])
  })

  it('together with a Close sends the client elsewhere like one alone', async () => {
    await start({
      a: {
        accept(socket, connection) {
          connection.cork()
          socket.send(JSON.stringify(errorFrame))
          socket.close(1_008, 'limit')
          connection.uncork()
        },
      },
    })
    const client = connect()
    expect((await client.ended).code).toBe(1012)
    expect(client.heard).toEqual([])
    expect(rig.counted.requests).toEqual(['passed'])
  })

  it('is hidden also after pings, which are passed on at once', async () => {
    await start({ a: silent })
    const client = connect()
    const pinged = new Promise<string>((resolve) => client.socket.on('ping', (data) => resolve(data.toString())))
    await client.opened
    const before = performance.now()
    upstream.accepted[0]?.ping('are you there')
    expect(await pinged).toBe('are you there')
    expect(performance.now() - before).toBeLessThan(1_000)
    upstream.accepted[0]?.send(JSON.stringify(errorFrame))
    expect((await client.ended).code).toBe(1012)
    expect(client.heard).toEqual([])
  })

  it('of an overloaded upstream goes to the client, and counts as what it is', async () => {
    const busy = { type: 'error', status: 503, error: { code: 'server_is_overloaded', message: 'busy' } }
    await start({ a: says(busy) })
    const client = connect()
    await expect.poll(() => client.heard).toEqual([JSON.stringify(busy)])
    client.socket.close()
    await expect.poll(() => rig.counted).toMatchObject({ attempts: ['overloaded'], requests: ['upstream_error'] })
    expect(rig.health('a')).toBe('healthy')
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
