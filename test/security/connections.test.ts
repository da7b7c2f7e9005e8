/** A24: what clients do to a connection ends with that connection: the process lives, and nothing of it stays open. */
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Program, type Served } from '../fakes/rig/program.ts'
import { type FakeUpstream, fakeUpstream, silence } from '../fakes/upstream/upstream.ts'

let program: Program
let upstream: FakeUpstream
let served: Served
let key: string

beforeAll(async () => {
  program = new Program()
  upstream = await fakeUpstream()
  served = await program.serve()
  key = (await program.ops.keyCreate({ name: 'client' })).key
  await program.ops.credAdd({ name: 'a', provider: 'openai', source: { kind: 'vault', secret: 'sk-a' } })
  await program.ops.poolCreate({ name: 'openai', provider: 'openai', members: ['a'], upstream: upstream.url })
})

beforeEach(() => upstream.forget())

afterAll(async () => {
  program.close()
  await upstream.close()
})

const client = (): Socket => connect(Number(new URL(served.origin).port), '127.0.0.1').on('error', () => {})
const lines = (...all: readonly string[]) => `${all.join('\r\n')}\r\n\r\n`
const host = 'Host: a'
const webSocket = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13']
const upgrade = lines(
  'GET /openai/v1/responses HTTP/1.1',
  host,
  ...webSocket,
  'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
)
const refusedConnect = lines('CONNECT a:1 HTTP/1.1', 'Host: a:1')

/** Sends and resolves with what came until the connection is closed. */
async function answered(bytes: string): Promise<string> {
  const socket = client()
  let text = ''
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
  })
  socket.write(bytes)
  await once(socket, 'close')
  return text
}

const statuses = (text: string) => [...text.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(([, status]) => Number(status))
const lives = async () => {
  expect(served.process.exitCode).toBeNull()
  const { status } = await fetch(`${served.origin}/healthz`)
  expect(status).toBe(200)
}
const descriptors = () => readdirSync(`/proc/${served.process.pid}/fd`).length

describe('the process outlives', () => {
  it.each([
    ['a CONNECT', refusedConnect],
    ['an upgrade that is refused', upgrade],
    ['what is no HTTP', 'NONSENSE\r\n\r\n'],
    ['a request without a host', lines('GET /healthz HTTP/1.1')],
    ['an offer of another protocol', lines('GET /healthz HTTP/1.1', host, 'Connection: Upgrade', 'Upgrade: h2c')],
  ])('%s and a reset', async (_, bytes) => {
    for (const when of ['at once', 'after the answer', 'later']) {
      for (let round = 0; round < 10; round++) {
        const socket = client()
        await once(socket, 'connect')
        socket.write(bytes)
        if (when === 'after the answer') await once(socket, 'data')
        if (when === 'later') await new Promise((resolve) => setTimeout(resolve, 20))
        socket.resetAndDestroy()
      }
    }
    await lives()
  })

  it('an upgrade behind a request that is answered at once', async () => {
    const first = lines('GET /healthz HTTP/1.1', host, 'Expect: 100-continue')
    expect(statuses((await answered(first + upgrade)).replace('HTTP/1.1 100 Continue\r\n\r\n', ''))).toEqual([200, 401])
    await lives()
  })

  it('an upgrade behind a request without a host', async () => {
    expect(statuses(await answered(lines('GET /healthz HTTP/1.1') + upgrade))).toEqual([400])
    await lives()
  })

  it('an upgrade behind every other kind of request', async () => {
    const post = (...more: readonly string[]) => lines('POST /openai/v1/x HTTP/1.1', host, ...more)
    const chunks = '5\r\nhello\r\n0\r\n\r\n'
    const firsts = [
      lines('GET /healthz HTTP/1.1', host),
      lines('GET /nobody HTTP/1.0', 'Connection: keep-alive'),
      lines('GET //healthz HTTP/1.1', host),
      `${post('Transfer-Encoding: chunked')}${chunks}`,
      `${post('Transfer-Encoding: chunked', 'Expect: 100-continue')}${chunks}`,
      `${post('Content-Length: 5', `Authorization: Bearer ${key}`)}hello`,
      `${post('Transfer-Encoding: chunked', `Authorization: Bearer ${key}`)}${chunks}`,
      lines('TRACE /openai HTTP/1.1', host),
      lines('GET /healthz HTTP/1.1', host, 'Connection: close'),
      lines('GET /healthz HTTP/1.1', host, 'Expect: miracles'),
    ]
    for (const first of firsts) expect(statuses(await answered(first + upgrade)).length).toBeGreaterThan(0)
    await lives()
  })
})

describe('no descriptor stays', () => {
  it.each([
    ['refused CONNECTs', refusedConnect],
    ['refused upgrades', upgrade],
    ['what is no HTTP', 'NONSENSE\r\n\r\n'],
  ])('of 150 %s whose clients do not close', async (_, bytes) => {
    await lives()
    const before = descriptors()
    const sockets = Array.from({ length: 150 }, () => {
      const socket = connect({ port: Number(new URL(served.origin).port), host: '127.0.0.1', allowHalfOpen: true })
      socket.on('error', () => {}).resume()
      socket.write(bytes)
      return socket
    })
    await Promise.all(sockets.map((socket) => once(socket, 'end')))
    await expect.poll(descriptors).toBeLessThan(before + 10)
    for (const socket of sockets) socket.destroy()
  })
})

describe('a client that leaves while a request of it waits behind another', () => {
  it.each([
    ['in chunks', lines('POST /openai/v1/x HTTP/1.1', host, 'Transfer-Encoding: chunked')],
    ['for an upgrade', upgrade],
    ['that is none', 'NONSENSE\r\n\r\n'],
    ['that is plain', lines('GET /healthz HTTP/1.1', host)],
  ])('%s leaves nothing in flight', async (_, second) => {
    upstream.on('sk-a').always(silence)
    const first = lines('GET /openai/v1/files HTTP/1.1', host, `Authorization: Bearer ${key}`)
    for (let round = 1; round <= 5; round++) {
      const socket = client()
      socket.write(first)
      await upstream.received(round)
      socket.write(second)
      if (round % 2 === 0) await new Promise((resolve) => setTimeout(resolve, 20))
      socket.resetAndDestroy()
    }
    await expect.poll(async () => (await program.ops.poolStatus({ name: 'openai' })).members[0]?.inFlight).toBe(0)
    await expect.poll(() => upstream.inFlight).toBe(0)
  })
})
