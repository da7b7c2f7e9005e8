/** The data port of a Node that does not expose its parser: node:http reads the requests, and keeps every connection. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FakeClock } from '../../clock/clock.ts'
import { Inbound } from '../../proxy/admission/inbound.ts'
import { frameOf } from '../framing.ts'
import type { IncomingRequest, OutgoingResponse } from '../messages.ts'
import { HttpServer } from './server.ts'

const clock = new FakeClock()
const seen: string[] = []

/** Answers with the body that it was sent; without a Host with 400 that closes. */
const handler = {
  rejection: () => ({ status: 400, headers: [], body: '' }),
  handle(request: IncomingRequest, response: OutgoingResponse) {
    if (typeof frameOf(request.rawHeaders, request.httpVersion) === 'string') {
      response.writeHead(400, ['content-length', '0', 'connection', 'close']).end()
      return
    }
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks)
      seen.push(`${request.method} ${body}`)
      response.writeHead(200, ['content-length', String(body.length)]).end(body)
    })
  },
}

let server: HttpServer
let port: number

beforeEach(async () => {
  seen.length = 0
  server = new HttpServer({ handler, clock, log: { error() {} }, identity: null }, new Inbound(), false)
  port = (await server.listen('127.0.0.1', 0)).port
})

afterEach(() => server.close())

const client = (): Socket => connect({ port, host: '127.0.0.1', allowHalfOpen: true }).on('error', () => {})
const lines = (...all: readonly string[]) => `${all.join('\r\n')}\r\n\r\n`
const statuses = (text: string) => [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status))

/** All that comes until the server ends the connection. */
async function answered(bytes: string): Promise<string> {
  const socket = client()
  let text = ''
  socket.on('data', (chunk: Buffer) => {
    text += chunk
  })
  socket.write(bytes)
  await Promise.race([once(socket, 'end'), once(socket, 'close')])
  socket.destroy()
  return text
}

const last = lines('GET / HTTP/1.1', 'Host: a', 'Connection: close')
const webSocket = ['Host: a', 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Key: x']

describe('node:http', () => {
  it.each([
    ['of known length', ['Content-Length: 5'], 'hello'],
    ['in chunks', ['Transfer-Encoding: chunked'], '5\r\nhello\r\n0\r\n\r\n'],
  ])('serves one request of a connection, with a body %s', async (_, frame, body) => {
    const post = lines('POST / HTTP/1.1', 'Host: a', ...frame) + body
    expect(statuses(await answered(post + post + last))).toEqual([200])
    expect(seen).toEqual(['POST hello'])
  })

  it('answers a request that offers an upgrade as one that does not', async () => {
    expect(statuses(await answered(lines('GET / HTTP/1.1', ...webSocket) + last))).toEqual([200])
    const post = lines('POST / HTTP/1.1', 'Host: a', 'Connection: Upgrade', 'Upgrade: h2c', 'Content-Length: 5')
    expect(await answered(`${post}hello`)).toMatch(/hello$/)
  })

  it('says nothing behind an answer that closes', async () => {
    expect(statuses(await answered(lines('GET / HTTP/1.1') + lines('GET / HTTP/1.1', ...webSocket)))).toEqual([400])
    expect(statuses(await answered(`${lines('GET / HTTP/1.1')}NONSENSE\r\n\r\n`))).toEqual([400])
    expect(statuses(await answered('NONSENSE\r\n\r\n'))).toEqual([400])
    expect(seen).toEqual([])
  })

  it('outlives resets, and lets nothing stay of refused clients that do not close', async () => {
    for (const bytes of [
      lines('CONNECT a:1 HTTP/1.1', 'Host: a:1'),
      lines('GET / HTTP/1.1'),
      last,
      'NONSENSE\r\n\r\n',
    ]) {
      const socket = client()
      await once(socket, 'connect')
      socket.write(bytes)
      await new Promise((resolve) => setImmediate(resolve))
      socket.resetAndDestroy()
    }
    const lingering = client().resume()
    lingering.write(lines('GET / HTTP/1.1'))
    await once(lingering, 'end')
    await expect
      .poll(async () => {
        await clock.advance(2_000)
        lingering.write('x')
        return lingering.destroyed
      })
      .toBe(true)
    expect(statuses(await answered(last))).toEqual([200])
  })
})
