import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import { answerOf, type Rig, type RigOptions, startRig } from '../../../test/fakes/rig/rig.ts'
import { collectGarbage } from '../../../test/fakes/upstream/garbage.ts'
import {
  answer,
  breakAfter,
  eventText,
  Gate,
  raw,
  reset,
  silence,
  stall,
  stream,
} from '../../../test/fakes/upstream/upstream.ts'

let rig: Rig

async function start(options: RigOptions = {}): Promise<void> {
  rig = await startRig(options)
}

afterEach(() => rig.close())

const content = { data: { choices: [{ index: 0, delta: { content: 'a' } }] } }
const done = { data: '[DONE]' }
const streamError = { event: 'error', data: { type: 'error', error: { type: 'overloaded_error', message: 'busy' } } }
const messageStart = { event: 'message_start', data: { type: 'message_start', message: { id: 'm' } } }
const delta = { event: 'content_block_delta', data: { type: 'content_block_delta', delta: { text: 'a' } } }

/** Opens a streaming request and resolves with its first bytes; the whole text comes later. */
async function opened(): Promise<{ first: string; text: Promise<string> }> {
  const request = rig.open({ body: { stream: true } }).on('error', () => {})
  return new Promise((resolve) => {
    request.on('response', (response) => {
      const parts: string[] = []
      const text = new Promise<string>((end) => response.on('close', () => end(parts.join(''))))
      response.on('error', () => {})
      response.on('data', (chunk: Buffer) => {
        parts.push(chunk.toString())
        if (parts.length === 1) resolve({ first: chunk.toString(), text })
      })
    })
  })
}

describe('a stream', () => {
  it('reaches the client event by event, byte for byte', async () => {
    await start()
    const gate = new Gate()
    rig.upstream.on('key-a').always(stream([': hello\r\n\r\n', gate, content, done]))
    const { first, text } = await opened()
    expect(first).toBe(': hello\r\n\r\n')
    gate.open()
    expect(await text).toBe(`: hello\r\n\r\n${eventText(content)}${eventText(done)}`)
    expect(rig.counted.requests).toEqual(['served'])
  })

  it('is held back over lifecycle events and replayed when an error follows them', async () => {
    await start({ provider: 'anthropic' })
    rig.upstream.on('key-a').always(stream([messageStart, streamError]))
    const { status, text } = await rig.ask({ path: '/v1/messages', body: { stream: true } })
    expect(status).toBe(200)
    expect(text).toContain('content_block_delta')
    expect(text).not.toContain('overloaded_error')
    expect(rig.upstream.served).toEqual(['key-a', 'key-b'])
  })

  it('passes its error on when nobody else is left', async () => {
    await start({ provider: 'anthropic', members: ['a'] })
    rig.upstream.on('key-a').always(stream([messageStart, streamError]))
    const { status, text, broken } = await rig.ask({ path: '/v1/messages', body: { stream: true } })
    expect([status, broken]).toEqual([200, false])
    expect(text).toBe(eventText(messageStart) + eventText(streamError))
  })

  it('is let go after two seconds of lifecycle events', async () => {
    await start({ provider: 'anthropic' })
    const gate = new Gate()
    rig.upstream.on('key-a').always(stream([messageStart, gate, delta]))
    const before = performance.now()
    const { first } = await opened()
    expect(first).toBe(eventText(messageStart))
    expect(performance.now() - before).toBeGreaterThan(1_500)
    gate.open()
  })

  it('that breaks is broken for the client, never cleanly ended, and not replayed', async () => {
    await start()
    rig.upstream.on('key-a').always(stream([content, 'reset']))
    const { broken, text } = await rig.ask({ body: { stream: true } })
    expect([broken, text]).toEqual([true, eventText(content)])
    expect(rig.upstream.served).toEqual(['key-a'])
    expect(rig.counted.requests).toEqual(['upstream_error'])
  })

  it('that stalls is cut off after the idle time, and its upstream connection closed', async () => {
    await start({ upstream: { idleMs: 300 } })
    rig.upstream.on('key-a').always(stream([content, new Gate()]))
    const { broken } = await rig.ask({ body: { stream: true } })
    expect(broken).toBe(true)
    expect(await rig.upstream.requests[0]?.ended).toBe('aborted')
  })
})

describe('a client that leaves', () => {
  it.each([
    ['before the head', silence],
    ['in the middle of a stream', stream([content, new Gate()])],
    ['while lifecycle events are held back', stream([new Gate()])],
    ['in the middle of a body', stall('{"a":')],
  ])('%s takes its upstream request with it, and blames nobody', async (_name, behaviour) => {
    await start()
    rig.upstream.on('key-a').always(behaviour)
    const request = rig.open({ body: { stream: true } }).on('error', () => {})
    await rig.upstream.received(1)
    request.destroy()
    expect(await rig.upstream.requests[0]?.ended).toBe('aborted')
    expect(rig.counted).toMatchObject({ requests: ['client_gone'], inflight: 0 })
    expect(rig.health('a')).toBe('healthy')
    expect(rig.upstream.served).toEqual(['key-a'])
  })

  it('while its request waits for a connection leaves the connections alone', async () => {
    await start({ upstream: { connections: 1 } })
    const gate = new Gate()
    rig.upstream.on('key-a').once(stream([content, gate, done]))
    const first = answerOf(rig.open({ body: { stream: true } }))
    await rig.upstream.received(1)
    const waiting = rig.open({}).on('error', () => {})
    await expect.poll(() => rig.counted.inflight).toBe(2)
    waiting.destroy()
    await expect.poll(() => rig.counted.inflight).toBe(1)
    gate.open()
    expect((await first).broken).toBe(false)
    expect((await rig.ask()).status).toBe(200)
    expect(rig.upstream.served).toEqual(['key-a', 'key-a'])
    expect(rig.upstream.connections).toBe(1)
  })
})

describe('an upstream that misbehaves', () => {
  it.each([
    ['garbage', raw('this is not HTTP\r\n\r\n'), 'upstream_protocol'],
    [
      'an unsolicited 100',
      raw('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'),
      'upstream_protocol',
    ],
    [
      'an upgrade nobody asked for',
      raw('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'),
      'upstream_protocol',
    ],
    [
      'a length and a coding',
      raw('HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'),
      'upstream_protocol',
    ],
    ['two lengths', raw('HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello'), 'upstream_protocol'],
    [
      'a head of 100 KiB',
      raw(`HTTP/1.1 200 OK\r\nX-Long: ${'x'.repeat(100_000)}\r\nContent-Length: 0\r\n\r\n`),
      'upstream_protocol',
    ],
    [
      'a control character in a header',
      raw('HTTP/1.1 200 OK\r\nX-Bad: a\u0001b\r\nContent-Length: 0\r\n\r\n'),
      'upstream_protocol',
    ],
    ['103s without an end', raw('HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(100), true), 'upstream_protocol'],
    ['half a head', raw('HTTP/1.1 200 OK\r\nContent-'), 'upstream_reset'],
    ['nothing but the end of the connection', raw(''), 'upstream_reset'],
  ])('with %s gives 502 and blames nobody', async (_name, behaviour, code) => {
    await start()
    rig.upstream.on('key-a').always(behaviour)
    const { status, json } = await rig.ask()
    expect([status, json]).toMatchObject([502, { error: { code } }])
    expect(rig.upstream.served).toEqual(['key-a'])
    expect(rig.health('a')).toBe('healthy')
    expect((await rig.ask({ path: '/v1/models', method: 'GET', body: '' })).status).toBe(502)
  })

  it('a few 103s are skipped', async () => {
    await start()
    const hints = 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'.repeat(3)
    rig.upstream.on('key-a').always(raw(`${hints}HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}`))
    expect(await rig.ask()).toMatchObject({ status: 200, text: '{}' })
  })

  it('that never answers gives 504 at the deadline, and loses its connection', async () => {
    await start({ upstream: { headMs: 300 } })
    rig.upstream.on('key-a').always(silence)
    const { status, json } = await rig.ask()
    expect([status, json]).toMatchObject([504, { error: { code: 'upstream_timeout' } }])
    expect(await rig.upstream.requests[0]?.ended).toBe('aborted')
    expect(rig.upstream.served).toEqual(['key-a'])
  })

  it('that breaks off a body breaks the client’s answer', async () => {
    await start()
    rig.upstream.on('key-a').always(breakAfter('{"half":'))
    const { status, broken } = await rig.ask()
    expect([status, broken]).toEqual([200, true])
  })

  it('that breaks off before the first byte of a body gives 502', async () => {
    await start()
    rig.upstream.on('key-a').always(breakAfter(''))
    const { status, json } = await rig.ask()
    expect([status, json]).toMatchObject([502, { error: { code: 'upstream_reset' } }])
    expect(rig.upstream.served).toEqual(['key-a'])
    expect(rig.counted).toMatchObject({ requests: ['upstream_error'], attempts: ['success'], inflight: 0 })
  })
})

describe('an error body', () => {
  const limit = Buffer.from('{"error":{"code":"rate_limit_exceeded","message":"m"}}')

  it('is understood when it is packed', async () => {
    await start()
    rig.upstream.on('key-a').always(answer(429, { 'content-encoding': 'gzip' }, gzipSync(limit)))
    expect((await rig.ask()).status).toBe(200)
    expect(rig.health('a')).toBe('cooling')
  })

  it('goes to the client as it came', async () => {
    await start({ members: ['a'] })
    const packed = gzipSync('{"error":{"message":"no such parameter"}}')
    rig.upstream.on('key-a').always(answer(400, { 'content-encoding': 'gzip', 'x-request-id': 'r' }, packed))
    const { status, body, headers } = await rig.ask()
    expect([status, headers['content-encoding'], headers['x-request-id']]).toEqual([400, 'gzip', 'r'])
    expect(body.equals(packed)).toBe(true)
  })

  it('of more than 64 KiB goes to the client whole', async () => {
    await start()
    const long = Buffer.from(`{"error":{"message":"${'x'.repeat(300_000)}"}}`)
    rig.upstream.on('key-a').always(answer(400, {}, long))
    const { status, body } = await rig.ask()
    expect([status, body.equals(long)]).toEqual([400, true])
  })

  it('that repeats our credential reaches the client without it', async () => {
    await start()
    rig.upstream.on('key-a').always(answer(400, { 'x-seen': 'Bearer key-a' }, { error: { message: 'bad key-a!' } }))
    const { text, headers } = await rig.ask()
    expect(text).toBe('{"error":{"message":"bad *****!"}}')
    expect(headers['x-seen']).toBe('Bearer *****')
  })

  it('that repeats our credential in packed form is unpacked and masked', async () => {
    await start()
    const packed = gzipSync('{"error":{"message":"bad key-a!"}}')
    rig.upstream.on('key-a').always(answer(400, { 'content-encoding': 'gzip' }, packed))
    const { text, headers } = await rig.ask()
    expect(text).toBe('{"error":{"message":"bad *****!"}}')
    expect(headers['content-encoding']).toBeUndefined()
  })

  it('that repeats our credential far behind, across chunks, is masked as it goes', async () => {
    await start()
    const far = 'x'.repeat(70_000)
    rig.upstream.on('key-a').always(raw(`HTTP/1.1 400 Bad\r\nContent-Length: 140010\r\n\r\n${far}key-a${far}key-a`))
    const { text } = await rig.ask()
    expect(text).toBe(`${far}*****${far}*****`)
  })

  it('that unpacks to gigabytes is refused', async () => {
    await start()
    const bomb = gzipSync(Buffer.alloc(60_000_000))
    rig.upstream.on('key-a').always(answer(400, { 'content-encoding': 'gzip' }, bomb))
    const { status, json } = await rig.ask()
    expect([status, json]).toMatchObject([502, { error: { code: 'upstream_protocol' } }])
  })

  it('that breaks off still says what its head says', async () => {
    await start()
    rig.upstream.on('key-a').always({
      play({ response }) {
        response.writeHead(429, { 'retry-after': '60', 'content-length': '1000' })
        response.write('{"error"')
        reset.play({ response, request: rig.upstream.requests[0]! })
      },
    })
    expect((await rig.ask()).status).toBe(200)
    expect(rig.upstream.served).toEqual(['key-a', 'key-b'])
  })
})

describe('an error under a 200', () => {
  const quota = { error: { code: 402, message: 'm', metadata: { limit_source: 'openrouter_credits' } } }

  it('is understood where the provider does that', async () => {
    await start({ provider: 'openrouter' })
    rig.upstream.on('key-a').always(answer(200, {}, quota))
    expect((await rig.ask()).json).toMatchObject({ object: 'chat.completion' })
    expect(rig.upstream.served).toEqual(['key-a', 'key-b'])
  })

  it('is understood when it is packed', async () => {
    await start({ provider: 'openrouter' })
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' }
    rig.upstream.on('key-a').always(answer(200, headers, gzipSync(JSON.stringify(quota))))
    expect((await rig.ask()).json).toMatchObject({ object: 'chat.completion' })
  })

  it('is not looked for elsewhere', async () => {
    await start({ provider: 'openai' })
    rig.upstream.on('key-a').always(answer(200, {}, quota))
    expect((await rig.ask()).json).toEqual(quota)
  })
})

describe('a slow client of a fast stream', () => {
  it('is not buffered for beyond 1 MiB', async () => {
    await start()
    const chunk = Buffer.alloc(65_536, 'x')
    let sent = 0
    rig.upstream.on('key-a').always({
      async play({ response }) {
        response.writeHead(200, { 'content-type': 'application/octet-stream' })
        for (let i = 0; i < 1_000 && !response.destroyed; i++) {
          if (!response.write(chunk)) await new Promise((resolve) => response.once('drain', resolve))
          sent += chunk.length
        }
        response.end()
      },
    })
    const request = rig.open({}).on('error', () => {})
    await new Promise<void>((resolve) => request.on('response', (response) => resolve(void response.pause())))
    let settled = -1
    await expect
      .poll(
        () => {
          const before = settled
          settled = sent
          return settled > 0 && before === settled
        },
        { interval: 200, timeout: 10_000 },
      )
      .toBe(true)
    collectGarbage()
    const buffered = process.memoryUsage().arrayBuffers
    expect(buffered).toBeLessThan(4_000_000)
    expect(sent).toBeLessThan(30_000_000)
    request.destroy()
    expect(await rig.upstream.requests[0]?.ended).toBe('aborted')
  })

  it('that does not read at all is cut off after the idle time', async () => {
    await start({ upstream: { idleMs: 500 } })
    rig.upstream.on('key-a').always({
      play({ response }) {
        response.writeHead(200, { 'content-type': 'application/octet-stream' })
        response.end(Buffer.alloc(64_000_000))
      },
    })
    const request = rig.open({}).on('error', () => {})
    await new Promise<void>((resolve) => request.on('response', (response) => resolve(void response.pause())))
    await expect.poll(() => rig.counted.requests, { timeout: 5_000 }).toEqual(['client_gone'])
  })
})
