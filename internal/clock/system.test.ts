import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Clock } from './clock.ts'
import { clockOver } from './system.ts'

const start = Date.UTC(2026, 10, 29, 22)
const hour = 3_600_000

let machine: { mono: number; uptime: number; wall: number }
let clock: Clock

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  machine = { mono: 5_000, uptime: 90_000, wall: start }
  clock = clockOver({ mono: () => machine.mono, uptime: () => machine.uptime, wall: () => machine.wall })
})
afterEach(() => vi.useRealTimers())

/** The machine is awake for so long, and its timers run. */
function run(ms: number): void {
  for (let left = ms; left > 0; left -= 25) {
    for (const one of ['mono', 'uptime', 'wall'] as const) machine[one] += 25
    vi.advanceTimersByTime(25)
  }
}

/** The lid is closed for so long. */
function sleep(ms: number): void {
  machine.uptime += ms
  machine.wall += ms
}

describe('the system clock', () => {
  test('F32: counts the sleep of the machine within a second after waking, to the millisecond', () => {
    run(2_000)
    sleep(8 * hour)
    run(1_000)
    expect(clock.now()).toBe(start + 8 * hour + 3_000)
  })

  test('runs timers that fell due while the machine slept, in their order, within a second after waking, and no others', () => {
    const ran: string[] = []
    clock.after(5 * hour, () => ran.push('5 h'))
    clock.after(hour, () => ran.push('1 h'))
    clock.after(9 * hour, () => ran.push('9 h'))
    clock.after(hour, () => ran.push('cancelled'))()
    run(2_000)
    sleep(8 * hour)
    run(1_000)
    expect(ran).toEqual(['1 h', '5 h'])
    run(hour)
    expect(ran).toEqual(['1 h', '5 h', '9 h'])
  })

  test.each([hour, -hour])('F7: does not follow a wall clock that is set by %i ms', (step) => {
    const ran: string[] = []
    clock.after(60_000, () => ran.push('a minute'))
    run(2_000)
    machine.wall += step
    run(10_000)
    expect(clock.now()).toBe(start + 12_000)
    expect(ran).toEqual([])
    run(49_000)
    expect(ran).toEqual(['a minute'])
  })

  test('measures with time that stands still while the machine sleeps', () => {
    const before = clock.mono()
    sleep(hour)
    run(2_000)
    expect(clock.mono() - before).toBe(2_000)
  })
})
