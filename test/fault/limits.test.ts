import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Program, type Served } from '../fakes/rig/program.ts'
import { behind, type FakeUpstream, fakeUpstream, Gate, happy } from '../fakes/upstream/upstream.ts'
import { post } from '../fakes/workers.ts'

const full = process.env.SPILLWAY_FULL === '1'

let program: Program
let upstream: FakeUpstream
let served: Served
let key: string
const sockets: Socket[] = []

beforeEach(async () => {
  program = new Program()
  upstream = await fakeUpstream()
})

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  program.close()
  await upstream.close()
})

async function begin(env: Record<string, string>, under: readonly string[] = []): Promise<void> {
  served = await program.serve(env, under)
  key = (await program.ops.keyCreate({ name: 'load' })).key
  await program.ops.credAdd({ name: 'a', provider: 'openai', source: { kind: 'vault', secret: 'sk-a' } })
  await program.ops.poolCreate({ name: 'openai', provider: 'openai', members: ['a'], upstream: upstream.url })
}

/** A connection of a client, with the status lines that came back on it. */
function client(): { socket: Socket; statuses: string[]; closed: boolean } {
  const socket = connect(Number(new URL(served.origin).port), '127.0.0.1')
  const seen = { socket, statuses: [] as string[], closed: false }
  sockets.push(socket)
  socket.on('error', () => {})
  socket.on('close', () => {
    seen.closed = true
  })
  socket.on('data', (bytes) => {
    for (const [, status] of bytes.toString('latin1').matchAll(/HTTP\/1\.1 (\d{3}) /g)) seen.statuses.push(status ?? '')
  })
  return seen
}

describe('F25: no descriptors left', () => {
  it('sheds what is too much with 503, serves what it took, and takes everything again within 2 s', async (test) => {
    const hasPrlimit = spawnSync('prlimit', ['--version']).error === undefined
    test.skip(!hasPrlimit, 'prlimit is not installed')
    await begin({}, ['prlimit', '--nofile=512:512', '--'])
    const gate = new Gate()
    upstream.on('sk-a').always(behind(gate, happy))
    const request = post('/openai/v1/chat/completions', key)
    const clients = Array.from({ length: 600 }, client)
    for (const { socket } of clients) socket.write(request)
    const shed = () =>
      clients.filter(({ statuses, closed }) => statuses[0] === '503' || (closed && statuses.length === 0))
    await expect.poll(() => upstream.requests.length + shed().length, { timeout: 15_000 }).toBe(600)
    // Half of what is left beside 256 descriptors for everything else.
    expect(upstream.requests).toHaveLength(128)
    expect(clients.filter(({ statuses }) => statuses[0] === '503').length).toBeGreaterThan(0)
    gate.open()
    await expect
      .poll(() => clients.filter(({ statuses }) => statuses[0] === '200').length, { timeout: 5_000 })
      .toBe(upstream.requests.length)
    for (const { socket } of clients) socket.destroy()
    const freed = performance.now()
    for (let i = 0; i < 50; i++) {
      const headers = { authorization: `Bearer ${key}` }
      const response = await fetch(`${served.origin}/openai/v1/models`, { headers }).catch(() => null)
      await response?.text()
      if (response?.status !== 200) i = -1
      if (performance.now() - freed > 2_000) break
    }
    expect(performance.now() - freed).toBeLessThan(2_000)
    expect((await fetch(`${served.origin}/healthz`)).status).toBe(200)
    expect(served.process.exitCode).toBeNull()
  }, 40_000)
})

describe('F26: many large bodies at once', () => {
  const mib = 1_048_576
  // A part of the real case by default: 40 bodies of 12 MiB against a budget of 64 MiB.
  const count = full ? 200 : 40
  const size = (full ? 50 : 12) * mib
  const budget = (full ? 256 : 64) * mib
  const allowed = (full ? 512 : 160) * mib

  it(`of ${count} × ${size / mib} MiB keeps the process below ${allowed / mib} MiB over its idle size, and all arrive`, async () => {
    await begin({
      SPILLWAY_REPLAY_MAX_BODY_BYTES: '64MiB',
      SPILLWAY_REPLAY_MAX_TOTAL_BYTES: String(budget),
    })
    const rss = () =>
      Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${served.process.pid}/status`, 'utf8'))?.[1]) * 1_024
    let bytes = 0
    upstream.on('sk-a').always({
      early: true,
      async play({ request, response }) {
        const { length } = await request.whole
        bytes += length
        request.body = Buffer.alloc(0)
        response.end('{}')
      },
    })
    await fetch(`${served.origin}/healthz`)
    const idle = rss()
    let most = 0
    const watch = setInterval(() => {
      most = Math.max(most, rss())
    }, 20)
    const block = Buffer.alloc(mib, 0x20)
    const head = post('/openai/v1/chat/completions', key, '').replace('Content-Length: 0', `Content-Length: ${size}`)
    const sent = Array.from({ length: count }, async () => {
      const { socket, statuses } = client()
      socket.write(head)
      for (let at = 0; at < size; at += mib) {
        if (!socket.write(block)) await new Promise((resolve) => socket.once('drain', resolve).once('close', resolve))
      }
      await expect.poll(() => statuses, { timeout: full ? 590_000 : 110_000 }).toEqual(['200'])
    })
    await Promise.all(sent)
    clearInterval(watch)
    expect(bytes).toBe(count * size)
    expect(most - idle).toBeLessThan(allowed)
  }, 600_000)
})
