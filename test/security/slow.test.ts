import { connect, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Program, type Served } from '../fakes/rig/program.ts'
import { type FakeUpstream, fakeUpstream } from '../fakes/upstream/upstream.ts'

const attackers = 200

let program: Program
let upstream: FakeUpstream
let served: Served
let key: string
const sockets: Socket[] = []

beforeEach(async () => {
  program = new Program()
  upstream = await fakeUpstream()
  served = await program.serve()
  key = (await program.ops.keyCreate({ name: 'load' })).key
  await program.ops.credAdd({ name: 'a', provider: 'openai', source: { kind: 'vault', secret: 'sk-a' } })
  await program.ops.poolCreate({ name: 'openai', provider: 'openai', members: ['a'], upstream: upstream.url })
})

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  program.close()
  await upstream.close()
})

/** A connection of somebody who means no good. */
function attack(): Socket {
  const socket = connect(Number(new URL(served.origin).port), '127.0.0.1')
  socket.on('error', () => {})
  sockets.push(socket)
  return socket
}

/** The 99th percentile in ms of 300 healthy requests, five at once. */
async function p99(): Promise<number> {
  const times: number[] = []
  const one = async () => {
    const begun = performance.now()
    const init = { method: 'POST', headers: { authorization: `Bearer ${key}` }, body: '{}' }
    const response = await fetch(`${served.origin}/openai/v1/chat/completions`, init)
    expect(response.status).toBe(200)
    await response.text()
    times.push(performance.now() - begun)
  }
  for (let round = 0; round < 60; round++) await Promise.all([one(), one(), one(), one(), one()])
  times.sort((one, other) => one - other)
  return times[Math.floor(times.length * 0.99)] ?? 0
}

/**
 * The ratio of the two at its best of a few trials: other processes of the machine can only make it worse. A few
 * milliseconds are no slowdown that anybody could measure here.
 */
async function slowdown(begin: () => unknown, end: () => void): Promise<number> {
  let best = Number.POSITIVE_INFINITY
  for (let trial = 0; trial < 4 && best >= 2; trial++) {
    const baseline = Math.max(await p99(), 10)
    await begin()
    best = Math.min(best, (await p99()) / baseline)
    end()
  }
  return best
}

describe('A15: slow clients', () => {
  const endAll = () => {
    for (const socket of sockets.splice(0)) socket.destroy()
  }

  it(`${attackers} that send one more header every 100 ms do not slow the others down`, async () => {
    await p99()
    let dripping: NodeJS.Timeout | undefined
    const begin = () => {
      const slow = Array.from({ length: attackers }, attack)
      for (const socket of slow) socket.write('POST /openai/v1/chat/completions HTTP/1.1\r\nHost: x\r\n')
      dripping = setInterval(() => {
        for (const socket of slow) socket.write(`X-Drip-${Math.random()}: 1\r\n`)
      }, 100)
    }
    const ratio = await slowdown(begin, () => {
      clearInterval(dripping)
      endAll()
    })
    expect(ratio).toBeLessThan(2)
  }, 60_000)

  it(`${attackers} that do not finish their bodies do not slow the others down, nor reach the upstream`, async () => {
    await p99()
    upstream.forget()
    const begin = () => {
      const head = `POST /openai/v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\nContent-Length: 1000\r\n\r\n{"slow":`
      for (let i = 0; i < attackers; i++) attack().write(head)
    }
    expect(await slowdown(begin, endAll)).toBeLessThan(2)
    expect(upstream.requests.some(({ body }) => body.includes('slow'))).toBe(false)
  }, 60_000)

  it(`${attackers} that do not read their answers do not slow the others down`, async () => {
    await p99()
    const big = Buffer.alloc(4_194_304, 'x')
    upstream.on('sk-a').always({
      play({ request, response }) {
        response.end(request.path.endsWith('/files') ? big : '{}')
      },
    })
    const begin = async () => {
      const request = `GET /openai/v1/files HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\n\r\n`
      for (let i = 0; i < attackers; i++) attack().pause().write(request)
      // What the kernel takes of their answers is on its way first.
      await upstream.received(upstream.requests.length + attackers - 1)
      await new Promise((resolve) => setTimeout(resolve, 1_500))
    }
    expect(await slowdown(begin, endAll)).toBeLessThan(2)
  }, 60_000)
})
