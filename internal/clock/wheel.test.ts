import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { wheel } from './wheel.ts'

let elapsed = 0
let after: ReturnType<typeof wheel>

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  elapsed = 7_003.4
  after = wheel(() => elapsed)
})
afterEach(() => vi.useRealTimers())

/** Lets time pass by the ms, and returns how often Node's timer has run. */
function run(ms: number): number {
  const armings = vi.spyOn(globalThis, 'setTimeout')
  for (let passed = 0; passed < ms; passed++) {
    elapsed++
    vi.advanceTimersByTime(1)
  }
  const { length } = armings.mock.calls
  armings.mockRestore()
  return length
}

test('wakes about once a second while the next timer is far', () => {
  after(600_000, () => {})
  after(3_600_000, () => {})
  expect(run(60_000)).toBeLessThanOrEqual(64)
})

test('wakes for nothing when no timer is left', () => {
  const cancel = after(20, () => {})
  expect(vi.getTimerCount()).toBe(1)
  cancel()
  expect(vi.getTimerCount()).toBe(0)
  after(20, () => {})
  run(60)
  expect(vi.getTimerCount()).toBe(0)
})

test.each([0, 1, 24, 25, 26, 333, 949, 950, 951, 2_000, 61_234])(
  'runs a timer of %i ms not before it is due, and a tick later at most',
  (delayMs) => {
    const armedAt = elapsed
    let ranAt = 0
    after(5_000, () => {})
    after(delayMs, () => {
      ranAt = elapsed
    })
    run(delayMs + 100)
    expect(ranAt - armedAt).toBeGreaterThanOrEqual(delayMs)
    expect(ranAt - armedAt).toBeLessThanOrEqual(delayMs + 27)
  },
)

test('runs timers in their order, those that a timer arms included, and none that was cancelled', () => {
  const ran: string[] = []
  const say = (what: string) => () => ran.push(what)
  after(3_000, say('3 s'))
  after(100, say('100 ms'))
  after(100, say('100 ms, too'))
  after(50, () => {
    ran.push('50 ms')
    after(0, say('at once'))
    forget()
  })
  const forget = after(75, say('cancelled'))
  forget()
  run(4_000)
  expect(ran).toEqual(['50 ms', 'at once', '100 ms', '100 ms, too', '3 s'])
})

test('a timer that throws keeps no other from running', () => {
  const ran: number[] = []
  after(50, () => {
    throw new Error('it failed')
  })
  after(500, () => ran.push(500))
  expect(() => run(100)).toThrow('it failed')
  run(500)
  expect(ran).toEqual([500])
})
