/** What connections of our own promise beyond what undici does; the upstream is bare TCP. */
import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import { afterEach, describe, expect, it } from 'vitest'
import {
  always,
  BareUpstream,
  direct,
  hello,
  none,
  type Script,
  Told,
} from '../../../test/fakes/upstream/bare-upstream.ts'
import { FakeClock } from '../../clock/clock.ts'
import { failureOf } from '../../proxy/upstream/failure.ts'
import { HeadTimeout } from '../errors.ts'

let stage: BareUpstream

afterEach(() => stage.close())

describe('the direct transport:', () => {
  it('what nobody asked for ends the connection, and is taken for no answer', async () => {
    stage = await BareUpstream.start(direct, always(hello))
    await stage.asked()
    stage.sockets[0]?.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged')
    await stage.ended()
    expect(await stage.asked()).toMatchObject({ body: 'hello' })
  })

  it.each([
    ['of known length', hello],
    ['in chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n'],
  ])('what follows an answer %s in one packet is no part of it, and no next answer', async (_name, answer) => {
    for (const more of [hello, 'HTTP', 'nonsense']) {
      stage = await BareUpstream.start(direct, always(answer + more))
      expect(await stage.asked()).toMatchObject({ body: 'hello', error: null })
      expect(await stage.asked()).toMatchObject({ body: 'hello', error: null })
      expect(stage.sockets).toHaveLength(2)
      stage.transport.destroy()
      stage.server.close()
    }
  })

  it('the length of what has not changed is that of another answer', async () => {
    stage = await BareUpstream.start(direct, always('HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n'))
    expect([await stage.asked(), await stage.asked()]).toMatchObject([
      { status: 304 },
      { status: 304, body: '', error: null },
    ])
    expect(stage.sockets).toHaveLength(1)
  })

  it('requests that follow on connections that are closed behind their answers do not wait for each other', async () => {
    const first: Socket[] = []
    let again = 0
    const script: Script = (socket, text) => {
      if (text.includes('/again')) again++
      else if (first.push(socket) === 3) for (const one of first) one.end(hello)
    }
    stage = await BareUpstream.start(direct, script, { connections: 8 })
    for (let count = 0; count < 3; count++) void stage.send().over.then(() => stage.send({ path: '/again' }))
    await expect.poll(() => again).toBe(3)
    expect(stage.sockets).toHaveLength(6)
  })

  it('an answer that comes before the body has gone out ends the connection', async () => {
    stage = await BareUpstream.start(direct, always('HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\n\r\nhello'))
    const told = stage.send({ method: 'POST', body: { held: false, rest: new PassThrough(), length: 10 } })
    expect([await told.over, told.status]).toEqual([null, 413])
    await stage.asked()
    expect(stage.sockets).toHaveLength(2)
  })

  it.each([
    ['of known length', 100_000_000],
    ['in chunks', null],
  ])(
    'an answer is heard although the upstream has reset the connection while a body %s was sent',
    async (_, length) => {
      stage = await BareUpstream.start(direct, (socket, text) => {
        if (text.length < 1_000) return
        socket.write('HTTP/1.1 401 Unauthorized\r\nContent-Length: 5\r\n\r\nhello')
        // Our next pieces meet the reset before the answer has been read.
        socket.resetAndDestroy()
      })
      for (let round = 0; round < 20; round++) {
        const rest = new PassThrough()
        const told = stage.send({ method: 'POST', body: { held: false, rest, length } })
        const more = () => {
          if (rest.destroyed) return
          rest.write(Buffer.alloc(64))
          if (rest.write(Buffer.alloc(64))) setImmediate(more)
        }
        more()
        const error = await told.over
        rest.destroy()
        expect([error, told.status, told.body]).toEqual([null, 401, 'hello'])
      }
    },
  )

  it('a failed connection leaves those that wait behind it their own try', async () => {
    stage = await BareUpstream.start(direct, always(hello), { connections: 1 })
    const { port } = stage.server.address() as AddressInfo
    stage.server.close()
    const first = stage.send()
    const second = stage.send()
    const failed = first.over
    await failed
    expect(await second.over).toMatchObject({ code: 'ECONNREFUSED' })
    stage.server.listen(port, '127.0.0.1')
    await once(stage.server, 'listening')
    expect(await stage.asked()).toMatchObject({ status: 200 })
  })

  it('a server that closes behind its answer without having said so costs the next request nothing', async () => {
    stage = await BareUpstream.start(direct, (socket, text) => text.endsWith('\r\n\r\n') && socket.end(hello))
    for (let round = 0; round < 20; round++) {
      const first = new Told()
      const second = new Told()
      // Asked in the very call that tells the end of the first, as a failover does.
      const { onComplete } = first
      first.onComplete = () => {
        onComplete.call(first)
        stage.transport.send({ method: 'GET', path: '/again', headers: [], body: none }, second)
      }
      stage.transport.send({ method: 'GET', path: '/x', headers: [], body: none }, first)
      expect([await first.over, await second.over, second.body]).toEqual([null, null, 'hello'])
    }
  })

  it('a request that follows on an answer waits for its connection rather than open another', async () => {
    stage = await BareUpstream.start(direct, always(hello))
    for (let round = 0; round < 20; round++) expect((await stage.asked()).body).toBe('hello')
    expect(stage.sockets).toHaveLength(1)
  })

  it('a status that is none is a fault, and nothing of its body gets into a later answer', async () => {
    const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n'
    stage = await BareUpstream.start(direct, (socket, text) => {
      if (text.includes('/bad')) socket.write(`HTTP/1.1 099 No\r\nContent-Length: 6\r\n\r\nsecret${hello}`)
      else socket.write(chunked)
    })
    const { error } = await stage.asked({ path: '/bad' })
    expect(failureOf(error as Error, true).outcome.reason).toBe('protocol')
    expect((await stage.asked()).body).toBe('hi')
  })

  it('a head that comes byte by byte has no more time than any other', async () => {
    const clock = new FakeClock()
    stage = await BareUpstream.start(direct, () => {}, { headMs: 400 }, clock)
    const told = stage.send()
    await expect.poll(() => stage.received[0] ?? '').not.toBe('')
    for (const byte of hello.slice(0, 15)) {
      await new Promise<void>((resolve) => stage.sockets[0]?.write(byte, () => resolve()))
      await clock.advance(50)
    }
    expect(await told.over).toBeInstanceOf(HeadTimeout)
  })

  it('a client that is slow to send does not make the upstream late', async () => {
    const clock = new FakeClock()
    const script: Script = (socket, text) => text.endsWith('END') && socket.write(hello)
    stage = await BareUpstream.start(direct, script, { headMs: 200 }, clock)
    const rest = new PassThrough()
    const told = stage.send({ method: 'POST', body: { held: false, rest, length: 5 } })
    rest.write('ab')
    await expect.poll(() => stage.received[0] ?? '').toMatch(/ab$/)
    await clock.advance(1_000)
    rest.end('END')
    expect([await told.over, told.body]).toEqual([null, 'hello'])
  })

  it('a listener that fails ends its own request, and nothing else', async () => {
    stage = await BareUpstream.start(direct, always(hello))
    const told = new Told()
    told.onHead = () => {
      throw new Error('a fault of ours')
    }
    stage.transport.send({ method: 'GET', path: '/x', headers: [], body: none }, told)
    expect(await told.over).toMatchObject({ message: 'a fault of ours' })
    expect((await stage.asked()).body).toBe('hello')
  })

  it('a connection that has been quiet for long is not used again', async () => {
    const clock = new FakeClock()
    stage = await BareUpstream.start(direct, always(hello), {}, clock)
    await stage.asked()
    await clock.advance(10_000)
    await stage.asked()
    expect(stage.sockets).toHaveLength(2)
  })
})
