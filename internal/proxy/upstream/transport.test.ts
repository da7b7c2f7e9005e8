/** What both ways to an upstream have in common, and what only the direct one promises; the upstream is bare TCP. */
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import { errors } from 'undici'
import { afterEach, describe, expect, it } from 'vitest'
import { type Clock, FakeClock, systemClock } from '../../clock/clock.ts'
import { addressGuard, guardedLookup } from '../address.ts'
import type { RequestBody } from '../body.ts'
import { failureOf } from '../failure.ts'
import { HeldBody } from '../held-body.ts'
import { DirectTransport } from './direct-transport.ts'
import type { AnswerListener, Sending, Transport, UpstreamRequest } from './port.ts'
import { UndiciTransport } from './undici-transport.ts'

/** What the upstream does on one connection, with what has come of the request so far. */
type Script = (socket: Socket, text: string) => void

let server: Server
let transport: Transport
let sockets: Socket[]
let received: string[]

const lookup = guardedLookup(addressGuard(['127.0.0.0/8']))
const usual = { connectMs: 2_000, headMs: 20_000, idleMs: 20_000, connections: 4 }
type Settings = Partial<typeof usual>
type Make = (origin: string, settings: typeof usual, clock: Clock) => Transport

const direct: Make = (origin, settings, clock) => new DirectTransport(origin, settings, { lookup, clock })
const throughUndici: Make = (origin, settings) => new UndiciTransport(origin, settings, lookup)

/** Starts an upstream that runs the script on whatever comes. */
async function start(make: Make, script: Script, settings: Settings = {}, clock: Clock = systemClock()) {
  sockets = []
  received = []
  server = createServer((socket) => {
    const at = sockets.push(socket) - 1
    received[at] = ''
    socket.on('error', () => {})
    socket.on('data', (bytes: Buffer) => {
      received[at] += bytes.toString('latin1')
      script(socket, received[at] ?? '')
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  transport = make(`http://127.0.0.1:${port}`, { ...usual, ...settings }, clock)
}

afterEach(() => {
  transport.destroy()
  for (const socket of sockets) socket.destroy()
  server.close()
})

/** Everything that is told of one answer. */
class Told implements AnswerListener {
  sending: Sending | null = null
  hasLeft = false
  status = 0
  headers: string[] = []
  body = ''
  flows = true
  readonly begun: Promise<void>
  readonly over: Promise<Error | null>
  #begin: () => void = () => {}
  #end: (error: Error | null) => void = () => {}

  constructor() {
    this.begun = new Promise((resolve) => {
      this.#begin = resolve
    })
    this.over = new Promise((resolve) => {
      this.#end = resolve
    })
  }

  onSend(sending: Sending, hasLeft: boolean): void {
    this.sending = sending
    this.hasLeft = hasLeft
  }

  onHead(status: number, headers: string[]): void {
    this.status = status
    this.headers = headers
    this.#begin()
  }

  onData(chunk: Buffer): boolean {
    this.body += chunk.toString('latin1')
    return this.flows
  }

  onComplete(): void {
    this.#end(null)
  }

  onError(error: Error): void {
    this.#begin()
    this.#end(error)
  }
}

const none: RequestBody = { held: true, bytes: new HeldBody() }

function held(...parts: readonly string[]): RequestBody {
  const bytes = new HeldBody()
  for (const part of parts) bytes.add(Buffer.from(part))
  return { held: true, bytes }
}

function send(request: Partial<UpstreamRequest> = {}): Told {
  const told = new Told()
  transport.send({ method: 'GET', path: '/x', headers: ['a', 'b'], body: none, ...request }, told)
  return told
}

/** Sends, waits for the end, and gives what was told. */
async function asked(request: Partial<UpstreamRequest> = {}) {
  const told = send(request)
  const error = await told.over
  return { status: told.status, body: told.body, headers: told.headers, error }
}

/** The first connection is over. */
const ended = () => expect.poll(() => sockets[0]?.readableEnded || sockets[0]?.destroyed).toBe(true)

const always =
  (answer: string): Script =>
  (socket, text) =>
    text.endsWith('\r\n\r\n') && socket.write(answer, 'latin1')

const hello = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'

describe.each([
  ['direct', direct],
  ['undici', throughUndici],
] as const)('%s:', (name, make) => {
  describe('a request', () => {
    const host = () => `host: 127.0.0.1:${(server.address() as AddressInfo).port}\r\nconnection: keep-alive\r\na: b\r\n`

    it.each([
      ['without a body', { method: 'GET' }, 'GET', ''],
      ['that must say that it has none', { method: 'POST' }, 'POST', 'content-length: 0\r\n'],
    ] as const)('%s', async (_name, request, method, frame) => {
      await start(make, always(hello))
      expect(await asked(request)).toMatchObject({ status: 200, body: 'hello', error: null })
      expect(received).toEqual([`${method} /x HTTP/1.1\r\n${host()}${frame}\r\n`])
    })

    it('with a body in pieces, and with a long one', async () => {
      await start(make, (socket, text) => text.endsWith('END') && socket.write(hello))
      const long = `${'x'.repeat(300_000)}END`
      const bodies = [held('one', 'END'), held('a'.repeat(20_000), 'b'.repeat(50_000), 'END'), held(long)]
      for (const body of bodies) {
        expect((await asked({ method: 'POST', body })).body).toBe('hello')
      }
      expect(received.join('').length).toBeGreaterThan(370_000)
      expect(received.join('')).toContain(`content-length: 6\r\n\r\noneEND`)
      expect(received.join('')).toContain(`content-length: 300003\r\n\r\n${long}`)
    })

    it('with a body that is on its way', async () => {
      await start(make, (socket, text) => text.endsWith('3456789') && socket.write(hello))
      const rest = new PassThrough()
      const told = send({ method: 'POST', body: { held: false, rest, length: 10 } })
      rest.write('012')
      setImmediate(() => rest.end('3456789'))
      expect([await told.over, told.body]).toEqual([null, 'hello'])
      expect(received[0]).toMatch(/content-length: 10\r\n\r\n0123456789$/)
    })

    it('with a body of unknown length', async () => {
      await start(make, (socket, text) => text.endsWith('\r\n0\r\n\r\n') && socket.write(hello))
      const rest = new PassThrough()
      const told = send({ method: 'POST', body: { held: false, rest, length: null } })
      rest.write('first')
      await expect.poll(() => received[0] ?? '').toContain('first')
      rest.end('second!')
      expect([await told.over, told.body]).toEqual([null, 'hello'])
      expect(received[0]).toMatch(/transfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n7\r\nsecond!\r\n0\r\n\r\n$/)
    })

    it('whose body breaks off is broken off', async () => {
      await start(make, () => {})
      const rest = new PassThrough()
      const told = send({ method: 'POST', body: { held: false, rest, length: 10 } })
      rest.write('012')
      await expect.poll(() => received[0] ?? '').toContain('012')
      rest.destroy(new Error('the client has left'))
      expect(await told.over).toBeInstanceOf(Error)
      await ended()
    })

    it('with a value that would end its line is not sent', async () => {
      await start(make, always(hello))
      for (const headers of [
        ['a', 'b\r\nc: d'],
        ['a', 'b\0'],
        ['a', 'ü\u0100'],
      ]) {
        const told = new Told()
        let thrown: unknown = null
        try {
          transport.send({ method: 'GET', path: '/x', headers, body: none }, told)
          thrown = await told.over
        } catch (error) {
          thrown = error
        }
        expect(failureOf(thrown as Error, false)).toMatchObject({ status: 400 })
      }
      expect(received.join('')).toBe('')
    })
  })

  describe('an answer', () => {
    const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'

    it.each([
      ['of known length', {}, hello, 200, 'hello'],
      ['in chunks', {}, `${chunked}3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n`, 200, 'hello'],
      ['in chunks with a trailer', {}, `${chunked}5\r\nhello\r\n0\r\nX: y\r\n\r\n`, 200, 'hello'],
      ['without a body', {}, 'HTTP/1.1 204 No Content\r\n\r\n', 204, ''],
      ['that has not changed', {}, 'HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n', 304, ''],
      ['to a HEAD', { method: 'HEAD' }, 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n', 200, ''],
      ['of no length', {}, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', 200, ''],
      ['after hints', {}, `${'HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n'.repeat(3)}${hello}`, 200, 'hello'],
      [
        'with very many headers',
        {},
        `HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(200)}Content-Length: 5\r\n\r\nhello`,
        200,
        'hello',
      ],
    ] as const)('%s leaves its connection for the next request', async (_name, request, answer, status, body) => {
      await start(make, always(answer))
      for (let round = 0; round < 3; round++) {
        expect(await asked(request)).toMatchObject({ status, body, error: null })
      }
      // undici is not ready for the next one as soon as it has told the end of this one.
      if (name === 'direct') expect(sockets).toHaveLength(1)
    })

    it('is the same however its bytes are cut', async () => {
      const answer = `${chunked}3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n`
      await start(make, (socket) => {
        let at = 0
        const next = () => {
          socket.write(answer[at++] ?? '')
          if (at < answer.length) setImmediate(next)
        }
        next()
      })
      expect(await asked()).toMatchObject({ status: 200, body: 'hello', error: null })
    })

    it('that only the end of the connection delimits is complete with it', async () => {
      await start(make, (socket) => socket.end('HTTP/1.1 200 OK\r\n\r\nhello'))
      expect(await asked()).toMatchObject({ body: 'hello', error: null })
      expect(await asked()).toMatchObject({ body: 'hello', error: null })
      expect(sockets).toHaveLength(2)
    })

    it.each([
      ['says so', 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello'],
      ['is HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello'],
      [
        'will not keep it for longer than a request takes',
        `HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\nContent-Length: 5\r\n\r\nhello`,
      ],
    ])('that %s ends its connection', async (_name, answer) => {
      await start(make, always(answer))
      await asked()
      await asked()
      expect(sockets).toHaveLength(2)
    })

    it.each([
      ['in the middle of its head', 'HTTP/1.1 200 OK\r\nCont', 'reset'],
      ['in the middle of a body of known length', 'HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello', 'reset'],
      ['in the middle of chunks', `${chunked}5\r\nhello\r\n5`, 'reset'],
      ['with nothing', '', 'reset'],
    ])('that breaks off %s is an error', async (_name, answer, reason) => {
      await start(make, (socket) => socket.end(answer))
      const { error } = await asked()
      expect(failureOf(error as Error, true).outcome.reason).toBe(reason)
    })

    it.each([
      ['is no HTTP', 'SSH-2.0-OpenSSH\r\n\r\n'],
      ['has a chunk of no size', `${chunked}xyz\r\nhello\r\n0\r\n\r\n`],
      ['has two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello'],
      [
        'has a length and chunks',
        'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      ],
      ['has a length that is no number', 'HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\nhello'],
      ['ends its lines like a Unix file', 'HTTP/1.1 200 OK\nContent-Length: 5\n\nhello'],
      ['has a head without end', `HTTP/1.1 200 OK\r\nX: ${'y'.repeat(70_000)}\r\n\r\n`],
      ['goes on hinting', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(20) + hello],
      ['begins with a 100', `HTTP/1.1 100 Continue\r\n\r\n${hello}`],
      ['switches protocols', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'],
    ])('that %s is a fault of the protocol, and ends its connection', async (_name, answer) => {
      await start(make, (socket) => socket.write(answer))
      const { error } = await asked()
      expect(failureOf(error as Error, true).outcome.reason).toBe('protocol')
      await ended()
    })
  })

  it('an answer is held up as long as nobody reads it', async () => {
    const length = 50_000_000
    await start(make, (socket) => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n`)
      socket.write(Buffer.alloc(length, 'x'))
    })
    const told = send()
    told.flows = false
    await told.begun
    await expect.poll(() => told.body.length).toBeGreaterThan(0)
    const before = told.body.length
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(told.body.length - before).toBeLessThan(1_000_000)
    told.flows = true
    told.sending?.resume(told)
    expect([await told.over, told.body.length]).toEqual([null, length])
  })

  it('of more requests than connections the rest wait their turn', async () => {
    const waiting: Socket[] = []
    await start(make, (socket) => waiting.push(socket), { connections: 2 })
    const all = [send({ path: '/1' }), send({ path: '/2' }), send({ path: '/3' }), send({ path: '/4' })]
    await expect.poll(() => waiting.length).toBe(2)
    expect(all.map(({ hasLeft }) => hasLeft)).toEqual([true, true, false, false])
    all[2]?.sending?.abort(all[2])
    for (let answered = 0; answered < 3; answered++) {
      await expect.poll(() => waiting.length).toBeGreaterThan(answered)
      waiting[answered]?.write(hello)
    }
    expect(await Promise.all([all[0]?.over, all[1]?.over, all[3]?.over])).toEqual([null, null, null])
    expect(received.join('')).not.toContain('/3')
    expect(sockets).toHaveLength(2)
  })

  it('a request that is given up closes its connection, and no other', async () => {
    await start(make, (socket, text) => text.includes('/well') && socket.write(hello))
    const lost = send({ path: '/lost' })
    await expect.poll(() => received[0] ?? '').toContain('/lost')
    lost.sending?.abort(lost)
    lost.sending?.abort(lost)
    await ended()
    expect(await asked({ path: '/well' })).toMatchObject({ status: 200, error: null })
    lost.sending?.abort(lost)
    expect(await asked({ path: '/well' })).toMatchObject({ status: 200, error: null })
    if (name === 'direct') expect(sockets).toHaveLength(2)
  })

  it('an upstream that is not there is an error before anything has left', async () => {
    await start(make, () => {})
    server.close()
    const told = send()
    expect(await told.over).toMatchObject({ code: 'ECONNREFUSED' })
    expect(told.hasLeft).toBe(false)
  })

  it('no head in time is an error, and ends the connection', async () => {
    await start(make, () => {}, { headMs: 200 })
    expect((await asked()).error).toBeInstanceOf(errors.HeadersTimeoutError)
    await ended()
  })

  it('no more of a body in time is an error', async () => {
    await start(make, (socket) => socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello`), { idleMs: 200 })
    expect((await asked()).error).toBeInstanceOf(errors.BodyTimeoutError)
  })

  it('what ends breaks off what is under way', async () => {
    await start(make, () => {})
    const told = send()
    await expect.poll(() => received[0] ?? '').not.toBe('')
    transport.destroy()
    expect(await told.over).toBeInstanceOf(Error)
  })

  it('what is closed lets an answer end', async () => {
    await start(make, (socket) => setTimeout(() => socket.write(hello), 50))
    const told = send()
    await expect.poll(() => received[0] ?? '').not.toBe('')
    transport.close()
    expect([await told.over, told.body]).toEqual([null, 'hello'])
    await ended()
  })

  it('a connection that has been quiet for long is not used again', async () => {
    const clock = new FakeClock()
    await start(make, always(hello), {}, clock)
    await asked()
    if (name === 'direct') await clock.advance(10_000)
    else await new Promise((resolve) => setTimeout(resolve, 5_500))
    await asked()
    expect(sockets).toHaveLength(2)
  })
})

describe('direct:', () => {
  it('what nobody asked for ends the connection, and is taken for no answer', async () => {
    await start(direct, always(hello))
    await asked()
    sockets[0]?.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged')
    await ended()
    expect(await asked()).toMatchObject({ body: 'hello' })
  })

  it.each([
    ['of known length', hello],
    ['in chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n'],
  ])('what follows an answer %s in one packet is no part of it, and no next answer', async (_name, answer) => {
    for (const more of [hello, 'HTTP', 'nonsense']) {
      await start(direct, always(answer + more))
      expect(await asked()).toMatchObject({ body: 'hello', error: null })
      expect(await asked()).toMatchObject({ body: 'hello', error: null })
      expect(sockets).toHaveLength(2)
      transport.destroy()
      server.close()
    }
  })

  it('the length of what has not changed is that of another answer', async () => {
    await start(direct, always('HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n'))
    expect([await asked(), await asked()]).toMatchObject([{ status: 304 }, { status: 304, body: '', error: null }])
    expect(sockets).toHaveLength(1)
  })

  it('an answer that comes before the body has gone out ends the connection', async () => {
    await start(direct, always('HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\n\r\nhello'))
    const told = send({ method: 'POST', body: { held: false, rest: new PassThrough(), length: 10 } })
    expect([await told.over, told.status]).toEqual([null, 413])
    await asked()
    expect(sockets).toHaveLength(2)
  })

  it('an answer is heard although the upstream has reset the connection while the body was sent', async () => {
    await start(direct, (socket, text) => {
      if (text.length < 1_000) return
      socket.write('HTTP/1.1 401 Unauthorized\r\nContent-Length: 5\r\n\r\nhello')
      // Our next piece meets the reset before the answer has been read.
      socket.resetAndDestroy()
    })
    for (let round = 0; round < 20; round++) {
      const rest = new PassThrough()
      const told = send({ method: 'POST', body: { held: false, rest, length: 100_000_000 } })
      const more = () => void (rest.destroyed || (rest.write(Buffer.alloc(64)) && setImmediate(more)))
      more()
      const error = await told.over
      rest.destroy()
      expect([error, told.status, told.body]).toEqual([null, 401, 'hello'])
    }
  })

  it('a failed connection leaves those that wait behind it their own try', async () => {
    await start(direct, always(hello), { connections: 1 })
    const { port } = server.address() as AddressInfo
    server.close()
    const first = send()
    const second = send()
    const failed = first.over
    await failed
    expect(await second.over).toMatchObject({ code: 'ECONNREFUSED' })
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    expect(await asked()).toMatchObject({ status: 200 })
  })

  it('a server that closes behind its answer without having said so costs the next request nothing', async () => {
    await start(direct, (socket, text) => text.endsWith('\r\n\r\n') && socket.end(hello))
    for (let round = 0; round < 20; round++) {
      const first = new Told()
      const second = new Told()
      // Asked in the very call that tells the end of the first, as a failover does.
      const { onComplete } = first
      first.onComplete = () => {
        onComplete.call(first)
        transport.send({ method: 'GET', path: '/again', headers: [], body: none }, second)
      }
      transport.send({ method: 'GET', path: '/x', headers: [], body: none }, first)
      expect([await first.over, await second.over, second.body]).toEqual([null, null, 'hello'])
    }
  })

  it('a request that follows on an answer waits for its connection rather than open another', async () => {
    await start(direct, always(hello))
    for (let round = 0; round < 20; round++) expect((await asked()).body).toBe('hello')
    expect(sockets).toHaveLength(1)
  })

  it('a status that is none is a fault, and nothing of its body gets into a later answer', async () => {
    const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n'
    await start(direct, (socket, text) => {
      if (text.includes('/bad')) socket.write(`HTTP/1.1 099 No\r\nContent-Length: 6\r\n\r\nsecret${hello}`)
      else socket.write(chunked)
    })
    const { error } = await asked({ path: '/bad' })
    expect(failureOf(error as Error, true).outcome.reason).toBe('protocol')
    expect((await asked()).body).toBe('hi')
  })

  it('a head that comes byte by byte has no more time than any other', async () => {
    await start(
      direct,
      (socket) => {
        let at = 0
        const drip = setInterval(() => socket.write(hello[at++ % hello.length] ?? ''), 60)
        socket.on('close', () => clearInterval(drip))
      },
      { headMs: 400 },
    )
    expect((await asked()).error).toBeInstanceOf(errors.HeadersTimeoutError)
  })

  it('a client that is slow to send does not make the upstream late', async () => {
    await start(direct, (socket, text) => text.endsWith('END') && socket.write(hello), { headMs: 200 })
    const rest = new PassThrough()
    const told = send({ method: 'POST', body: { held: false, rest, length: 5 } })
    rest.write('ab')
    await new Promise((resolve) => setTimeout(resolve, 600))
    rest.end('END')
    expect([await told.over, told.body]).toEqual([null, 'hello'])
  })

  it('a listener that fails ends its own request, and nothing else', async () => {
    await start(direct, always(hello))
    const told = new Told()
    told.onHead = () => {
      throw new Error('a fault of ours')
    }
    transport.send({ method: 'GET', path: '/x', headers: [], body: none }, told)
    expect(await told.over).toMatchObject({ message: 'a fault of ours' })
    expect((await asked()).body).toBe('hello')
  })
})
