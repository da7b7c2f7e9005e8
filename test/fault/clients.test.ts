import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../internal/clock/clock.ts'
import { type Installation, installation } from '../fakes/rig/installation.ts'
import { Program } from '../fakes/rig/program.ts'
import { askAdmin } from '../fakes/rig/terminal.ts'
import { answer, type Behaviour, fakeUpstream, Gate, silence, stream } from '../fakes/upstream/upstream.ts'

const limited = answer(429, { 'retry-after': '8' }, { error: { message: 'slow', code: 'rate_limit_exceeded' } })
const chunk = { data: { choices: [{ index: 0, delta: { content: 'Hel' } }] } }

let spillway: Installation

beforeEach(async () => {
  spillway = await installation({ clock: systemClock() })
  await spillway.pool('openai', ['a', 'b'])
})

afterEach(() => spillway.close())

/** A request whose answer and end are the test's affair. */
function open(headers: Record<string, string> = {}): ClientRequest {
  const all = { authorization: `Bearer ${spillway.key}`, ...headers }
  return request(`${spillway.origin}/openai/v1/chat/completions`, { method: 'POST', headers: all }).on(
    'error',
    () => {},
  )
}

const responded = (sent: ClientRequest) =>
  new Promise<IncomingMessage>((resolve) => sent.on('response', (response) => resolve(response.on('error', () => {}))))

const inFlight = () => spillway.daemon.core.engine.find('openai')?.inFlight

async function nobodyIsBlamed(): Promise<void> {
  const { members } = await spillway.ops.poolStatus({ name: 'openai' })
  for (const { health, inFlight } of members)
    expect({ state: health.state, inFlight }).toEqual({ state: 'healthy', inFlight: 0 })
}

describe('F19: a client that leaves', () => {
  it.each<{ name: string; behaviour: Behaviour; until: (sent: ClientRequest) => Promise<unknown> }>([
    { name: 'before the head of the answer', behaviour: silence, until: async () => spillway.upstream.received(1) },
    {
      name: 'after lifecycle events that are held back',
      behaviour: stream([{ data: { type: 'response.created' } }, new Gate()]),
      until: async () => spillway.upstream.received(1),
    },
    { name: 'in the middle of a stream', behaviour: stream([chunk, new Gate()]), until: responded },
  ])('$name is let go upstream at once', async ({ behaviour, until }) => {
    spillway.upstream.on('sk-a').always(behaviour)
    // A machine that is busy may be late once; one that is late three times is slow by itself.
    const times: number[] = []
    for (let attempt = 0; attempt < 3; attempt++) {
      spillway.upstream.forget()
      const sent = open()
      const reached = until(sent)
      sent.end('{"stream":true}')
      await reached
      const left = performance.now()
      sent.destroy()
      expect(await spillway.upstream.requests[0]?.ended).toBe('aborted')
      times.push(performance.now() - left)
    }
    expect(Math.min(...times)).toBeLessThan(1_000)
    await expect.poll(inFlight).toBe(0)
    await nobodyIsBlamed()
  })

  it('in the middle of its own body never reaches the upstream', async () => {
    const sent = open({ 'content-length': '100' })
    sent.write('{"model":')
    await expect.poll(() => spillway.daemon.core.engine.find('openai')).toBeDefined()
    sent.destroy()
    await expect.poll(inFlight).toBe(0)
    expect(spillway.upstream.requests).toEqual([])
    await nobodyIsBlamed()
  })

  it('while it is held by an exhausted pool leaves the line', async () => {
    spillway.upstream.on('sk-a').once(limited)
    spillway.upstream.on('sk-b').once(limited)
    const sent = open()
    sent.end('{}')
    await spillway.upstream.received(2)
    await expect.poll(inFlight).toBe(1)
    sent.destroy()
    await expect.poll(inFlight).toBe(0)
    expect(spillway.upstream.requests).toHaveLength(2)
  })
})

describe('F20: a slow client of a fast stream', () => {
  it('costs at most 1 MiB of memory: 40 of them that read nothing leave the process as large as it was', async () => {
    const program = new Program()
    const upstream = await fakeUpstream()
    const served = await program.serve()
    const { key } = await program.ops.keyCreate({ name: 'slow' })
    await program.ops.credAdd({ name: 'a', provider: 'openai', source: { kind: 'vault', secret: 'sk-a' } })
    await program.ops.poolCreate({ name: 'openai', provider: 'openai', members: ['a'], upstream: upstream.url })
    const block = Buffer.alloc(65_536, 'x')
    let unsent = 0
    upstream.on('sk-a').always({
      async play({ response }) {
        response.setMaxListeners(0).writeHead(200, { 'content-type': 'application/octet-stream' })
        // 64 MiB each, as fast as the proxy takes them.
        for (let sent = 0; sent < 1_024 && !response.destroyed; sent++) {
          if (response.write(block)) continue
          unsent++
          await new Promise((resolve) => response.once('drain', resolve).once('close', resolve))
          unsent--
        }
        response.end()
      },
    })
    const metrics = async () => {
      const { text } = await askAdmin({ socketPath: join(program.data, 'admin.sock'), path: '/metrics' })
      const value = (name: string) => Number(new RegExp(`^${name} (\\S+)`, 'm').exec(text)?.[1])
      return value('nodejs_external_memory_bytes') + value('nodejs_heap_size_used_bytes')
    }
    const before = await metrics()
    const clients = Array.from({ length: 40 }, () => {
      const sent = request(`${served.origin}/openai/v1/files`, { headers: { authorization: `Bearer ${key}` } })
      sent
        .on('error', () => {})
        .on('response', (response) => response.pause())
        .end()
      return sent
    })
    await expect.poll(() => unsent, { timeout: 15_000 }).toBe(40)
    // What has gone on to the kernel may still lie there uncollected: asking makes garbage enough for it to be collected.
    await expect.poll(async () => (await metrics()) - before, { timeout: 15_000 }).toBeLessThan(40 * 1_048_576)
    for (const client of clients) client.destroy()
    program.close()
    await upstream.close()
  }, 45_000)
})
