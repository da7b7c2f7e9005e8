import { afterEach, describe, expect, it } from 'vitest'
import { FakeClock } from '../../../internal/clock/clock.ts'
import { answerOf, type Rig, startRig } from '../../fakes/rig/rig.ts'
import { answer, type Behaviour, Gate, type StreamPart, stream } from '../../fakes/upstream/upstream.ts'

let rig: Rig
let clock: FakeClock

async function start(): Promise<void> {
  clock = new FakeClock()
  rig = await startRig({ clock, upstream: { idleMs: 900_000, headMs: 900_000 } })
}

afterEach(() => rig.close())

const sentence = 'Selected model is at capacity. Please try a different model.'
const created = { event: 'response.created', data: { type: 'response.created', response: { id: 'r' } } }
const delta = { event: 'response.output_text.delta', data: { type: 'response.output_text.delta', delta: 'Hel' } }
const failed = (error: object) => ({
  event: 'response.failed',
  data: { type: 'response.failed', response: { id: 'r', error } },
})

const ask = (model = 'big') => rig.ask({ path: '/v1/responses', body: { model, stream: true } })

/** Asks for a stream whose end comes when its beginning has been seen. */
async function askLate(parts: StreamPart[], body: object): Promise<void> {
  const gate = new Gate()
  rig.upstream.on('key-a').once(stream([delta, gate, ...parts]))
  const heard = { broken: false }
  answerOf(rig.open({ path: '/v1/responses', body }), () => gate.open()).then(({ broken }) =>
    Object.assign(heard, { broken }),
  )
  const isBroken = async () => {
    await clock.advance(100)
    return heard.broken
  }
  await expect.poll(isBroken).toBe(true)
}

const kinds: [string, Behaviour][] = [
  ['HTTP 400 with a detail', answer(400, {}, { detail: sentence })],
  ['HTTP 503 with a code', answer(503, {}, { error: { code: 'model_at_capacity', message: sentence } })],
  ['the first event of a stream', stream([created, failed({ code: 'server_error', message: sentence })])],
]

describe.each(kinds)('a member at capacity, told by %s', (_name, refusal) => {
  it('is replaced within the call and blamed for nothing', async () => {
    await start()
    rig.upstream.on('key-a').once(refusal)
    expect(await ask()).toMatchObject({ status: 200, broken: false })
    await ask()
    expect(rig.upstream.served).toEqual(['key-a', 'key-b', 'key-a'])
    expect(rig.health('a')).toBe('healthy')
    expect(rig.engine.pool('pool')?.active).toBe('a')
  })

  it('is passed over after the third time, for that model and for two minutes', async () => {
    await start()
    rig.upstream.on('key-a').always(refusal)
    for (let times = 0; times < 3; times++) await ask()
    rig.upstream.forget()
    await ask()
    expect(rig.upstream.served).toEqual(['key-b'])
    rig.upstream.on('key-a').clear()
    await ask('small')
    await clock.advance(120_000)
    await ask()
    expect(rig.upstream.served).toEqual(['key-b', 'key-a', 'key-a'])
    expect(rig.health('a')).toBe('healthy')
  })
})

describe('a member at capacity', () => {
  const refusal = answer(400, {}, { detail: sentence })

  it('is told as it is when the next one is at capacity, too', async () => {
    await start()
    rig.upstream.on('*').always(refusal)
    expect(await ask()).toMatchObject({ status: 400, json: { detail: sentence } })
    expect(rig.upstream.served).toEqual(['key-a', 'key-b'])
  })

  it('is asked all the same when nobody else can serve', async () => {
    await start()
    rig.upstream.on('key-a').always(refusal)
    for (let times = 0; times < 3; times++) await ask()
    rig.upstream.on('key-b').always(answer(429, { 'retry-after': '600' }, { error: { code: 'rate_limit_exceeded' } }))
    rig.upstream.on('key-a').clear()
    rig.upstream.forget()
    expect((await ask()).status).toBe(200)
    expect(rig.upstream.served).toEqual(['key-b', 'key-a'])
  })

  it('that has answered in between is not passed over', async () => {
    await start()
    for (let times = 0; times < 2; times++) {
      rig.upstream.on('key-a').once(refusal, refusal)
      for (let asked = 0; asked < 3; asked++) await ask()
    }
    rig.upstream.forget()
    await ask()
    expect(rig.upstream.served).toEqual(['key-a'])
  })

  it.each([
    ['capacity', { code: 'server_error', message: sentence }],
    ['overload', { code: 'server_is_overloaded', message: 'busy' }],
  ])('is passed over after three streams that began and then failed for want of %s', async (_name, error) => {
    await start()
    const bodies = [
      { model: 'big', input: 'x'.repeat(20_000), stream: true },
      { input: 'x'.repeat(20_000), model: 'big', stream: true },
      { model: 'big', stream: true },
    ]
    for (const body of bodies) await askLate([failed(error)], body)
    rig.upstream.forget()
    await ask()
    await ask('small')
    expect(rig.upstream.served).toEqual(['key-b', 'key-a'])
    expect(rig.health('a')).toBe('healthy')
  })
})
