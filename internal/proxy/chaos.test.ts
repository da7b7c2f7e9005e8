import { afterEach, expect, it } from 'vitest'
import { answerOf, type Rig, startRig } from '../../test/fakes/rig/rig.ts'
import {
  answer,
  type Behaviour,
  breakAfter,
  early,
  happy,
  raw,
  reset,
  stream,
} from '../../test/fakes/upstream/upstream.ts'

let rig: Rig

afterEach(() => rig.close())

const content = { data: { choices: [{ index: 0, delta: { content: 'word '.repeat(50) } }] } }

const moods: readonly Behaviour[] = [
  happy,
  happy,
  answer(200, {}, { ok: true }),
  answer(400, {}, { error: { message: 'no' } }),
  early(answer(400, {}, { error: { message: 'no' } })),
  answer(429, { 'retry-after-ms': '1' }, { error: { code: 'rate_limit_exceeded' } }),
  answer(500, {}, 'oops'),
  answer(503, {}, { error: { code: 'server_is_overloaded' } }),
  reset,
  breakAfter('{"half"'),
  raw('garbage\r\n\r\n'),
  raw('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort'),
  stream([content, content, content, { data: '[DONE]' }]),
  stream([content, 'reset']),
]

/** Numbers in [0, 1) that are the same in every run (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

it('a thousand requests leave nothing behind, whatever upstreams do and whenever clients leave', async () => {
  const members = ['a', 'b', 'c', 'd']
  rig = await startRig({ members, maxWaitMs: 50, replay: { maxBodyBytes: 50_000 } })
  const random = seeded(42)
  const mood: Behaviour = {
    early: true,
    async play(call) {
      const behaviour = moods[Math.floor(random() * moods.length)] ?? happy
      if (!behaviour.early) await call.request.whole
      if (!call.response.destroyed) await behaviour.play(call)
    },
  }
  rig.upstream.on('*').always(mood)
  let answered = 0

  async function one(): Promise<void> {
    const body = random() < 0.2 ? Buffer.alloc(200_000, 'x') : JSON.stringify({ model: 'm', stream: random() < 0.5 })
    const request = rig.open({ body }).on('error', () => {})
    const answer = answerOf(request).then(
      () => answered++,
      () => {},
    )
    if (random() < 0.4) setTimeout(() => request.destroy(), random() * 15)
    await answer
  }

  for (let round = 0; round < 50; round++) {
    await Promise.all(Array.from({ length: 20 }, one))
    for (const member of members) await rig.engine.clear('pool', member, 'test')
  }
  await expect.poll(() => rig.counted.inflight).toBe(0)
  expect(answered).toBeGreaterThan(400)
  // Some clients leave before their request has arrived.
  expect(rig.counted.requests.length).toBeGreaterThan(answered)
  expect(rig.proxy.inFlight).toBe(0)
  expect(rig.engine.pool('pool')?.members.map(({ inFlight }) => inFlight)).toEqual([0, 0, 0, 0])
  await expect.poll(() => rig.upstream.inFlight).toBe(0)
  rig.upstream.on('*').always(happy)
  expect((await rig.ask()).status).toBe(200)
})

it('no body has a byte of another, however many are under way, sent again, given up or cut', async () => {
  const members = ['a', 'b', 'c', 'd']
  rig = await startRig({ members, maxWaitMs: 50, replay: { maxBodyBytes: 400_000 } })
  const random = seeded(7)
  const wrong: string[] = []
  const lengths = new Set<number>()
  rig.upstream.on('*').always({
    early: true,
    async play(call) {
      // A few answers come before their bodies.
      if (random() < 0.9) await call.request.whole.catch(() => {})
      const { body } = call.request
      const first = body.toString('latin1', 0, 1)
      if (body.some((byte) => byte !== first.charCodeAt(0))) wrong.push(`${body.length} bytes that begin with ${first}`)
      lengths.add(body.length)
      const behaviour = moods[Math.floor(random() * moods.length)] ?? happy
      if (!call.response.destroyed) await behaviour.play(call)
    },
  })
  const sizes = [100, 5_000, 9_000, 20_000, 40_000, 70_000, 150_000, 390_000, 600_000]

  async function one(_: unknown, at: number): Promise<void> {
    const size = sizes[Math.floor(random() * sizes.length)] ?? 100
    const request = rig.open({ body: Buffer.alloc(size, String.fromCharCode(97 + (at % 26))) }).on('error', () => {})
    if (random() < 0.2) setTimeout(() => request.destroy(), random() * 15)
    await answerOf(request).catch(() => {})
  }

  for (let round = 0; round < 30; round++) {
    await Promise.all(Array.from({ length: 26 }, one))
    for (const member of members) await rig.engine.clear('pool', member, 'test')
  }
  expect(wrong).toEqual([])
  for (const size of sizes) expect(lengths).toContain(size)
})
