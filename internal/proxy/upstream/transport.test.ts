/** What both ways to an upstream have in common; the upstream is bare TCP. */

import type { AddressInfo, Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import { afterEach, describe, expect, it } from 'vitest'
import { standstill } from '../../../test/fakes/standstill.ts'
import {
  always,
  BareUpstream,
  direct,
  hello,
  none,
  Told,
  throughUndici,
} from '../../../test/fakes/upstream/bare-upstream.ts'
import { HeldBody } from '../../http1/body/held-body.ts'
import type { RequestBody } from '../../http1/http1.ts'
import { failureOf } from './failure.ts'

let stage: BareUpstream

afterEach(() => stage.close())

function held(...parts: readonly string[]): RequestBody {
  const bytes = new HeldBody()
  for (const part of parts) bytes.add(Buffer.from(part))
  return { held: true, bytes }
}

describe.each([
  ['direct', direct],
  ['undici', throughUndici],
] as const)('%s:', (name, make) => {
  describe('a request', () => {
    const host = () =>
      `host: 127.0.0.1:${(stage.server.address() as AddressInfo).port}\r\nconnection: keep-alive\r\na: b\r\n`

    it.each([
      ['without a body', { method: 'GET' }, 'GET', ''],
      ['that must say that it has none', { method: 'POST' }, 'POST', 'content-length: 0\r\n'],
    ] as const)('%s', async (_name, request, method, frame) => {
      stage = await BareUpstream.start(make, always(hello))
      expect(await stage.asked(request)).toMatchObject({ status: 200, body: 'hello', error: null })
      expect(stage.received).toEqual([`${method} /x HTTP/1.1\r\n${host()}${frame}\r\n`])
    })

    it('with a body in pieces, and with a long one', async () => {
      stage = await BareUpstream.start(make, (socket, text) => text.endsWith('END') && socket.write(hello))
      const long = `${'x'.repeat(300_000)}END`
      const bodies = [held('one', 'END'), held('a'.repeat(20_000), 'b'.repeat(50_000), 'END'), held(long)]
      for (const body of bodies) {
        expect((await stage.asked({ method: 'POST', body })).body).toBe('hello')
      }
      expect(stage.received.join('').length).toBeGreaterThan(370_000)
      expect(stage.received.join('')).toContain(`content-length: 6\r\n\r\noneEND`)
      expect(stage.received.join('')).toContain(`content-length: 300003\r\n\r\n${long}`)
    })

    it('with a body that is on its way', async () => {
      stage = await BareUpstream.start(make, (socket, text) => text.endsWith('3456789') && socket.write(hello))
      const rest = new PassThrough()
      const told = stage.send({ method: 'POST', body: { held: false, rest, length: 10 } })
      rest.write('012')
      setImmediate(() => rest.end('3456789'))
      expect([await told.over, told.body]).toEqual([null, 'hello'])
      expect(stage.received[0]).toMatch(/content-length: 10\r\n\r\n0123456789$/)
    })

    it('with a body of unknown length', async () => {
      stage = await BareUpstream.start(make, (socket, text) => text.endsWith('\r\n0\r\n\r\n') && socket.write(hello))
      const rest = new PassThrough()
      const told = stage.send({ method: 'POST', body: { held: false, rest, length: null } })
      rest.write('first')
      await expect.poll(() => stage.received[0] ?? '').toContain('first')
      rest.end('second!')
      expect([await told.over, told.body]).toEqual([null, 'hello'])
      expect(stage.received[0]).toMatch(/transfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n7\r\nsecond!\r\n0\r\n\r\n$/)
    })

    it('whose body breaks off is broken off', async () => {
      stage = await BareUpstream.start(make, () => {})
      const rest = new PassThrough()
      const told = stage.send({ method: 'POST', body: { held: false, rest, length: 10 } })
      rest.write('012')
      await expect.poll(() => stage.received[0] ?? '').toContain('012')
      rest.destroy(new Error('the client has left'))
      expect(await told.over).toBeInstanceOf(Error)
      await stage.ended()
    })

    it('with a value that would end its line is not sent', async () => {
      stage = await BareUpstream.start(make, always(hello))
      for (const headers of [
        ['a', 'b\r\nc: d'],
        ['a', 'b\0'],
        ['a', 'ü\u0100'],
      ]) {
        const told = new Told()
        let thrown: unknown = null
        try {
          stage.transport.send({ method: 'GET', path: '/x', headers, body: none }, told)
          thrown = await told.over
        } catch (error) {
          thrown = error
        }
        expect(failureOf(thrown as Error, false)).toMatchObject({ status: 400 })
      }
      expect(stage.received.join('')).toBe('')
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
      stage = await BareUpstream.start(make, always(answer))
      for (let round = 0; round < 3; round++) {
        expect(await stage.asked(request)).toMatchObject({ status, body, error: null })
      }
      // undici is not ready for the next one as soon as it has told the end of this one.
      if (name === 'direct') expect(stage.sockets).toHaveLength(1)
    })

    it('is the same however its bytes are cut', async () => {
      const answer = `${chunked}3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n`
      stage = await BareUpstream.start(make, (socket) => {
        let at = 0
        const next = () => {
          socket.write(answer[at++] ?? '')
          if (at < answer.length) setImmediate(next)
        }
        next()
      })
      expect(await stage.asked()).toMatchObject({ status: 200, body: 'hello', error: null })
    })

    it('that only the end of the connection delimits is complete with it', async () => {
      stage = await BareUpstream.start(make, (socket) => socket.end('HTTP/1.1 200 OK\r\n\r\nhello'))
      expect(await stage.asked()).toMatchObject({ body: 'hello', error: null })
      expect(await stage.asked()).toMatchObject({ body: 'hello', error: null })
      expect(stage.sockets).toHaveLength(2)
    })

    it.each([
      ['says so', 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello'],
      ['is HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello'],
      [
        'will not keep it for longer than a request takes',
        `HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\nContent-Length: 5\r\n\r\nhello`,
      ],
    ])('that %s ends its connection', async (_name, answer) => {
      stage = await BareUpstream.start(make, always(answer))
      await stage.asked()
      await stage.asked()
      expect(stage.sockets).toHaveLength(2)
    })

    it.each([
      ['in the middle of its head', 'HTTP/1.1 200 OK\r\nCont', 'reset'],
      ['in the middle of a body of known length', 'HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello', 'reset'],
      ['in the middle of chunks', `${chunked}5\r\nhello\r\n5`, 'reset'],
      ['with nothing', '', 'reset'],
    ])('that breaks off %s is an error', async (_name, answer, reason) => {
      stage = await BareUpstream.start(make, (socket) => socket.end(answer))
      const { error } = await stage.asked()
      expect(failureOf(error as Error, true).outcome.reason).toBe(reason)
    })

    it('that only the end of the connection delimits is broken off by a reset', async () => {
      stage = await BareUpstream.start(make, (socket) => socket.write('HTTP/1.1 200 OK\r\n\r\nhello'))
      const told = stage.send({})
      await expect.poll(() => told.body).toBe('hello')
      stage.sockets[0]?.resetAndDestroy()
      expect(failureOf((await told.over) as Error, true).outcome.reason).toBe('reset')
    })

    it.each([
      ['is no HTTP', 'SSH-2.0-OpenSSH\r\n\r\n'],
      ['has a chunk of no size', `${chunked}xyz\r\nhello\r\n0\r\n\r\n`],
      ['has two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello'],
      [
        'has a length and chunks',
        'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      ],
      ['is packed on its way', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nhello'],
      ['is packed in chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n'],
      ['has a length that is no number', 'HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\nhello'],
      ['ends its lines like a Unix file', 'HTTP/1.1 200 OK\nContent-Length: 5\n\nhello'],
      ['has a head without end', `HTTP/1.1 200 OK\r\nX: ${'y'.repeat(70_000)}\r\n\r\n`],
      ['goes on hinting', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(20) + hello],
      ['begins with a 100', `HTTP/1.1 100 Continue\r\n\r\n${hello}`],
      ['switches protocols', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'],
    ])('F18: that %s is a fault of the protocol, and ends its connection', async (_name, answer) => {
      stage = await BareUpstream.start(make, (socket) => socket.write(answer))
      const { error } = await stage.asked()
      expect(failureOf(error as Error, true).outcome.reason).toBe('protocol')
      await stage.ended()
    })
  })

  it('an answer is held up as long as nobody reads it', async () => {
    const length = 50_000_000
    stage = await BareUpstream.start(make, (socket) => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n`)
      socket.write(Buffer.alloc(length, 'x'))
    })
    const told = stage.send()
    told.flows = false
    await told.begun
    await expect.poll(() => told.body.length).toBeGreaterThan(0)
    expect(await standstill(() => told.body.length)).toBeLessThan(1_000_000)
    told.flows = true
    told.sending?.resume(told)
    expect([await told.over, told.body.length]).toEqual([null, length])
  })

  it('of more requests than connections the rest wait their turn', async () => {
    const waiting: Socket[] = []
    stage = await BareUpstream.start(make, (socket) => waiting.push(socket), { connections: 2 })
    const all = [
      stage.send({ path: '/1' }),
      stage.send({ path: '/2' }),
      stage.send({ path: '/3' }),
      stage.send({ path: '/4' }),
    ]
    await expect.poll(() => waiting.length).toBe(2)
    expect(all.map(({ hasLeft }) => hasLeft)).toEqual([true, true, false, false])
    all[2]?.sending?.abort(all[2])
    for (let answered = 0; answered < 3; answered++) {
      await expect.poll(() => waiting.length).toBeGreaterThan(answered)
      waiting[answered]?.write(hello)
    }
    expect(await Promise.all([all[0]?.over, all[1]?.over, all[3]?.over])).toEqual([null, null, null])
    expect(stage.received.join('')).not.toContain('/3')
    expect(stage.sockets).toHaveLength(2)
  })

  it('a request that is given up closes its connection, and no other', async () => {
    stage = await BareUpstream.start(make, (socket, text) => text.includes('/well') && socket.write(hello))
    const lost = stage.send({ path: '/lost' })
    await expect.poll(() => stage.received[0] ?? '').toContain('/lost')
    lost.sending?.abort(lost)
    lost.sending?.abort(lost)
    await stage.ended()
    expect(await stage.asked({ path: '/well' })).toMatchObject({ status: 200, error: null })
    lost.sending?.abort(lost)
    expect(await stage.asked({ path: '/well' })).toMatchObject({ status: 200, error: null })
    if (name === 'direct') expect(stage.sockets).toHaveLength(2)
  })

  it('an upstream that is not there is an error before anything has left', async () => {
    stage = await BareUpstream.start(make, () => {})
    stage.server.close()
    const told = stage.send()
    expect(await told.over).toMatchObject({ code: 'ECONNREFUSED' })
    expect(told.hasLeft).toBe(false)
  })

  it('no head in time is an error, and ends the connection', async () => {
    stage = await BareUpstream.start(make, () => {}, { headMs: 200 })
    expect(failureOf((await stage.asked()).error ?? new Error('none'), true).code).toBe('upstream_timeout')
    await stage.ended()
  })

  it('no more of a body in time is an error', async () => {
    stage = await BareUpstream.start(
      make,
      (socket) => socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello`),
      { idleMs: 200 },
    )
    expect(failureOf((await stage.asked()).error ?? new Error('none'), true).code).toBe('upstream_timeout')
  })

  it('what ends breaks off what is under way', async () => {
    stage = await BareUpstream.start(make, () => {})
    const told = stage.send()
    await expect.poll(() => stage.received[0] ?? '').not.toBe('')
    stage.transport.destroy()
    expect(await told.over).toBeInstanceOf(Error)
  })

  it('what is closed lets an answer end', async () => {
    stage = await BareUpstream.start(make, () => {})
    const told = stage.send()
    await expect.poll(() => stage.received[0] ?? '').not.toBe('')
    stage.transport.close()
    stage.sockets[0]?.write(hello)
    expect([await told.over, told.body]).toEqual([null, 'hello'])
    await stage.ended()
  })
})
