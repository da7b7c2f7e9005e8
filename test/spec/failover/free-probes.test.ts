import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Installation, installation } from '../../fakes/rig/installation.ts'
import { answer, Gate, stream } from '../../fakes/upstream/upstream.ts'

/** The free canonical probe of an exhausted pool, which is asked up to 3 s after a cooldown is over. */

let spillway: Installation

beforeEach(async () => {
  spillway = await installation({ config: { 'pools.maxWaitMs': '0' }, random: () => 0.5 })
  await spillway.pool('openai', ['a'])
  spillway.upstream.on('sk-a').once(answer(429, { 'retry-after': '60' }, { error: { code: 'rate_limit_exceeded' } }))
  expect((await spillway.ask()).status).toBe(429)
})

afterEach(() => spillway.close())

const probes = () => spillway.upstream.requests.filter(({ isProbe }) => isProbe).length
const isExhausted = () => spillway.daemon.core.engine.pool('openai')?.exhausted

describe('when the cooldown of an exhausted pool is over', () => {
  it('the free probe ends the exhaustion where no request comes', async () => {
    await spillway.advance(68_000)
    await expect.poll(probes).toBe(1)
    await expect.poll(async () => (await spillway.audit('pool_recovered')).length).toBe(1)
  })

  it('it is not asked beside a request that comes before it', async () => {
    await spillway.advance(62_000)
    const gate = new Gate()
    spillway.upstream.on('sk-a').once(stream([gate, { data: '[DONE]' }]))
    const heard = spillway.ask()
    await gate.reached
    await spillway.advance(6_000)
    expect(probes()).toBe(0)
    gate.open()
    expect((await heard).status).toBe(200)
    await spillway.advance(6_000)
    expect([probes(), isExhausted()]).toEqual([0, false])
  })

  it('it is not asked behind a request that was refused again', async () => {
    await spillway.advance(62_000)
    spillway.upstream.on('sk-a').once(answer(429, { 'retry-after': '600' }, { error: { code: 'rate_limit_exceeded' } }))
    expect((await spillway.ask()).status).toBe(429)
    await spillway.advance(6_000)
    expect([probes(), isExhausted()]).toEqual([0, true])
  })
})
