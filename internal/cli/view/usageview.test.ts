import { describe, expect, it, test } from 'vitest'
import type { UsageShape } from '../../ops/ops.ts'
import { screenOf } from '../screen.ts'
import { printUsage, short } from './usageview.ts'

function shown(rows: readonly UsageShape[]): string {
  let text = ''
  const stream = {
    write(more: string) {
      text += more
      return true
    },
  }
  printUsage(screenOf({ stdout: stream, stderr: stream, env: {} } as never), rows)
  return text
}

function row(change: Partial<UsageShape> = {}): UsageShape {
  return {
    from: '2026-01-01T00:00:00.000Z',
    to: '2026-01-02T00:00:00.000Z',
    key: 'ci',
    member: 'work',
    model: 'gpt-5',
    pool: null,
    requests: 1_234,
    unmetered: 0,
    tokens: { input: 2_000_000, cached: 1_500_000, cacheWrite: 0, output: 40_000, reasoning: 12_345 },
    cost: 12.345,
    knownCost: 12.345,
    currency: 'USD',
    pricesAt: '2026-11-30',
    ...change,
  }
}

describe('usage', () => {
  it('is a table of what was asked for, with numbers to the right, their sum and where the costs come from', () => {
    const small = { input: 5, cached: 0, cacheWrite: 0, output: 6, reasoning: 0 }
    const local = row({ key: 'local', model: '', requests: 1, tokens: small, cost: 0.0012, knownCost: 0.0012 })
    expect(shown([row(), local])).toBe(
      [
        'KEY     MEMBER   MODEL   REQUESTS   INPUT   CACHED   OUTPUT   REASONING      COST',
        'ci      work     gpt-5       1.2k    2.0M      75%    40.0k       12.3k    $12.35',
        'local   work     -              1       5       0%        6           0   $0.0012',
        'total                        1.2k    2.0M      75%    40.0k       12.3k    $12.35',
        'spillway: costs are in dollars by list prices of 2026-11-30',
        '',
      ].join('\n'),
    )
  })

  it('says what it does not know', () => {
    const nothing = { input: 0, cached: 0, cacheWrite: 0, output: 0, reasoning: 0 }
    const unknown = row({
      member: null,
      key: null,
      tokens: nothing,
      unmetered: 2,
      requests: 2,
      cost: null,
      knownCost: 0,
    })
    const text = shown([row({ member: null, key: null }), { ...unknown, model: 'x', pricesAt: null }])
    expect(text).toContain('x              2       0        -        0           0          -')
    expect(text).toContain('total       1.2k    2.0M      75%    40.0k       12.3k   > $12.35')
    expect(text).toContain('- where a price is not known')
    expect(text).toContain('2 of the answers did not tell their tokens')
  })

  it('shows no cost as nothing that is something', () => {
    expect(shown([row({ cost: 0.00002, knownCost: 0.00002 })])).toContain('< $0.0001')
    expect(shown([row({ cost: 0, knownCost: 0 })])).toContain('$0.00\n')
  })

  it('is one line without a dimension, and a remark without anything', () => {
    expect(shown([row({ key: null, member: null, model: null })]).split('\n')).toHaveLength(4)
    expect(shown([])).toBe('spillway: nothing went through\n')
  })
})

test.each([
  [0, '0'],
  [999, '999'],
  [1_000, '1.0k'],
  [12_345, '12.3k'],
  [99_949, '99.9k'],
  [123_456, '123k'],
  [999_500, '1.0M'],
  [5_000_000_000_000_000, '5000T'],
])('%d is short %s', (number, text) => {
  expect(short(number)).toBe(text)
})
