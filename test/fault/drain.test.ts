import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Program, type Served } from '../fakes/rig/program.ts'
import { type FakeUpstream, fakeUpstream, happy, silence } from '../fakes/upstream/upstream.ts'
import { crowd, post } from '../fakes/workers.ts'

const drainMs = 10_000

let program: Program
let upstream: FakeUpstream
let served: Served
let key: string

beforeEach(async () => {
  program = new Program()
  upstream = await fakeUpstream()
  served = await program.serve({ SPILLWAY_SERVER_DRAIN_MS: `${drainMs}ms` })
  key = (await program.ops.keyCreate({ name: 'load' })).key
  await program.ops.credAdd({ name: 'a', provider: 'openai', source: { kind: 'vault', secret: 'sk-a' } })
  await program.ops.poolCreate({ name: 'openai', provider: 'openai', members: ['a'], upstream: upstream.url })
})

afterEach(async () => {
  program.close()
  await upstream.close()
})

/** How many ms passed until it was over. */
async function timed(over: Promise<unknown>): Promise<number> {
  const begun = performance.now()
  await over
  return performance.now() - begun
}

describe('F24: SIGTERM', () => {
  it('under load loses no request, and the process exits 0 within drainMs', async () => {
    upstream.on('sk-a').always({
      async play(call) {
        await new Promise((resolve) => setTimeout(resolve, 5 + Math.random() * 100))
        await happy.play(call)
      },
    })
    const request = post('/openai/v1/chat/completions', key)
    const load = crowd({ origin: served.origin, request, workers: 40, total: Number.POSITIVE_INFINITY })
    await upstream.received(400)
    served.process.kill('SIGTERM')
    expect(await timed(served.ended)).toBeLessThan(drainMs)
    const { statuses, unanswered } = await load
    expect(unanswered).toBe(0)
    expect(Object.keys(statuses)).toEqual(['200'])
    expect(statuses['200']).toBe(upstream.requests.length)
    expect((await served.ended).code).toBe(0)
  })

  it('waits for a request that is under way, and a second one does not', async () => {
    upstream.on('sk-a').always(silence)
    const lost = fetch(`${served.origin}/openai/v1/models`, { headers: { authorization: `Bearer ${key}` } })
    lost.catch(() => undefined)
    await upstream.received(1)
    served.process.kill('SIGTERM')
    await expect
      .poll(() =>
        fetch(`${served.origin}/readyz`).then(
          ({ status }) => status,
          () => 'refused',
        ),
      )
      .not.toBe(200)
    expect(served.process.exitCode).toBeNull()
    served.process.kill('SIGTERM')
    expect(await timed(served.ended)).toBeLessThan(2_000)
    await expect(lost).rejects.toThrow()
  })
})
