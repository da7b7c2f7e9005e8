import { once } from 'node:events'
import { afterEach, describe, expect, it } from 'vitest'
import { closing, heard, rawRequests, statuses } from '../../../test/fakes/rig/raw.ts'
import { type Rig, type RigOptions, startRig } from '../../../test/fakes/rig/rig.ts'
import { standstill } from '../../../test/fakes/standstill.ts'
import { FakeClock } from '../../clock/clock.ts'

let rig: Rig
async function start(options: RigOptions = {}): Promise<void> {
  rig = await startRig(options)
}
afterEach(() => rig?.close())
const { plain, seen } = rawRequests(() => rig)

describe('what does not come', () => {
  const passes = async (clock: FakeClock, ms: number) => {
    for (let left = ms; left > 0; left -= 5_000) await clock.advance(Math.min(left, 5_000))
  }

  it('of a body is waited for, for five minutes', async () => {
    const clock = new FakeClock()
    await start({ clock })
    const socket = rig.socket()
    const answered = once(socket, 'data')
    const closed = once(socket, 'close')
    socket.write(`${plain('/v1/one', ['Content-Length: 10'], 'POST')}01234`)
    await expect.poll(() => rig.proxy.inFlight).toBe(1)
    await passes(clock, 299_000)
    expect(rig.proxy.inFlight).toBe(1)
    await passes(clock, 15_000)
    expect(String((await answered)[0])).toMatch(/^HTTP\/1\.1 408 /)
    await passes(clock, 5_000)
    await closed
    await expect.poll(() => rig.counted.requests).toEqual(['client_gone'])
    expect(statuses(await rig.raw(plain('/v1/two', closing)))).toEqual([200])
  })

  it.each([
    ['of known length', ['Content-Length: 10'], (byte: string) => byte, ''],
    ['in chunks', ['Transfer-Encoding: chunked'], (byte: string) => `1\r\n${byte}\r\n`, '0\r\n\r\n'],
  ])('at once, but little by little: a body %s may take an hour', async (_, framed, piece, end) => {
    const clock = new FakeClock()
    await start({ clock })
    const socket = rig.socket()
    const text = heard(socket)
    const closed = once(socket, 'close')
    socket.write(plain('/v1/one', [...framed, ...closing], 'POST'))
    await expect.poll(() => rig.proxy.inFlight).toBe(1)
    for (const byte of '0123456789') {
      socket.write(piece(byte))
      await standstill(() => socket.bytesWritten)
      await passes(clock, 290_000)
    }
    if (end !== '') socket.write(end)
    await closed
    expect(statuses(text())).toEqual([200])
    expect(seen()).toEqual([['POST', '/v1/one', '0123456789']])
  })

  it('of a head is not waited for longer than a minute, however much of it comes', async () => {
    const clock = new FakeClock()
    await start({ clock })
    const socket = rig.socket()
    const text = heard(socket)
    socket.write('GET /pool/v1/x HTTP/1.1\r\n')
    for (let second = 0; second < 90 && !socket.readableEnded; second += 5) {
      socket.write('X: y\r\n')
      await standstill(() => socket.bytesWritten)
      await clock.advance(5_000)
    }
    expect(statuses(text())).toEqual([408])
  })

  it('of the next request on a quiet connection closes it without a word', async () => {
    const clock = new FakeClock()
    await start({ clock })
    const socket = rig.socket()
    const text = heard(socket)
    socket.write(plain('/v1/one'))
    await expect.poll(() => statuses(text())).toEqual([200])
    const closed = once(socket, 'close')
    await passes(clock, 115_000)
    await closed
    expect(statuses(text())).toEqual([200])
  })
})
