import { once } from 'node:events'
import { Agent, request as httpRequest } from 'node:http'
import { request as tlsRequest } from 'node:https'
import { afterEach, describe, expect, it } from 'vitest'
import { answerOf, type Rig, type RigOptions, startRig } from '../../../test/fakes/rig/rig.ts'
import { selfSigned } from '../../../test/fakes/upstream/certificate.ts'
import { answer, behind, Gate, silence } from '../../../test/fakes/upstream/upstream.ts'
import { systemClock } from '../../clock/clock.ts'
import { Inbound } from '../../proxy/admission/inbound.ts'
import { HttpServer } from './server.ts'

let rig: Rig

async function start(options: RigOptions = {}): Promise<void> {
  rig = await startRig(options)
}

afterEach(() => rig.close())

/** Asks for the models on a connection that is kept by `agent`. */
function askOn(agent: Agent, path = '/pool/v1/files') {
  const headers = { authorization: `Bearer ${rig.key}` }
  const request = httpRequest({ port: rig.port, host: '127.0.0.1', path, headers, agent })
  request.end()
  return answerOf(request)
}

/** What a new connection is told of readiness. */
async function readiness(): Promise<number> {
  return (await answerOf(httpRequest({ port: rig.port, host: '127.0.0.1', path: '/readyz', agent: false }).end()))
    .status
}

describe('the data port', () => {
  const handler = { handle: () => {}, rejection: () => ({ status: 400, headers: [], body: '' }) }
  const another = () =>
    new HttpServer({ handler, clock: systemClock(), log: { error() {} }, identity: null }, new Inbound())

  it('that is in use is said to be, with what to do about it', async () => {
    await start()
    await expect(another().listen('127.0.0.1', rig.port)).rejects.toMatchObject({
      code: 'EADDRINUSE',
      message: `cannot listen on 127.0.0.1:${rig.port}: the port is in use`,
      hint: expect.stringContaining('--listen'),
    })
  })

  it('of an address that is not ours is said so', async () => {
    await start()
    await expect(another().listen('192.0.2.1', 0)).rejects.toMatchObject({ code: 'EADDRNOTAVAIL' })
  })
})

describe('what is no request', () => {
  it.each([
    ['another protocol', 'SSH-2.0-OpenSSH\r\n\r\n', 400, 'bad_request'],
    ['a head without end', `GET / HTTP/1.1\r\nX: ${'y'.repeat(40_000)}\r\n\r\n`, 431, 'headers_too_large'],
    ['CONNECT', 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n', 405, 'method_not_allowed'],
  ])('%s gets a whole answer of the usual form, and the connection ends', async (_, bytes, status, code) => {
    await start()
    const text = await rig.raw(bytes)
    const [head = '', body = ''] = text.split('\r\n\r\n')
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} [\\s\\S]*x-spillway-request-id: \\S+`))
    expect(head).toContain(`content-length: ${body.length}`)
    expect(JSON.parse(body)).toMatchObject({ status, code })
  })
})

describe('the data port with a certificate', () => {
  it('speaks TLS', async () => {
    await start({ identity: selfSigned })
    const headers = { authorization: `Bearer ${rig.key}` }
    const options = { port: rig.port, host: '127.0.0.1', path: '/pool/v1/files', headers, rejectUnauthorized: false }
    const { status, json } = await answerOf(tlsRequest(options).end())
    expect([status, json]).toMatchObject([200, { ok: true }])
  })
})

describe('a drain', () => {
  it('lets what is under way end, tells clients to close, and takes nothing new', async () => {
    await start()
    const gate = new Gate()
    rig.upstream.on('key-a').once(behind(gate, answer(200, {}, { late: true })))
    const underWay = rig.ask()
    await gate.reached
    const drained = rig.proxy.drain(10_000)
    expect(await readiness()).toBe(503)
    await expect.poll(() => rig.ask().catch((error: NodeJS.ErrnoException) => error.code)).toBe('ECONNREFUSED')
    gate.open()
    expect(await underWay).toMatchObject({ status: 200, json: { late: true }, headers: { connection: 'close' } })
    await drained
    expect(rig.proxy.inFlight).toBe(0)
  })

  it('serves requests that come on connections that are open, and says not ready there', async () => {
    await start()
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    await askOn(agent)
    const gate = new Gate()
    rig.upstream.on('key-a').once(behind(gate, answer(200)))
    const underWay = rig.ask()
    await gate.reached
    const drained = rig.proxy.drain(10_000)
    expect(await askOn(agent, '/readyz')).toMatchObject({ status: 503, headers: { connection: 'close' } })
    gate.open()
    await Promise.all([underWay, drained])
    agent.destroy()
  })

  it('ends after its time, whatever is left', async () => {
    await start()
    rig.upstream.on('key-a').always(silence)
    const stuck = rig.ask().catch((error: NodeJS.ErrnoException) => error.code)
    await rig.upstream.received(1)
    const before = performance.now()
    await rig.proxy.drain(400)
    expect(performance.now() - before).toBeLessThan(2_000)
    expect(await stuck).toBe('ECONNRESET')
    expect(rig.counted).toMatchObject({ requests: ['client_gone'], inflight: 0 })
    expect(rig.health('a')).toBe('healthy')
  })

  it('is over soon when only idle connections are left', async () => {
    await start()
    const agent = new Agent({ keepAlive: true })
    await askOn(agent)
    const before = performance.now()
    await rig.proxy.drain(10_000)
    expect(performance.now() - before).toBeLessThan(2_000)
    agent.destroy()
  })

  it('does not wait for a client that left before its TLS handshake', async () => {
    await start({ identity: selfSigned })
    const socket = rig.socket()
    await once(socket, 'connect')
    const closed = once(socket, 'close')
    socket.end()
    await closed
    const before = performance.now()
    await rig.proxy.drain(10_000)
    expect(performance.now() - before).toBeLessThan(5_000)
  })

  it('loses no request under load', async () => {
    await start()
    const agent = new Agent({ keepAlive: true, maxSockets: 20 })
    let served = 0
    const lost: unknown[] = []
    let draining = false
    const worker = async () => {
      while (!draining || served < 200) {
        try {
          const { status } = await askOn(agent)
          if (status === 200) served++
          else lost.push(status)
        } catch (error) {
          const { code } = error as NodeJS.ErrnoException
          if (code === 'ECONNREFUSED') return
          lost.push(code)
        }
      }
    }
    const workers = Array.from({ length: 20 }, worker)
    await expect.poll(() => served).toBeGreaterThan(200)
    draining = true
    await rig.proxy.drain(10_000)
    await Promise.all(workers)
    expect(lost).toEqual([])
    agent.destroy()
  })
})

describe('changed settings', () => {
  it('are in use for the next request, and nothing under way is lost', async () => {
    await start()
    const gate = new Gate()
    rig.upstream.on('key-a').once(behind(gate, answer(200, {}, {})))
    const underWay = rig.ask()
    await gate.reached
    const { upstream, replay } = rig.settings
    rig.proxy.configure({
      ...rig.settings,
      exposeMember: true,
      upstream: { ...upstream, allowPrivate: [] },
      replay: { ...replay, maxAttempts: 1 },
    })
    gate.open()
    expect((await underWay).status).toBe(200)
    const { status, json } = await rig.ask()
    expect([status, json]).toMatchObject([502, { error: { code: 'upstream_unreachable' } }])
  })
})
