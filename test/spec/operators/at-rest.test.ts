import { afterEach, expect, test } from 'vitest'
import { FakeClock } from '../../../internal/clock/clock.ts'
import { type Installation, installation } from '../../fakes/rig/installation.ts'

let spillway: Installation | null = null

afterEach(async () => {
  await spillway?.close()
  spillway = null
})

/** A clock that notes how far ahead each timer is armed. */
class NotingClock extends FakeClock {
  readonly delays: number[] = []

  override after(delayMs: number, run: () => void) {
    this.delays.push(delayMs)
    return super.after(delayMs, run)
  }
}

test('a daemon with nothing to do arms no timer for less than 5 s, and few of those', async () => {
  const clock = new NotingClock()
  spillway = await installation({ clock })
  await spillway.pool('openai', ['a', 'b'])
  expect((await spillway.ask()).status).toBe(200)
  await spillway.pass(60_000)
  // The store is asked with a deadline of 5 s: each of the steps here does, too.
  const minutes = 10
  clock.delays.length = 0
  await spillway.advance(minutes * 60_000)
  expect(clock.delays.filter((ms) => ms < 5_000)).toEqual([])
  expect(clock.delays.filter((ms) => ms !== 5_000).length).toBeLessThanOrEqual(minutes * 4)
})
