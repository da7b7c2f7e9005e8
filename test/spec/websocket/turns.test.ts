import type { Duplex } from 'node:stream'
import { afterEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { FakeClock } from '../../../internal/clock/clock.ts'
import type { Rig, RigOptions } from '../../fakes/rig/rig.ts'
import { connectTo } from '../../fakes/rig/websocket-client.ts'
import { webSocketStage } from '../../fakes/rig/websocket-rig.ts'
import { type Greeting, says, type WebSocketUpstream } from '../../fakes/upstream/websocket-upstream.ts'

let rig: Rig
let upstream: WebSocketUpstream

async function start(greetings: Record<string, Greeting> = {}, options: RigOptions = {}): Promise<void> {
  ;({ rig, upstream } = await webSocketStage(greetings, { provider: 'codex', ...options }))
}

afterEach(async () => {
  await rig.close()
  await upstream.close()
})

const connect = () => connectTo(rig, { path: '/responses' })

const created = { type: 'response.created', response: { id: 'r' } }
const delta = { type: 'response.output_text.delta', delta: 'Hel' }
const completed = { type: 'response.completed', response: { id: 'r' } }
const busy = { type: 'error', status: 503, error: { code: 'server_is_overloaded', message: 'busy' } }
const atCapacity = {
  type: 'response.failed',
  response: { id: 'r', error: { code: 'server_error', message: 'Selected model is at capacity. Please try again.' } },
}
const usedUp = { type: 'error', status: 429, error: { type: 'usage_limit_reached', resets_in_seconds: 600 } }
const fault = { type: 'error', status: 400, error: { type: 'invalid_request_error', message: 'no such tool' } }
const long = { ...created, response: { id: 'r', instructions: 'x'.repeat(100_000) } }

/** Answers each message of the client with the next of these turns. */
function turns(...all: (object | string)[][]): Greeting {
  const left = [...all]
  return {
    accept(socket) {
      socket.on('message', () => {
        for (const message of left.shift() ?? []) {
          socket.send(typeof message === 'string' ? message : JSON.stringify(message))
        }
      })
    },
  }
}

/** Asks for a turn and hears it to the message of that type, or to the end of the WebSocket. */
async function turn(client: ReturnType<typeof connect>, last = 'response.completed'): Promise<void> {
  client.socket.send('{"type":"response.create"}')
  const isOver = () => client.socket.readyState === WebSocket.CLOSED || client.heard.some((text) => text.includes(last))
  await expect.poll(isOver).toBe(true)
}

const served = () => turns([created, delta, completed], [created, delta, completed])

describe('the refusal of a later turn', () => {
  it.each([
    ['a used-up window', [usedUp], 'cooling'],
    ['overload', [busy], 'healthy'],
    ['want of capacity', [created, atCapacity], 'healthy'],
    ['a used-up window after mere beginnings', [created, { type: 'response.in_progress' }, usedUp], 'cooling'],
    ['a used-up window after content', [created, delta, usedUp], 'cooling'],
    ['an error of more than 64 KiB', [{ ...usedUp, pad: 'x'.repeat(100_000) }], 'cooling'],
  ])('for %s is hidden, and the client that comes again is served by another member', async (_name, second, health) => {
    await start({ a: turns([created, delta, completed], second), b: served() })
    const client = connect()
    await client.opened
    await turn(client)
    client.heard.length = 0
    await turn(client)
    expect([1006, 1012]).toContain((await client.ended).code)
    expect(client.heard.join()).not.toMatch(/"error"|response\.failed/)
    expect(rig.health('a')).toBe(health)
    const again = connect()
    await again.opened
    await turn(again)
    expect(again.heard.at(-1)).toBe(JSON.stringify(completed))
    expect(upstream.secrets).toEqual(['key-a', 'key-b'])
  })

  it('that is the fault of the request goes to the client, whose WebSocket stays open', async () => {
    await start({ a: turns([created, delta, completed], [fault], [created, delta, completed]) })
    const client = connect()
    await client.opened
    await turn(client)
    client.heard.length = 0
    await turn(client, 'no such tool')
    await turn(client)
    expect(client.heard[0]).toBe(JSON.stringify(fault))
    expect(upstream.secrets).toEqual(['key-a'])
  })

  it('is shown where nobody else serves', async () => {
    await start({ a: turns([created, delta, completed], [busy]) }, { members: ['a'] })
    const client = connect()
    await client.opened
    await turn(client)
    await turn(client, 'busy')
    expect(client.heard.at(-1)).toBe(JSON.stringify(busy))
  })

  it('is shown when the member before refused for the same reason', async () => {
    await start({ a: says(busy), b: says(busy) })
    expect((await connect().ended).code).toBe(1012)
    const again = connect()
    await expect.poll(() => again.heard).toEqual([JSON.stringify(busy)])
    expect(upstream.secrets).toEqual(['key-a', 'key-b'])
  })

  it('whose frame comes in pieces is never completed', async () => {
    let connection: Duplex | null = null
    await start({
      a: {
        accept(socket, raw) {
          connection = raw
          socket.on('message', () => socket.send(JSON.stringify(delta)))
        },
      },
    })
    const client = connect()
    await client.opened
    await turn(client, 'delta')
    const text = Buffer.from(JSON.stringify(usedUp))
    const frame = Buffer.concat([Buffer.from([0x81, text.length]), text])
    const raw = connection as Duplex | null
    raw?.write(frame.subarray(0, 20))
    await new Promise((resolve) => setImmediate(resolve))
    raw?.write(frame.subarray(20))
    expect([1006, 1012]).toContain((await client.ended).code)
    expect(client.heard).toEqual([JSON.stringify(delta)])
    expect(rig.health('a')).toBe('cooling')
  })
})

describe('the first words of a server', () => {
  it.each([
    ['a lifecycle message of more than 64 KiB', [long, usedUp]],
    ['a refusal of more than 64 KiB', [{ ...usedUp, pad: 'x'.repeat(100_000) }]],
    ['two of 34 KiB', [{ ...created, pad: 'x'.repeat(34_000) }, { ...created, pad: 'x'.repeat(34_000) }, usedUp]],
  ])('that are %s are understood', async (_name, words) => {
    await start({ a: says(...words) })
    const client = connect()
    expect((await client.ended).code).toBe(1012)
    expect(client.heard).toEqual([])
    expect(rig.health('a')).toBe('cooling')
  })

  it('without content are held back for a minute with Codex, and then go on as they came', async () => {
    const clock = new FakeClock()
    await start({ a: says(created) }, { clock })
    const client = connect()
    await client.opened
    await clock.advance(59_000)
    expect(client.heard).toEqual([])
    const isHeard = async () => {
      await clock.advance(500)
      return client.heard
    }
    await expect.poll(isHeard).toEqual([JSON.stringify(created)])
  })

  it('refuse also after most of that minute', async () => {
    const clock = new FakeClock()
    await start({ a: says(created) }, { clock })
    const client = connect()
    await client.opened
    await clock.advance(50_000)
    upstream.accepted[0]?.send(JSON.stringify(atCapacity))
    expect((await client.ended).code).toBe(1012)
    expect(client.heard).toEqual([])
    const again = connect()
    await again.opened
    expect(upstream.secrets).toEqual(['key-a', 'key-b'])
  })
})
