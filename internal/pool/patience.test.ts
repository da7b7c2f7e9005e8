import { describe, expect, it } from 'vitest'
import { isWorthWaiting, longestWaitMs, type OnExhausted } from './patience.ts'

describe('how long a request waits', () => {
  it.each<{ name: string; onExhausted: OnExhausted; ofPool: number | null; ofAll: number; ms: number }>([
    { name: 'as configured', onExhausted: 'reject', ofPool: null, ofAll: 10_000, ms: 10_000 },
    { name: 'as its pool says', onExhausted: 'degrade', ofPool: 3_000, ofAll: 10_000, ms: 3_000 },
    { name: 'as clients bear it when its pool holds', onExhausted: 'hold', ofPool: null, ofAll: 10_000, ms: 50_000 },
    { name: 'longer where that is configured', onExhausted: 'hold', ofPool: null, ofAll: 90_000, ms: 90_000 },
    { name: 'as a pool that holds says', onExhausted: 'hold', ofPool: 600_000, ofAll: 10_000, ms: 600_000 },
  ])('$name: $ms', ({ ms, ...terms }) => {
    expect(longestWaitMs(terms)).toBe(ms)
  })
})

describe('a wait', () => {
  it.each<[string, number | null, OnExhausted, boolean]>([
    ['for a recovery in time', 1_000, 'reject', true],
    ['for a recovery that is too late', 1_001, 'reject', false],
    ['for a late recovery in a pool that holds', 9_000, 'hold', true],
    ['for nobody', null, 'hold', false],
  ])('%s (at %s, %s) is worth it: %s', (_name, retryAt, onExhausted, worth) => {
    expect(isWorthWaiting(retryAt, 1_000, onExhausted)).toBe(worth)
  })
})
