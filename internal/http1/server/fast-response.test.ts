import { once } from 'node:events'
import type { Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { closing, heard, rawRequests, statuses } from '../../../test/fakes/rig/raw.ts'
import { type Rig, type RigOptions, startRig } from '../../../test/fakes/rig/rig.ts'
import { answer, early, Gate } from '../../../test/fakes/upstream/upstream.ts'

let rig: Rig
async function start(options: RigOptions = {}): Promise<void> {
  rig = await startRig(options)
}
afterEach(() => rig?.close())
const { plain, post, seen } = rawRequests(() => rig)

describe('an error answer that closes', () => {
  it.each([
    ['a misspelt coding', ['Transfer-Encoding: xchunked'], '5\r\nhello\r\n0\r\n\r\n'],
    ['a coding in quotes', ['Transfer-Encoding: "chunked"'], '5\r\nhello\r\n0\r\n\r\n'],
    ['a coding with a weight', ['Transfer-Encoding: chunked;q=1'], '5\r\nhello\r\n0\r\n\r\n'],
    ['a coding too many', ['Transfer-Encoding: gzip, chunked'], '5\r\nhello\r\n0\r\n\r\n'],
    ['a coding and a length', ['Transfer-Encoding: chunked', 'Content-Length: 5'], '5\r\nhello\r\n0\r\n\r\n'],
    ['a length that is none', ['Content-Length: x'], 'hello'],
    ['trailers', ['Transfer-Encoding: chunked', ...closing], '5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n'],
    ['a length in the trailers', ['Transfer-Encoding: chunked'], '5\r\nhello\r\n0\r\nContent-Length: 1\r\n\r\n'],
    ['a chunk that is none', ['Transfer-Encoding: chunked'], 'z\r\nhello\r\n0\r\n\r\n'],
    ['a chunk that is too long', ['Transfer-Encoding: chunked'], '5\r\nhelloworld\r\n0\r\n\r\n'],
    ['two hosts', ['Host: b'], ''],
  ])('is the last of its connection, also before other requests: %s', async (_, more, body) => {
    await start()
    const bad = plain('/v1/one', more, 'POST') + body
    expect(statuses(await rig.raw(bad))).toEqual([400])
    expect(statuses(await rig.raw(bad + plain('/v1/two') + plain('/v1/three')))).toEqual([400])
    expect(statuses(await rig.raw(plain('/v1/zero') + bad + plain('/v1/two')))).toEqual([200, 400])
    expect(seen()).toEqual([['GET', '/v1/zero', '']])
  })

  it('comes in place of the answer to a body that turns out to be none, and its upstream hears no end of it', async () => {
    await start({ replay: { maxBodyBytes: 10 } })
    const socket = rig.socket()
    const text = heard(socket)
    socket.write(`${plain('/v1/one', ['Transfer-Encoding: chunked'], 'POST')}14\r\n${'x'.repeat(20)}\r\n`)
    await expect.poll(() => rig.proxy.inFlight).toBe(1)
    socket.write('nonsense\r\n\r\n')
    await once(socket, 'close')
    expect(statuses(text())).toEqual([400])
    await expect.poll(() => [rig.proxy.inFlight, rig.upstream.inFlight]).toEqual([0, 0])
  })
})

describe('an offer of another protocol', () => {
  const offers = [
    ['curl', ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA']],
    [
      'Java',
      [
        'Connection: Upgrade, HTTP2-Settings',
        'HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA',
        'Upgrade: h2c',
      ],
    ],
    ['an unknown protocol', ['Connection: upgrade', 'Upgrade: tomorrow/1']],
  ] as const
  const bodies = [
    ['with a length', ['Content-Length: 5'], 'hello'],
    ['in chunks', ['Transfer-Encoding: chunked'], '5\r\nhello\r\n0\r\n\r\n'],
    ['that is asked for', ['Content-Length: 5', 'Expect: 100-continue'], 'hello'],
  ] as const
  const cases = offers.flatMap(([who, offer]) =>
    bodies.map(([how, frame, body]) => [who, how, offer, frame, body] as const),
  )

  it.each(cases)('of %s is ignored, and its body %s stays with its request', async (_who, _how, offer, frame, body) => {
    await start()
    const request = plain('/v1/one', [...offer, ...frame], 'POST') + body
    const next = post('/v1/two', 'second') + plain('/v1/three', closing)
    const whole = async () => (await rig.raw(request + next)).replace('HTTP/1.1 100 Continue\r\n\r\n', '')
    const pieces = async () => {
      const socket = rig.socket()
      const text = heard(socket)
      for (const piece of (request + next).match(/[\s\S]{1,30}/g) ?? []) {
        socket.write(piece)
        await new Promise((resolve) => setImmediate(resolve))
      }
      await once(socket, 'close')
      return text().replace('HTTP/1.1 100 Continue\r\n\r\n', '')
    }
    for (const how of [whole, pieces]) {
      rig.upstream.forget()
      expect(statuses(await how())).toEqual([200, 200, 200])
      expect(seen()).toEqual([
        ['POST', '/v1/one', 'hello'],
        ['POST', '/v1/two', 'second'],
        ['GET', '/v1/three', ''],
      ])
      expect(rig.upstream.requests[0]?.header('upgrade')).toBeNull()
      expect(rig.upstream.requests[0]?.header('http2-settings')).toBeNull()
    }
  })

  it('does not hide that the body behind it is none', async () => {
    await start()
    const request = plain('/v1/one', [...offers[0][1], 'Transfer-Encoding: chunked'], 'POST')
    expect(statuses(await rig.raw(`${request}5\r\nhello\r\nnonsense\r\n\r\n${plain('/v1/two')}`))).toEqual([400])
    expect(seen()).toEqual([])
  })
})

describe('a request of HTTP/1.0', () => {
  const old = (text: string) => text.replace('HTTP/1.1', 'HTTP/1.0')

  it('closes its connection, unless it asks for more', async () => {
    await start()
    expect(statuses(await rig.raw(old(plain('/v1/one')) + plain('/v1/two')))).toEqual([200])
    const kept = old(plain('/v1/one', ['Connection: keep-alive'])) + plain('/v1/two', closing)
    expect(statuses(await rig.raw(kept))).toEqual([200, 200])
  })

  it('gets an answer of unknown length up to the end of its connection', async () => {
    await start()
    rig.upstream.on('key-a').once({
      early: false,
      async play({ response }) {
        response.writeHead(200, { 'content-type': 'text/plain' })
        response.write('one')
        await new Promise((resolve) => setTimeout(resolve, 20))
        response.end('two')
      },
    })
    const text = await rig.raw(old(plain('/v1/x', ['Connection: keep-alive'])))
    expect(text).toMatch(/\r\n\r\nonetwo$/)
    expect(text).toMatch(/^Connection: close\r$/m)
    expect(text.toLowerCase()).not.toContain('transfer-encoding')
  })

  it.each<[string, (socket: Socket) => void]>([
    ['its client says that it sends no more', (socket) => socket.end()],
    ['the connection is closed', () => rig.close()],
  ])('does not take a part of such an answer for the whole when %s', async (_, leave) => {
    await start()
    const gate = new Gate()
    rig.upstream.on('key-a').once({
      early: false,
      async play({ response }) {
        response.writeHead(200, { 'content-type': 'text/plain' })
        response.write('one')
        await gate.opened
        response.end('two')
      },
    })
    const socket = rig.socket()
    const text = heard(socket)
    const ends: string[] = []
    socket.on('end', () => ends.push('end')).on('error', ({ message }) => ends.push(message))
    socket.write(old(plain('/v1/x')))
    await expect.poll(text).toMatch(/one$/)
    const closed = new Promise((resolve) => socket.on('close', resolve))
    leave(socket)
    await closed
    gate.open()
    expect(ends).toEqual(['read ECONNRESET'])
  })
})

describe('an answer', () => {
  it('of unknown length comes in chunks', async () => {
    await start()
    const gate = new Gate()
    rig.upstream.on('key-a').once({
      early: false,
      async play({ response }) {
        response.writeHead(200, { 'content-type': 'text/plain' })
        response.write('one')
        await gate.pass()
        response.end('twotwo')
      },
    })
    const socket = rig.socket()
    const text = heard(socket)
    socket.write(plain('/v1/x', closing))
    await expect.poll(text).toContain('one')
    gate.open()
    await once(socket, 'close')
    expect(text()).toMatch(/Transfer-Encoding: chunked\r\n\r\n3\r\none\r\n6\r\ntwotwo\r\n0\r\n\r\n$/)
  })

  it('to HEAD and one without content has no body', async () => {
    await start()
    expect(await rig.raw(plain('/v1/x', closing, 'HEAD'))).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\n$/)
    rig.upstream.on('key-a').once(answer(204))
    const text = await rig.raw(plain('/v1/x', closing))
    expect(text).toMatch(/^HTTP\/1\.1 204 No Content\r\n[\s\S]*\r\n\r\n$/)
    expect(text).not.toMatch(/content-length/i)
    expect(text.toLowerCase()).not.toContain('transfer-encoding')
  })

  it('carries one Date, and says what becomes of the connection', async () => {
    await start()
    const [head = ''] = (await rig.raw(plain('/healthz', closing).replace('/pool', ''))).split('\r\n\r\n')
    expect(head.match(/^date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/gim)).toHaveLength(1)
    expect(head.match(/^connection: close$/gim)).toHaveLength(1)
  })

  it('that is long passes whole', async () => {
    await start()
    const long = { filler: 'x'.repeat(3_000_000) }
    rig.upstream.on('key-a').once(early(answer(200, {}, long)))
    expect((await rig.ask()).json).toEqual(long)
  })
})
