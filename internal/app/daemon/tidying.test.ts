import { expect, test } from 'vitest'
import { FakeClock } from '../../clock/clock.ts'
import { tidyAtRest } from './tidying.ts'

const minutes = 60_000
const mebibyte = 1_048_576

test.each([
  ['nothing to do, and much room', 0, 32, 1],
  ['nothing to do, and little room', 0, 2, 0],
  ['much to do', 0.1, 32, 0],
])('%s', async (_name, busy, young, collections) => {
  const clock = new FakeClock()
  let youngBytes = young * mebibyte
  let collected = 0
  const end = tidyAtRest(clock, {
    cpuMs: () => clock.mono() * busy,
    youngBytes: () => youngBytes,
    collect() {
      collected++
      youngBytes = mebibyte
    },
  })
  await clock.advance(4 * minutes)
  expect(collected).toBe(0)
  await clock.advance(20 * minutes)
  expect(collected).toBe(collections)
  end()
  youngBytes = 32 * mebibyte
  await clock.advance(20 * minutes)
  expect(collected).toBe(collections)
})

/** One of many objects that nobody has any more; V8 has made room for them. */
function forgotten(): WeakRef<object> {
  const many = Array.from({ length: 600_000 }, (_, at) => ({ at }))
  return new WeakRef(many[0] as object)
}

test('collects what nobody has any more', async () => {
  const clock = new FakeClock()
  const one = forgotten()
  const end = tidyAtRest(clock)
  for (let looks = 0; looks < 5; looks++) await clock.advance(5 * minutes)
  end()
  expect(one.deref()).toBeUndefined()
})
