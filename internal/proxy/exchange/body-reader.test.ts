import { once } from 'node:events'
import { Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { answerOf, type Rig, type RigOptions, startRig } from '../../../test/fakes/rig/rig.ts'
import { answer, behind, early, Gate } from '../../../test/fakes/upstream/upstream.ts'
import { FastRequest } from '../../http1/server/fast-request.ts'
import { BodyBudget } from './body-budget.ts'
import { BodyReader } from './body-reader.ts'

let rig: Rig

async function start(options: RigOptions = {}): Promise<void> {
  rig = await startRig(options)
}

afterEach(() => rig?.close())

const limited = answer(429, { 'retry-after': '60' }, { error: { code: 'rate_limit_exceeded', message: 'm' } })

function headOf(lines: readonly string[]): string {
  return [...lines, `Host: 127.0.0.1`, `Authorization: Bearer ${rig.key}`, '', ''].join('\r\n')
}

function chunked(parts: readonly string[], end = '0\r\n\r\n'): string {
  return parts.map((part) => `${part.length.toString(16)}\r\n${part}\r\n`).join('') + end
}

describe('a body', () => {
  it('of known length is sent with that length', async () => {
    await start()
    await rig.ask({ body: 'hello' })
    const [seen] = rig.upstream.requests
    expect([seen?.header('content-length'), seen?.header('transfer-encoding')]).toEqual(['5', null])
    expect(seen?.body.toString()).toBe('hello')
  })

  it('that comes byte by byte is put together', async () => {
    await start()
    const socket = rig.socket()
    const text = once(socket, 'data')
    socket.write(headOf(['POST /pool/v1/x HTTP/1.1', 'Content-Length: 5']))
    for (const letter of 'hello') {
      socket.write(letter)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    expect(String((await text)[0])).toContain('200 OK')
    expect(rig.upstream.requests[0]?.body.toString()).toBe('hello')
    socket.destroy()
  })

  it('in chunks is sent with a length of its own, and again after a failover', async () => {
    await start()
    rig.upstream.on('key-a').always(limited)
    const head = headOf(['POST /pool/v1/x HTTP/1.1', 'Transfer-Encoding: chunked', 'Connection: close'])
    const text = await rig.raw(head + chunked(['hello ', 'world']))
    expect(text).toContain('200 OK')
    expect(rig.upstream.requests.map((seen) => [seen.body.toString(), seen.header('content-length')])).toEqual([
      ['hello world', '11'],
      ['hello world', '11'],
    ])
  })

  it('can belong to a GET or a DELETE', async () => {
    await start()
    for (const method of ['GET', 'DELETE']) {
      const head = headOf([`${method} /pool/v1/x HTTP/1.1`, 'Transfer-Encoding: chunked', 'Connection: close'])
      expect(await rig.raw(head + chunked(['hello']))).toContain('200 OK')
    }
    expect(rig.upstream.requests.map((seen) => [seen.method, seen.body.toString()])).toEqual([
      ['GET', 'hello'],
      ['DELETE', 'hello'],
    ])
  })

  it('with trailers is refused', async () => {
    await start()
    const head = headOf(['POST /pool/v1/x HTTP/1.1', 'Transfer-Encoding: chunked', 'Connection: close'])
    expect(await rig.raw(head + chunked(['hello'], '0\r\nX-Sum: 1\r\n\r\n'))).toContain('400 Bad Request')
    expect(rig.upstream.requests).toHaveLength(0)
  })

  it('is asked for with 100 Continue, which never reaches the upstream', async () => {
    await start()
    const socket = rig.socket()
    const chunks: string[] = []
    socket.on('data', (chunk: Buffer) => chunks.push(chunk.toString()))
    socket.write(headOf(['POST /pool/v1/x HTTP/1.1', 'Content-Length: 5', 'Expect: 100-continue', 'Connection: close']))
    await once(socket, 'data')
    expect(chunks.join('')).toBe('HTTP/1.1 100 Continue\r\n\r\n')
    socket.write('hello')
    await once(socket, 'close')
    expect(chunks.join('')).toContain('200 OK')
    expect(rig.upstream.requests[0]?.header('expect')).toBeNull()
  })

  it('is not asked for when the request is refused anyway', async () => {
    await start()
    const head = 'POST /pool/v1/x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n'
    const text = await rig.raw(head, /}$/)
    expect(text).toContain('401 Unauthorized')
    expect(text).not.toContain('100 Continue')
  })
})

describe('a body that is too long to hold', () => {
  const long = Buffer.alloc(3_000_000, 'x')

  it('streams with its length and a single attempt', async () => {
    await start({ replay: { maxBodyBytes: 1_000_000 } })
    const { status } = await rig.ask({ body: long })
    expect(status).toBe(200)
    expect(rig.upstream.requests[0]?.header('content-length')).toBe('3000000')
    expect(rig.upstream.requests[0]?.body.equals(long)).toBe(true)
  })

  it('is not replayed: while another member could serve, its client is told to come again soon', async () => {
    await start({ replay: { maxBodyBytes: 1_000_000 } })
    rig.upstream.on('key-a').always(limited)
    const { status, headers, json } = await rig.ask({ body: long })
    expect([status, headers['retry-after'], headers['x-spillway-attempts']]).toEqual([503, '1', '1'])
    expect(json).toMatchObject({ error: { code: 'retries_spent' } })
    expect(rig.upstream.served).toEqual(['key-a'])
    expect(rig.health('a')).toBe('cooling')
  })

  it('streams in chunks from the point where it became too long', async () => {
    await start({ replay: { maxBodyBytes: 1_000_000 } })
    const head = headOf(['POST /pool/v1/x HTTP/1.1', 'Transfer-Encoding: chunked', 'Connection: close'])
    const parts = Array.from({ length: 30 }, () => 'y'.repeat(100_000))
    expect(await rig.raw(head + chunked(parts))).toContain('200 OK')
    expect(rig.upstream.requests[0]?.header('transfer-encoding')).toBe('chunked')
    expect(rig.upstream.requests[0]?.body.toString()).toBe(parts.join(''))
  })

  it('gets an early refusal while it is still being sent', async () => {
    await start({ replay: { maxBodyBytes: 1_000_000 } })
    rig.upstream.on('key-a').always(early(answer(401, {}, { error: { code: 'invalid_api_key' } })))
    const request = rig.open({ body: Buffer.alloc(64_000_000, 'x') }).on('error', () => {})
    const { status } = await answerOf(request)
    expect(status).toBe(401)
  })

  it('streams too when all held bodies together would be too long', async () => {
    await start({ replay: { maxBodyBytes: 2_000_000, maxTotalBytes: 2_500_000 } })
    const gate = new Gate()
    rig.upstream.on('key-a').once(behind(gate, answer(200, {}, {})))
    const first = rig.ask({ body: Buffer.alloc(2_000_000) })
    await gate.reached
    rig.upstream.on('key-a').once(limited)
    const second = await rig.ask({ body: Buffer.alloc(2_000_000) })
    expect([second.status, second.headers['x-spillway-attempts']]).toEqual([503, '1'])
    gate.open()
    expect((await first).status).toBe(200)
    rig.upstream.on('key-b').once(limited)
    const third = await rig.ask({ body: Buffer.alloc(2_000_000) })
    expect(third.headers['x-spillway-attempts']).toBe('1')
  })

  it('goes no faster than the upstream takes it', async () => {
    await start({ replay: { maxBodyBytes: 1_000 } })
    const gate = new Gate()
    rig.upstream.on('key-a').always({
      early: true,
      async play({ response, request }) {
        response.req.pause()
        await gate.pass()
        response.req.resume()
        await request.whole
        response.end('{}')
      },
    })
    const request = rig.open({ body: Buffer.alloc(64_000_000) })
    await gate.reached
    const before = process.memoryUsage().arrayBuffers
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20_000_000)
    gate.open()
    expect((await answerOf(request)).status).toBe(200)
  })
})

describe('the budget of held bodies', () => {
  it('gives no more than there is, and again what came back', () => {
    const budget = new BodyBudget(100)
    expect([budget.take(60), budget.take(60), budget.used]).toEqual([true, false, 60])
    budget.give(60)
    expect([budget.take(100), budget.used]).toEqual([true, 100])
  })

  it('is left to others by long bodies, once a quarter of it is in use', () => {
    const budget = new BodyBudget(100)
    expect([budget.take(24), budget.take(40, 0, 40)]).toEqual([true, true])
    expect([budget.take(1, 0, 30), budget.take(10), budget.take(9), budget.used]).toEqual([false, false, true, 73])
    // What one has itself does not count against it.
    expect([budget.take(2, 9, 11), budget.take(2, 9, 20)]).toEqual([false, false])
    budget.give(40)
    expect(budget.take(2, 9, 11)).toBe(true)
  })
})

describe('a body that is given up', () => {
  it('is neither kept nor told when the rest of it comes all the same', () => {
    const budget = new BodyBudget(100)
    const headers = ['Host', 'a', 'Content-Length', '4']
    const head = { method: 'POST', url: '/', version: '1.1', headers, keepAlive: true, upgrade: false }
    const request = new FastRequest(head, new Socket())
    request.handOn()
    const told: string[] = []
    const receiver = { bodyReady: () => told.push('ready'), bodyHasTrailers: () => told.push('trailers') }
    const reader = new BodyReader(request, { length: 4 }, { budget, most: 100 }, receiver)
    reader.start()
    request.take(Buffer.from('ab'), 'own')
    reader.release()
    request.take(Buffer.from('cd'), 'own')
    request.take(Buffer.from('ef'), 'own')
    expect([told, budget.used]).toEqual([[], 0])
  })
})
