import { expect, it } from 'vitest'
import { FakeClock } from '../clock/clock.ts'
import { DeadlineWatch, IdleTime } from './idle.ts'

it('a quiet time begins with the first look after the last sign of life', () => {
  const quiet = new IdleTime()
  expect([quiet.lastsMs(1_000), quiet.lastsMs(1_500)]).toEqual([0, 500])
  quiet.end()
  expect([quiet.lastsMs(1_700), quiet.lastsMs(2_700)]).toEqual([0, 1_000])
})

it('connections are looked at until there are none', async () => {
  const clock = new FakeClock()
  const looks: number[] = []
  const connections = new Set<{ check(now: number): void }>()
  const watch = new DeadlineWatch(clock, 1_000, connections)
  const connection = { check: (now: number) => looks.push(now) }
  connections.add(connection)
  watch.begin()
  watch.begin()
  await clock.advance(2_500)
  connections.delete(connection)
  await clock.advance(5_000)
  expect(looks).toEqual([1_000, 2_000])
  connections.add(connection)
  watch.begin()
  await clock.advance(1_000)
  watch.end()
  await clock.advance(5_000)
  expect(looks).toHaveLength(3)
})
