import { afterEach, expect, it } from 'vitest'
import { FakeClock } from '../../../internal/clock/clock.ts'
import { type Rig, startRig } from '../../fakes/rig/rig.ts'
import { answer, type Behaviour, behind, Gate, happy } from '../../fakes/upstream/upstream.ts'

let rig: Rig
let clock: FakeClock

afterEach(() => rig.close())

const limited = answer(429, { 'retry-after': '600' }, { error: { code: 'rate_limit_exceeded', message: 'slow' } })

/** Lets so many requests fail together on `a` whose next member answers as `next`, and says how many that one has seen after each step. */
async function herd(count: number, next: Behaviour, stepMs: number): Promise<number[]> {
  clock = new FakeClock()
  rig = await startRig({ clock })
  const gate = new Gate()
  rig.upstream.on('key-a').always(behind(gate, limited))
  rig.upstream.on('key-b').always(next)
  const asked = Array.from({ length: count }, () => rig.ask())
  await rig.upstream.received(count)
  gate.open()
  const onB = () => rig.upstream.served.filter((key) => key === 'key-b').length
  const waiting = () => rig.engine.pool('pool')?.members[0]?.inFlight
  await expect.poll(() => [onB(), waiting()]).toEqual([1, count - 1])
  const seen = [onB()]
  for (let ms = 0; ms < 2_000; ms += stepMs) {
    await clock.advance(stepMs)
    const let_ = count - (waiting() ?? 0)
    await expect.poll(onB).toBe(let_)
    seen.push(let_)
  }
  for (const one of asked) expect((await one).status).toBe(200)
  return seen
}

it('40 requests that fail together on one member do not land on the next at once', async () => {
  const seen = await herd(40, happy, 250)
  expect(seen.slice(0, 8)).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
  expect(seen.at(-1)).toBe(40)
})

it('F35: 200 requests in flight on a member that fails reach the next at the rate of the ramp, and nobody waits over 2 s', async () => {
  const seen = await herd(200, happy, 100)
  for (const [step, count] of seen.entries()) if (step * 100 <= 1_800) expect(count).toBeLessThanOrEqual(1 + step * 0.4)
  expect(seen.at(-1)).toBe(200)
})
