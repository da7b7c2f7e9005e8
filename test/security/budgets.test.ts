/** A25: what clients announce takes nothing from anybody; budgets count what is held, and limits are told to those whom they meet. */
import type { Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { FakeClock } from '../../internal/clock/clock.ts'
import { type Rig, type RigOptions, startRig } from '../fakes/rig/rig.ts'
import { answer, behind, Gate, happy, silence } from '../fakes/upstream/upstream.ts'

const mib = 1_048_576
const limited = answer(429, { 'retry-after': '60' }, { error: { code: 'rate_limit_exceeded', message: 'm' } })

let rig: Rig
const sockets: Socket[] = []

async function start(options: RigOptions = {}): Promise<void> {
  rig = await startRig(options)
}

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy()
  return rig.close()
})

/** A connection that announces a body and sends a part of it. */
function announce(frame: string, part: string | Buffer): Socket {
  const socket = rig.socket()
  sockets.push(socket)
  socket.write(`POST /pool/v1/x HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${rig.key}\r\n${frame}\r\n\r\n`)
  socket.write(part)
  return socket
}

/** Whether a request of somebody else is sent to another member when the first refuses. */
async function failsOver(): Promise<void> {
  rig.upstream.on('key-a').always(limited)
  const { status, headers } = await rig.ask({ body: 'x'.repeat(100_000) })
  expect([status, headers['x-spillway-attempts']]).toEqual([200, '2'])
}

describe('others keep their failover', () => {
  it.each([
    ['announce 32 MiB and send one byte', 8, `Content-Length: ${32 * mib}`, '{'],
    ['announce 300 KB and send half of it', 40, 'Content-Length: 300000', Buffer.alloc(150_000, 'x')],
    ['begin a chunk of 32 MiB', 8, 'Transfer-Encoding: chunked', '2000000\r\n{'],
    ['announce 32 MiB and send nothing', 300, `Content-Length: ${32 * mib}`, ''],
    ['announce more than is held of one body', 8, `Content-Length: ${33 * mib}`, '{'],
  ])('while clients %s', async (_, count, frame, part) => {
    await start()
    for (let at = 0; at < count; at++) announce(frame, part)
    await expect.poll(() => rig.proxy.inFlight).toBe(count)
    await failsOver()
  })

  it('again when those are gone that held as much as there is', async () => {
    await start({ replay: { maxTotalBytes: 4 * mib } })
    const holders = Array.from({ length: 4 }, () =>
      announce(`Content-Length: ${2 * mib}`, Buffer.alloc(mib - 1_000, 'x')),
    )
    await expect.poll(() => rig.proxy.inFlight).toBe(4)
    for (const holder of holders) holder.destroy()
    await expect.poll(() => rig.proxy.inFlight).toBe(0)
    await failsOver()
  })
})

it('a body that finds no room any more streams from there, whole', async () => {
  await start({ replay: { maxTotalBytes: 3 * mib } })
  const bodies = Array.from({ length: 4 }, (_, at) => Buffer.alloc(2 * mib, String(at)))
  const answers = await Promise.all(bodies.map((body) => rig.ask({ body })))
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200])
  const seen = rig.upstream.requests.map(({ body }) => body)
  for (const body of bodies) expect(seen.some((each) => each.equals(body))).toBe(true)
})

it('tiny pieces take little more memory than their bytes', async () => {
  await start()
  const before = process.memoryUsage().arrayBuffers
  const clients = Array.from({ length: 200 }, () => announce('Content-Length: 8000', '{'))
  for (let byte = 0; byte < 20; byte++) {
    for (const socket of clients) socket.write('x')
    await new Promise((resolve) => setImmediate(resolve))
  }
  await expect.poll(() => rig.proxy.inFlight).toBe(200)
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(200 * 20_000)
})

describe('when all connections to an upstream are in use', () => {
  it('a request waits as long as connecting may take, and is then told so in the words of its API', async () => {
    const clock = new FakeClock()
    await start({ clock, provider: 'anthropic', upstream: { connections: 2, connectMs: 10_000, headMs: 900_000 } })
    rig.upstream.on('key-a').always(silence)
    const streams = [rig.ask(), rig.ask()].map((ask) => ask.catch(() => null))
    await rig.upstream.received(2)
    const third = rig.ask()
    await expect.poll(() => rig.proxy.upstreams()).toMatchObject([{ open: 2, most: 2, waiting: 1, refused: 0 }])
    await clock.advance(9_000)
    expect(rig.proxy.inFlight).toBe(3)
    await clock.advance(2_000)
    const { status, headers, json } = await third
    expect([status, headers['retry-after'], json]).toMatchObject([
      503,
      '5',
      { type: 'error', error: { message: expect.stringContaining('upstream.connections') } },
    ])
    expect(rig.proxy.upstreams()).toMatchObject([{ open: 2, waiting: 0, refused: 1 }])
    expect(rig.health('a')).toBe('healthy')
    await rig.proxy.close()
    await Promise.all(streams)
  })

  it('a request that waits is served as soon as one is free', async () => {
    await start({ upstream: { connections: 1 } })
    const gate = new Gate()
    rig.upstream.on('key-a').once(behind(gate, happy))
    const first = rig.ask()
    await gate.reached
    const second = rig.ask()
    await expect.poll(() => rig.proxy.upstreams()[0]?.waiting).toBe(1)
    gate.open()
    expect([(await first).status, (await second).status]).toEqual([200, 200])
    expect(rig.proxy.upstreams()).toMatchObject([{ open: 1, waiting: 0, refused: 0 }])
  })
})
