import { afterEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { FakeClock } from '../../../internal/clock/clock.ts'
import type { Rig, RigOptions } from '../../fakes/rig/rig.ts'
import { connectTo, type Wish } from '../../fakes/rig/websocket-client.ts'
import { webSocketStage } from '../../fakes/rig/websocket-rig.ts'
import { type Greeting, refuses, says, type WebSocketUpstream } from '../../fakes/upstream/websocket-upstream.ts'

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
const errorFrame = { type: 'error', status: 429, error: { type: 'usage_limit_reached', resets_in_seconds: 600 } }

const connect = (wish: Wish = {}) => connectTo(rig, wish)

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

  it('later is hidden, too, and the member’s sockets are closed', async () => {
    await start({ a: says({ type: 'session.created' }, errorFrame) })
    const client = connect()
    expect((await client.ended).code).toBe(1012)
    expect(client.heard).toEqual(['{"type":"session.created"}'])
    expect(rig.health('a')).toBe('cooling')
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

  it('of an overloaded upstream goes to the client where nobody else serves, and counts as what it is', async () => {
    const busy = { type: 'error', status: 503, error: { code: 'server_is_overloaded', message: 'busy' } }
    await start({ a: says(busy) }, { members: ['a'] })
    const client = connect()
    await expect.poll(() => client.heard).toEqual([JSON.stringify(busy)])
    client.socket.close()
    await expect.poll(() => rig.counted).toMatchObject({ attempts: ['overloaded'], requests: ['upstream_error'] })
    expect(rig.health('a')).toBe('healthy')
  })
})

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

  it('and cannot be renewed now is not told as a 401, on which clients drop their login', async () => {
    await start({ a: says(expired) }, login)
    const client = connect({ path: '/responses' })
    expect((await client.ended).code).toBe(1012)
    expect(client.heard).toEqual([])
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
