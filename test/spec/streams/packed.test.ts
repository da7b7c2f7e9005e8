import type { Transform } from 'node:stream'
import * as zlib from 'node:zlib'
import { afterEach, describe, expect, it, test } from 'vitest'
import { answerOf, type Rig, type RigOptions, startRig } from '../../fakes/rig/rig.ts'
import { type Behaviour, type Call, eventText, Gate, reset } from '../../fakes/upstream/upstream.ts'

let rig: Rig

async function start(options: RigOptions = {}): Promise<void> {
  rig = await startRig(options)
}

afterEach(() => rig.close())

const created = { event: 'response.created', data: { type: 'response.created', response: { id: 'r' } } }
const delta = { event: 'response.output_text.delta', data: { type: 'response.output_text.delta', delta: 'Hel' } }
const failed = {
  event: 'response.failed',
  data: { type: 'response.failed', response: { error: { code: 'rate_limit_exceeded', message: 'no' } } },
}

type Part = { event?: string; data: unknown } | string | Gate | 'reset'

const { createZstdCompress } = zlib as unknown as { createZstdCompress?: () => Transform }
const { BROTLI_OPERATION_FLUSH, Z_SYNC_FLUSH } = zlib.constants
const packers: [string, () => Transform, number][] = [
  ['gzip', () => zlib.createGzip(), Z_SYNC_FLUSH],
  ['x-gzip', () => zlib.createGzip(), Z_SYNC_FLUSH],
  ['deflate', () => zlib.createDeflate(), Z_SYNC_FLUSH],
  ['deflate', () => zlib.createDeflateRaw(), Z_SYNC_FLUSH],
  ['br', () => zlib.createBrotliCompress(), BROTLI_OPERATION_FLUSH],
]
if (createZstdCompress) packers.push(['zstd', createZstdCompress, 1])

/** A packed stream, each part flushed as it comes; Buffers go as they are. What was sent is put into `sent`. */
function packed(coding: string, make: () => Transform, flush: number, parts: Part[], sent: Buffer[] = []): Behaviour {
  return {
    async play({ response }) {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'content-encoding': coding })
      const packer = make() as Transform & { flush(kind: number, done: () => void): void }
      const send = (chunk: Buffer) => {
        sent.push(chunk)
        response.write(chunk)
      }
      packer.on('data', send)
      for (const part of parts) {
        if (part instanceof Gate) await part.pass()
        else if (part === 'reset') return reset.play({ response } as Call)
        else {
          packer.write(typeof part === 'string' ? part : eventText(part))
          await new Promise<void>((done) => packer.flush(flush, done))
        }
      }
      packer.end()
      await new Promise((done) => packer.on('end', done))
      response.end()
    },
  }
}

const ask = (onFirst = () => {}) => answerOf(rig.open({ path: '/v1/responses', body: { stream: true } }), onFirst)

describe.each(packers)('a stream packed with %s', (coding, make, flush) => {
  it('reaches the client byte for byte, event by event', async () => {
    await start()
    const gate = new Gate()
    const sent: Buffer[] = []
    rig.upstream.on('key-a').always(packed(coding, make, flush, [created, delta, gate, delta], sent))
    const { body, headers } = await ask(() => gate.open())
    expect(headers['content-encoding']).toBe(coding)
    expect(body.equals(Buffer.concat(sent))).toBe(true)
    expect(rig.counted.requests).toEqual(['served'])
  })

  it('whose first words are an error is answered by the next member', async () => {
    await start()
    rig.upstream.on('key-a').always(packed(coding, make, flush, [created, failed]))
    const { text } = await ask()
    expect(text).toContain('response.completed')
    expect(text).not.toContain('response.failed')
    expect(rig.upstream.served).toEqual(['key-a', 'key-b'])
    expect(rig.health('a')).toBe('cooling')
  })

  it('that fails after content resets the connection, and cools the member', async () => {
    await start()
    const gate = new Gate()
    rig.upstream.on('key-a').always(packed(coding, make, flush, [delta, gate, failed]))
    expect(await ask(() => gate.open())).toMatchObject({ status: 200, reset: true })
    expect(rig.health('a')).toBe('cooling')
  })
})

describe('a packed stream', () => {
  const [, gzip] = packers[0] as (typeof packers)[number]

  it.each([
    ['is not what its coding says', 'gzip', Buffer.from('this was never gzip, was it')],
    ['has a coding that nobody knows', 'snappy', Buffer.from('who knows')],
    ['unpacks to far too much', 'gzip', zlib.gzipSync(Buffer.alloc(40_000_000))],
  ])('that %s reaches the client as it is', async (_name, coding, bytes) => {
    await start()
    rig.upstream.on('key-a').always({
      play({ response }) {
        response.writeHead(200, { 'content-type': 'text/event-stream', 'content-encoding': coding })
        response.end(bytes)
      },
    })
    const { body, broken } = await ask()
    expect([body.equals(bytes), broken]).toEqual([true, false])
  })

  it('that comes in one piece with content and an error breaks off', async () => {
    await start()
    const whole = zlib.gzipSync(eventText(delta) + eventText(failed))
    rig.upstream.on('key-a').always({
      play({ response }) {
        response.writeHead(200, { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' })
        response.end(whole)
      },
    })
    await expect(ask()).resolves.toMatchObject({ reset: true })
    expect(rig.health('a')).toBe('cooling')
  })

  it('that breaks off resets the connection after what had come', async () => {
    await start()
    const gate = new Gate()
    const sent: Buffer[] = []
    rig.upstream.on('key-a').always(packed('gzip', gzip, Z_SYNC_FLUSH, [delta, gate, 'reset'], sent))
    const heard = await ask(() => gate.open())
    expect(heard.reset).toBe(true)
    expect(heard.body.equals(Buffer.concat(sent))).toBe(true)
  })

  it('is not kept for a client that does not read, beyond what is on its way', async () => {
    await start()
    let sent = 0
    const block = zlib.gzipSync(
      eventText({
        data: { x: Buffer.from(Array.from({ length: 48_000 }, () => Math.random() * 256)).toString('base64') },
      }),
    )
    rig.upstream.on('key-a').always({
      async play({ response }) {
        response.writeHead(200, { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' })
        for (let i = 0; i < 1_000 && !response.destroyed; i++) {
          if (!response.write(block)) await new Promise((resolve) => response.once('drain', resolve))
          sent += block.length
        }
        response.end()
      },
    })
    const request = rig.open({ path: '/v1/responses', body: { stream: true } }).on('error', () => {})
    await new Promise<void>((resolve) => request.on('response', (response) => resolve(void response.pause())))
    let before = -1
    const isStill = () => {
      const same = sent === before
      before = sent
      return same
    }
    await expect.poll(isStill, { interval: 200, timeout: 10_000 }).toBe(true)
    expect(sent).toBeLessThan(20_000_000)
    request.destroy()
    expect(await rig.upstream.requests[0]?.ended).toBe('aborted')
  })
})

describe('a request that asks for a stream', () => {
  const offers = { 'accept-encoding': 'gzip, deflate, br' }
  const padding = 'x'.repeat(20_000)

  it.each([
    ['by its Accept', { headers: { ...offers, accept: 'text/event-stream' } }],
    ['among other types that it accepts', { headers: { ...offers, accept: 'application/json, text/event-stream' } }],
    ['at the end of its body', { headers: offers, body: `{"model":"m","messages":["${padding}"],"stream":true}` }],
    ['at the beginning of its body', { headers: offers, body: `{ "stream" : true, "messages": ["${padding}"]}` }],
    ['with alt=sse', { headers: offers, path: '/v1beta/models/m:generateContent?alt=sse' }],
    ['by the name of its method', { headers: offers, path: '/v1beta/models/m:streamGenerateContent?a=b' }],
  ])('%s asks its upstream for no coding', async (_name, wish) => {
    await start()
    await rig.ask(wish)
    expect(rig.upstream.requests[0]?.header('accept-encoding')).toBe('identity')
  })

  it.each([
    ['does not ask for one', { headers: offers, body: '{"stream":false}' }, 'gzip, deflate, br'],
    ['mentions one in a text', { headers: offers, body: '{"a":"{\\"stream\\":true}"}' }, 'gzip, deflate, br'],
    ['offers no coding', { headers: { accept: 'text/event-stream' } }, null],
  ])('that %s is left as it is', async (_name, wish, expected) => {
    await start()
    await rig.ask(wish)
    expect(rig.upstream.requests[0]?.header('accept-encoding')).toBe(expected)
  })
})

test('a coding is offered upstream only if it can be read here', async () => {
  await start()
  await rig.ask({ headers: { 'accept-encoding': 'gzip, compress, zstd' } })
  const offered = rig.upstream.requests[0]?.header('accept-encoding')
  expect(offered).toBe(createZstdCompress ? 'gzip, zstd' : 'gzip')
})
