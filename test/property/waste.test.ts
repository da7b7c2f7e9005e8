import { describe, expect, it } from 'vitest'
import type { StrategyName } from '../../internal/pool/pool.ts'
import { day, hour, waste } from './waste.ts'

/** Five plans whose 5 h window holds 30 % of a week, asked for so much of what they can serve. */
const plan = { members: 5, short: 120, long: 400 }

type Demand = (at: number) => number

/** Requests a minute, so that a week's sum is `share` of all weekly quotas. */
const traces: Readonly<Record<string, (share: number) => Demand>> = {
  constant: (share) => () => weekly(share) / (7 * 24 * 60),
  'office hours': (share) => (at) => (isOffice(at) ? weekly(share) / (5 * 9 * 60) : 0),
  bursts: (share) => (at) => ((at / hour) % 6 < 1 ? weekly(share) / (7 * 4 * 60) : 0),
}

function weekly(share: number): number {
  return plan.members * plan.long * share
}

/** 9 to 18 o'clock on five days. */
function isOffice(at: number): boolean {
  const hourOfDay = (at % day) / hour
  return hourOfDay >= 9 && hourOfDay < 18 && Math.floor(at / day) % 7 < 5
}

/** What a strategy wastes over all traces at these loads, and the most that it refuses in one of them. */
function overall(strategy: StrategyName, loads: readonly number[]): { wasted: number; refused: number } {
  const results = Object.values(traces).flatMap((trace) =>
    loads.map((load) => waste(strategy, { ...plan, demand: trace(load) })),
  )
  return {
    wasted: results.reduce((sum, { wasted }) => sum + wasted, 0) / results.length,
    refused: Math.max(...results.map(({ refused }) => refused)),
  }
}

describe('four weeks of expiring-first', () => {
  it.each(['sticky', 'round-robin'] as const)(
    'waste less than a third of what %s wastes at half to 70 %% load',
    (other) => {
      const expiring = overall('expiring-first', [0.5, 0.7])
      const { wasted } = overall(other, [0.5, 0.7])
      expect(wasted).toBeGreaterThan(0.02)
      expect(expiring.wasted).toBeLessThan(wasted / 3)
      expect(expiring.refused).toBe(0)
    },
  )

  it.each(['sticky', 'round-robin'] as const)('waste no more than %s where nearly everything is needed', (other) => {
    const expiring = overall('expiring-first', [0.9])
    expect(expiring.wasted).toBeLessThan(overall(other, [0.9]).wasted)
    expect(expiring.refused).toBeLessThan(0.01)
  })
})
