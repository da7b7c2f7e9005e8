/** Connections that are read without node:http: what is plain is served, and whatever is not goes the usual way. */
import { once } from 'node:events'
import { afterEach, describe, expect, it } from 'vitest'
import { closing, heard, rawRequests, statuses } from '../../../test/fakes/rig/raw.ts'
import { type Rig, type RigOptions, startRig } from '../../../test/fakes/rig/rig.ts'
import { standstill } from '../../../test/fakes/standstill.ts'
import { answer, behind, early, Gate, silence } from '../../../test/fakes/upstream/upstream.ts'
import { canParseRequests } from './request-parser.ts'

let rig: Rig
async function start(options: RigOptions = {}): Promise<void> {
  rig = await startRig(options)
}
afterEach(() => rig?.close())
const { plain, post, seen } = rawRequests(() => rig)

it('node lets its parser be used', () => {
  expect(canParseRequests).toBe(true)
})

describe('requests of one connection', () => {
  it('in one packet are answered one after the other, in their order', async () => {
    await start()
    const gate = new Gate()
    rig.upstream.on('key-a').once(behind(gate, answer(201, {}, {})))
    const text = rig.raw(post('/v1/one', 'first') + plain('/v1/two') + post('/v1/three', 'third', closing))
    await gate.reached
    expect(rig.upstream.requests).toHaveLength(1)
    gate.open()
    expect(statuses(await text)).toEqual([201, 200, 200])
    expect(seen()).toEqual([
      ['POST', '/v1/one', 'first'],
      ['GET', '/v1/two', ''],
      ['POST', '/v1/three', 'third'],
    ])
  })

  it('may follow in the packet that ends the body before', async () => {
    await start()
    const socket = rig.socket()
    const text = heard(socket)
    socket.write(plain('/v1/one', ['Content-Length: 10'], 'POST'))
    socket.write('01234')
    await expect.poll(() => rig.proxy.inFlight).toBe(1)
    socket.write(`56789${post('/v1/two', 'second', closing)}`)
    await once(socket, 'close')
    expect(statuses(text())).toEqual([200, 200])
    expect(seen()).toEqual([
      ['POST', '/v1/one', '0123456789'],
      ['POST', '/v1/two', 'second'],
    ])
  })

  it('may follow when the one before was refused before its body had come', async () => {
    await start()
    const socket = rig.socket()
    const answered = once(socket, 'data')
    const refused = plain('/v1/one', ['Content-Length: 10'], 'POST').replace('Bearer', 'Bearer no-')
    socket.write(`${refused}01234`)
    expect(String((await answered)[0])).toContain('401 Unauthorized')
    const next = once(socket, 'data')
    socket.write(`56789${plain('/v1/two', closing)}`)
    expect(String((await next)[0])).toContain('200 OK')
    expect(seen()).toEqual([['GET', '/v1/two', '']])
  })

  it('may have more headers than the parser gives at once', async () => {
    await start()
    const many = Array.from({ length: 100 }, (_, at) => `X-Header-${at}: ${'v'.repeat(50)}${at}`)
    expect(statuses(await rig.raw(plain('/v1/one', [...many, ...closing])))).toEqual([200])
    expect(rig.upstream.requests[0]?.header('x-header-99')).toBe(`${'v'.repeat(50)}99`)
    expect(rig.upstream.requests[0]?.path).toBe('/v1/one')
  })

  it('may use any method that node knows', async () => {
    await start()
    for (const method of ['PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'M-SEARCH']) {
      expect(statuses(await rig.raw(plain('/v1/x', closing, method)))).toEqual([200])
    }
    expect(seen().map(([method]) => method)).toEqual(['PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'M-SEARCH'])
  })
})

describe('a client that does not read its answers', () => {
  it('is not read, either, until it does', async () => {
    await start()
    rig.upstream.on('key-a').always(answer(200, {}, Buffer.alloc(50_000, 'x')))
    const socket = rig.socket()
    socket.pause()
    // Of 256 bytes each, so that no read ends in the middle of a head.
    const padded = (more: readonly string[]) => plain('/v1/x', [...more, `X: ${'x'.repeat(256)}`])
    const cut = (text: string) => text.replace(/x+(?=\r\n\r\n$)/, (pad) => pad.slice(text.length - 256))
    for (let at = 0; at < 1_999; at++) socket.write(cut(padded([])))
    socket.write(cut(padded(closing)))
    expect(await standstill(() => rig.upstream.requests.length)).toBeLessThan(1_000)
    const text = heard(socket)
    socket.resume()
    await once(socket, 'close')
    expect(statuses(text())).toHaveLength(2_000)
  })
})

describe('a request behind another', () => {
  it('whose body is long is read as soon as it is its turn', async () => {
    await start()
    const gate = new Gate()
    rig.upstream.on('key-a').once(behind(gate, answer(200, {}, {})))
    const socket = rig.socket()
    const text = heard(socket)
    socket.write(post('/v1/one', '{}'))
    await gate.reached
    const length = 80_000_000
    socket.write(plain('/v1/two', [`Content-Length: ${length}`, ...closing], 'POST'))
    for (let sent = 0; sent < length; sent += 1_000_000) socket.write(Buffer.alloc(1_000_000, 'x'))
    // The kernel holds some 40 MB.
    expect(await standstill(() => socket.bytesWritten - socket.writableLength)).toBeLessThan(60_000_000)
    gate.open()
    await once(socket, 'close')
    expect(statuses(text())).toEqual([200, 200])
    expect(rig.upstream.requests[1]?.body.length).toBe(length)
  })
})

describe('a body that is sent on as it comes', () => {
  it.each([false, true])('does not hide that its client leaves (after its head: %s)', async (after) => {
    await start({ replay: { maxBodyBytes: 10 } })
    rig.upstream.on('key-a').once(silence)
    const socket = rig.socket()
    const body = 'x'.repeat(200_000)
    const head = plain('/v1/one', [`Content-Length: ${body.length}`], 'POST')
    socket.write(after ? head : head + body)
    if (after) {
      await expect.poll(() => rig.proxy.inFlight).toBe(1)
      socket.write(body)
    }
    await rig.upstream.received(1)
    await expect.poll(() => rig.upstream.requests[0]?.body.length).toBe(body.length)
    socket.destroy()
    await expect.poll(() => rig.proxy.inFlight).toBe(0)
    expect(rig.counted.requests).toEqual(['client_gone'])
  })

  it('and is refused early is taken to its end, so that its client reads why', async () => {
    await start({ replay: { maxBodyBytes: 10 } })
    rig.upstream.on('key-a').always(early(answer(400, {}, { error: { message: 'no' } })))
    const socket = rig.socket()
    const length = 20_000_000
    socket.write(plain('/v1/one', [`Content-Length: ${length}`], 'POST'))
    socket.pause()
    await new Promise<void>((resolve) => socket.write(Buffer.alloc(length, 'x'), () => resolve()))
    const text = heard(socket)
    socket.resume()
    await once(socket, 'close')
    expect(statuses(text())).toEqual([400])
  })
})

describe('what is not plain', () => {
  it('is served when it comes first, and so is what follows on the connection', async () => {
    await start()
    const chunked = `${plain('/v1/one', ['Transfer-Encoding: chunked'], 'POST')}5\r\nhello\r\n0\r\n\r\n`
    expect(statuses(await rig.raw(chunked + plain('/v1/two', closing)))).toEqual([200, 200])
    expect(seen().sort()).toEqual([
      ['GET', '/v1/two', ''],
      ['POST', '/v1/one', 'hello'],
    ])
  })

  it('is served behind plain requests that have been answered', async () => {
    await start()
    const socket = rig.socket()
    const first = once(socket, 'data')
    socket.write(plain('/v1/one'))
    await first
    const second = once(socket, 'data')
    socket.write(`${plain('/v1/two', ['Transfer-Encoding: chunked', ...closing], 'POST')}5\r\nhello\r\n0\r\n\r\n`)
    expect(String((await second)[0])).toContain('200 OK')
    expect(seen()[1]).toEqual(['POST', '/v1/two', 'hello'])
  })

  it('is served after the request that is under way when it comes', async () => {
    await start()
    const gate = new Gate()
    rig.upstream.on('key-a').once(behind(gate, answer(200, {}, {})))
    const socket = rig.socket()
    const text = heard(socket)
    socket.write(plain('/v1/one'))
    await gate.reached
    socket.write(`${plain('/v1/two', ['Transfer-Encoding: chunked'], 'POST')}5\r\nhello\r\n0\r\n\r\n`)
    socket.write(plain('/v1/three', closing))
    gate.open()
    await once(socket, 'close')
    expect(statuses(text())).toEqual([200, 200, 200])
    expect(seen()).toEqual([
      ['GET', '/v1/one', ''],
      ['POST', '/v1/two', 'hello'],
      ['GET', '/v1/three', ''],
    ])
  })

  it.each([
    ['as one', (text: string) => [text]],
    ['in pieces', (text: string) => text.match(/[\s\S]{1,40}/g) ?? []],
  ])('does not spoil the request before it when it is none and comes with it %s', async (_, cut) => {
    await start()
    const socket = rig.socket()
    const text = heard(socket)
    for (const piece of cut(`${plain('/v1/one')}SSH-2.0-OpenSSH\r\n\r\n`)) {
      socket.write(piece)
      await new Promise((resolve) => setImmediate(resolve))
    }
    await once(socket, 'close')
    expect(statuses(text())).toEqual([200, 400])
  })

  it('that waits behind a request does not hide that its client leaves', async () => {
    await start()
    const gate = new Gate()
    rig.upstream.on('key-a').once(behind(gate, answer(200, {}, {})))
    const socket = rig.socket()
    socket.write(plain('/v1/one') + plain('/v1/two'))
    await gate.reached
    socket.write(`${plain('/v1/three', ['Transfer-Encoding: chunked'], 'POST')}0\r\n\r\n`)
    socket.destroy()
    await expect.poll(() => rig.proxy.inFlight).toBe(0)
    expect(rig.counted.requests).toEqual(['client_gone'])
    gate.open()
  })

  it('is served after an answer that its client has not read yet', async () => {
    await start()
    const socket = rig.socket()
    socket.pause()
    // Answers of our own, more of them than the kernel takes; of 64 bytes each, so that no read ends within a head.
    const unknown = `GET /nobody HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(26)}\r\n\r\n`.repeat(64)
    let sent = 0
    const ask = () => {
      while (sent < 200_000 && socket.write(unknown)) sent += 64
    }
    socket.on('drain', ask)
    ask()
    await standstill(() => sent)
    const mostSent = sent
    socket.off('drain', ask)
    socket.write(`${plain('/v1/two', ['Transfer-Encoding: chunked', ...closing], 'POST')}5\r\nhello\r\n0\r\n\r\n`)
    await standstill(() => socket.bytesWritten - socket.writableLength)
    const text = heard(socket)
    socket.resume()
    await once(socket, 'close')
    const all = statuses(text())
    expect(all.slice(0, -1).every((status) => status === 404)).toBe(true)
    expect(all.at(-1)).toBe(200)
    expect(all.length).toBeGreaterThan(mostSent)
  })

  it('may come in pieces of one byte', async () => {
    await start()
    const socket = rig.socket()
    const answered = once(socket, 'data')
    for (const byte of plain('/v1/one', closing)) {
      socket.write(byte)
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(String((await answered)[0])).toContain('200 OK')
  })

  it('is refused as ever when it is no HTTP', async () => {
    await start()
    expect(statuses(await rig.raw('NONSENSE\r\n\r\n'))).toEqual([400])
    expect(statuses(await rig.raw(plain('/v1/x', [`X-Long: ${'x'.repeat(40_000)}`])))).toEqual([431])
  })
})
