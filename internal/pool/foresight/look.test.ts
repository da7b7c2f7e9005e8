import { describe, expect, it } from 'vitest'
import { coolingUntil, probingUntil } from '../../../test/property/seats.ts'
import type { Health } from '../member.ts'
import { pristine } from '../member.ts'
import { disabled } from '../transition.ts'
import { isBack, isFamilyBack, isFar, type LookMode, lookDueAt, resetWindow } from './look.ts'
import type { Usage } from './usage.ts'

const now = 1_000_000_000
const minute = 60_000
const day = 1_440 * minute

const limitedUntil = (until: number): Health => coolingUntil(until, { reason: 'quota', since: now })
const usage = (window: string, usedPercent: number, more: Partial<Usage> = {}): Usage => {
  return { window, usedPercent, resetAt: null, seenAt: now, source: 'look', ...more }
}

describe('a far reset', () => {
  it.each<[string, Health, boolean]>([
    ['of a quota', limitedUntil(now + day), true],
    ['that is being tested', probingUntil(now + 1, coolingUntil(now + day, { reason: 'quota' })), true],
    ['that is near', limitedUntil(now + 15 * minute), false],
    ['of an outlier', coolingUntil(now + day, { reason: 'outlier' }), false],
    ['of the healthy', pristine, false],
  ])('is that %s: %#', (_name, health, far) => {
    expect(isFar(health, now)).toBe(far)
  })
})

describe('the next look', () => {
  const never = Number.POSITIVE_INFINITY
  it.each<[string, LookMode, Health, { lookedAt?: number; heardAt?: number; spread?: number }, number]>([
    ['off', 'off', limitedUntil(now + day), {}, never],
    ['at a login that cools', 'cooling', limitedUntil(now + day), {}, now + 5 * minute],
    ['at one of several that cool', 'cooling', limitedUntil(now + day), { spread: 1 }, now + 15 * minute],
    ['again', 'cooling', limitedUntil(now + day), { lookedAt: now + minute }, now + 16 * minute],
    [
      'at one that is tested',
      'cooling',
      probingUntil(now, coolingUntil(now + day, { since: now, reason: 'quota' })),
      {},
      now + 5 * minute,
    ],
    ['at one that is well', 'cooling', pristine, {}, never],
    ['at all', 'all', pristine, { lookedAt: now, heardAt: now + minute }, now + 16 * minute],
    ['at all that cool for a moment', 'all', limitedUntil(now + minute), { lookedAt: now }, now + 15 * minute],
    ['at all but the closed', 'all', disabled('operator', 'operator', now), {}, never],
  ])('%s', (_name, mode, health, facts, due) => {
    expect(
      lookDueAt({ health, lookedAt: 0, heardAt: 0, spread: 0, ...facts }, { mode, everyMs: 15 * minute }, now),
    ).toBe(due)
  })
})

describe('what a look finds', () => {
  it.each<[string, readonly Usage[], boolean | null, boolean]>([
    ['room in all', [usage('5h', 3), usage('7d', 99)], null, true],
    ['a full week', [usage('5h', 3), usage('7d', 100)], null, false],
    ['a full limit of something less', [usage('7d', 3), usage('7d_opus', 100, { isPartial: true })], true, true],
    ['no limit that is long', [usage('requests', 0)], true, false],
    ['a provider that says no', [usage('7d', 3)], false, false],
  ])('%s', (_name, found, isAllowed, back) => {
    expect(isBack(found, isAllowed)).toBe(back)
  })

  it('is about a family as well', () => {
    const opus = { isPartial: true, family: 'opus' } as const
    expect(isFamilyBack([usage('7d_opus', 3, opus)], 'opus')).toBe(true)
    expect(isFamilyBack([usage('7d_opus', 100, opus)], 'opus')).toBe(false)
    expect(isFamilyBack([usage('7d', 3)], 'opus')).toBe(false)
  })

  it.each<[string, readonly Usage[], readonly Usage[], string | null]>([
    ['the one that was full', [usage('5h', 100), usage('7d', 40)], [usage('5h', 0), usage('7d', 40)], '5h'],
    ['the longest of those', [usage('5h', 100), usage('7d', 100)], [usage('5h', 0), usage('7d', 0)], '7d'],
    ['the longest, where none was', [], [usage('5h', 0), usage('7d', 0), usage('30d_x', 0, { isPartial: true })], '7d'],
    ['none that is known', [], [usage('requests', 0)], null],
  ])('was reset in %s', (_name, before, found, window) => {
    expect(resetWindow(before, found)).toBe(window)
  })
})
