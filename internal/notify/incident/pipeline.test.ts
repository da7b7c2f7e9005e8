import { describe, expect, it } from 'vitest'
import { announced, noon, sample } from '../../../test/fakes/events.ts'
import type { DomainEvent, EventKind } from '../../events/events.ts'
import { roleOf } from './condition.ts'
import { needsUpdate } from './decide.ts'
import type { Incident } from './incident.ts'
import { type Draft, hear, type Scene } from './pipeline.ts'
import { spentAt, swept, wantsFacts, wantsPool, withFacts } from './sweep.ts'

const dedupeMs = 30_000
const telegram = { name: 'telegram:42', kind: 'telegram' }
const webhook = { name: 'webhook', kind: 'webhook' }

function scene(now: number, incidents: readonly Incident[] = [], waiting: readonly string[] = []): Scene {
  return { incidents, channels: [telegram, webhook], waiting: new Set(waiting), dedupeMs, tellsFailovers: true, now }
}

function draftOf(event: DomainEvent, in_: Scene, seq: number | null = event.at): Draft {
  const draft = hear(announced(event, seq), in_)
  if (typeof draft === 'string') throw new Error(`left out: ${draft}`)
  return draft
}

/** The incident that an event opens, told to everybody. */
function opened(event: DomainEvent): Incident {
  return told(draftOf(event, scene(event.at)).incident!, event.at)
}

function told(incident: Incident, at: number): Incident {
  return {
    ...incident,
    told: { [telegram.name]: { messageId: '1', version: incident.version, at, spell: 1, ended: false } },
  }
}

const kinds: readonly [kind: EventKind, does: 'opens' | 'ends' | null][] = [
  ['cred_failover', 'opens'],
  ['pool_exhausted', 'opens'],
  ['pool_recovered', 'ends'],
  ['pool_rotated', 'opens'],
  ['member_parked', null],
  ['member_unparked', null],
  ['member_cleared', null],
  ['cred_cooled', null],
  ['cred_suspect', null],
  ['cred_needs_login', 'opens'],
  ['cred_revived', 'ends'],
  ['cred_disabled', 'opens'],
  ['cred_added', null],
  ['cred_removed', 'ends'],
  ['pool_changed', null],
  ['key_created', null],
  ['key_revoked', null],
  ['keys_guessed', 'opens'],
  ['token_issued', null],
  ['cred_replaced', null],
  ['config_changed', 'ends'],
  ['config_rejected', 'opens'],
  ['egress_blocked', 'opens'],
  ['weak_storm', 'opens'],
  ['host_down', 'opens'],
  ['host_up', 'ends'],
  ['store_trouble', 'opens'],
  ['store_healed', 'ends'],
  ['worker_started', null],
  ['worker_stopped', null],
  ['worker_refused', null],
  ['worker_down', 'opens'],
  ['worker_up', 'ends'],
  ['path_recovered', null],
  ['path_recovery_failed', null],
  ['path_unrecovered', 'opens'],
  ['path_readable', 'ends'],
  ['budget_pruned', null],
  ['budget_over', 'opens'],
  ['budget_within', 'ends'],
  ['budget_filling', 'opens'],
  ['budget_calm', 'ends'],
  ['guard_enabled', null],
  ['guard_disabled', null],
]

describe('which events are told', () => {
  it.each(kinds)('%s: %s', (kind, does) => {
    expect(roleOf(sample(kind))?.does ?? null).toBe(does)
    if (does === null) expect(hear(announced(sample(kind)), scene(noon))).toBe('audit-only')
  })
})

describe('needsUpdate', () => {
  const exhausted = opened(sample('pool_exhausted'))
  const failover = opened(sample('cred_failover'))
  const later = (ms: number, detail = {}) => sample('pool_exhausted', { at: noon + ms, detail })
  const repeated = { ...failover, count: 2 }
  const rows: readonly [string, Incident | undefined, DomainEvent | null, number, string | null][] = [
    ['nobody has heard of it', undefined, sample('cred_failover'), 0, 'opened'],
    ['the same signal again', failover, sample('cred_failover', { at: noon + 29_999 }), 29_999, null],
    ['another signal for the message', failover, sample('cred_failover', { to: 'spare' }), 0, 'changed'],
    ['what was over', { ...exhausted, closedAt: noon }, later(60_000), 60_000, 'changed'],
    ['what was over and untold', { ...exhausted, closedAt: noon, told: {} }, later(60_000), 60_000, 'opened'],
    ['the same exhaustion again', exhausted, later(60_000), 60_000, null],
    ['an exhaustion with another next recovery', exhausted, later(1, { first: 'spare' }), 1, 'changed'],
    ['the end of what was told', exhausted, sample('pool_recovered'), 0, 'ended'],
    ['the end of what waits to be told', { ...exhausted, told: {} }, sample('pool_recovered'), 0, 'ended'],
    ['the end of what was held back', { ...exhausted, told: {}, tellAt: noon + 9 }, sample('pool_recovered'), 0, null],
    ['time, too early for an edit', exhausted, null, 29_999, null],
    ['time, when an edit is due', exhausted, null, 30_000, 'lasting'],
    ['time, for what nobody was told', { ...exhausted, told: {} }, null, 30_000, null],
    [
      'time, an hour in, when the last edit is recent',
      { ...exhausted, updatedAt: noon + 3_600_000 },
      null,
      4_499_999,
      null,
    ],
    ['time, an hour in, a quarter later', { ...exhausted, updatedAt: noon + 3_600_000 }, null, 4_500_000, 'lasting'],
    ['time, for what has no length', opened(sample('cred_needs_login')), null, 3_600_000, null],
    ['repeats, within the window', repeated, null, 29_999, null],
    ['repeats, when the window is over', repeated, null, 30_000, 'repeated'],
    ['no incident and no event', undefined, null, 0, null],
  ]
  it.each(rows)('%s', (_name, incident, event, ms, why) => {
    expect(needsUpdate(incident, event, noon + ms, dedupeMs)).toBe(why)
  })
})

describe('dedupe and grouping', () => {
  const failoverAt = (ms: number) => sample('cred_failover', { at: noon + ms, detail: { until: noon + ms + 60_000 } })
  const minute = 60_000

  it.each([
    ['while it is open', null, 10 * minute, true],
    ['within a quarter of an hour of its end', 10 * minute, 24 * minute, true],
    ['a quarter of an hour after its end', 10 * minute, 25 * minute, false],
    ['an hour after it began', 55 * minute, 60 * minute, false],
  ])('counts a failover to the message of its hour: %s', (_name, closedAt, ms, same) => {
    const first = { ...opened(failoverAt(0)), closedAt: closedAt === null ? null : noon + closedAt }
    const next = draftOf(failoverAt(ms), scene(noon + ms, [first]))
    expect(next.incident!.id === first.id).toBe(same)
    expect(next.incident!.count).toBe(same ? 2 : 1)
  })

  it('lets the hour of failovers end no later than an hour after it began', () => {
    const first = opened(failoverAt(0))
    const next = draftOf(failoverAt(59.5 * minute), scene(noon + 59.5 * minute, [first]))
    expect(next.incident!.endsAt).toBe(noon + 60 * minute)
  })

  it('takes what comes back within a quarter of an hour for the same incident', () => {
    const over = { ...opened(sample('pool_exhausted')), closedAt: noon + minute }
    const at = (ms: number) => draftOf(sample('pool_exhausted', { at: noon + ms }), scene(noon + ms, [over]))
    expect(at(15 * minute)).toMatchObject({ why: 'changed', incident: { id: over.id, spells: 2, closedAt: null } })
    expect(at(16 * minute).incident!.id).not.toBe(over.id)
  })

  it('adds the repeats that the announcement carries', () => {
    const first = opened(sample('pool_exhausted'))
    const draft = hear(announced(sample('pool_exhausted', { at: noon + 60_000 }), 9, 41), scene(noon + 60_000, [first]))
    expect(draft).toMatchObject({ why: null, incident: { count: 43 } })
  })

  it('keeps pools apart', () => {
    const first = opened(sample('pool_exhausted'))
    const other = draftOf(sample('pool_exhausted', { pool: 'gemini' }), scene(noon, [first]))
    expect([other.why, other.incident!.tellAt]).toEqual(['opened', noon])
  })

  it('sums up guessed keys over the incident', () => {
    const first = opened(sample('keys_guessed'))
    const more = draftOf(sample('keys_guessed', { at: noon + 60_000 }), scene(noon + 60_000, [first]))
    expect(more).toMatchObject({ why: 'changed', incident: { event: { detail: { attempts: 10 } } } })
  })

  it('tells a login that is needed and a disabling of the same credential in one message', () => {
    const first = opened(sample('cred_needs_login'))
    const next = draftOf(sample('cred_disabled', { at: noon + 60_000 }), scene(noon + 60_000, [first]))
    expect(next).toMatchObject({
      why: 'changed',
      incident: { id: first.id, kind: 'cred_disabled' },
    })
  })
})

describe('storms', () => {
  it('withdraws failovers that were about to be told when their pool is exhausted, and tells no failover during it', () => {
    const held = { ...draftOf(sample('cred_failover'), scene(noon)).incident!, tellAt: noon + 3_000 }
    const exhausted = draftOf(sample('pool_exhausted', { at: noon + 1 }), scene(noon + 1, [held], [held.id]))
    expect(exhausted.withdrawn).toEqual([held.id])
    const during = sample('cred_failover', { at: noon + 2 })
    expect(hear(announced(during), scene(noon + 2, [exhausted.incident!]))).toBe('told-by-exhaustion')
  })

  it('waits to see whether an unreachable host is a blip', () => {
    expect(draftOf(sample('host_down'), scene(noon)).incident!.tellAt).toBe(noon + 5_000)
  })
})

describe('what is left out', () => {
  const exhausted = opened(sample('pool_exhausted'))
  const over = { ...exhausted, closedAt: noon + 60_000 }
  const dead = opened(sample('cred_disabled'))
  const hour = 3_600_000
  const rows: readonly [string, DomainEvent, number, readonly Incident[], string][] = [
    ['an opening of more than an hour ago', sample('pool_exhausted'), hour + 1, [], 'too-old'],
    ['the same event, now found in the log', sample('pool_exhausted'), 10, [exhausted], 'heard-before'],
    ['a late row about what is over', sample('pool_exhausted', { at: noon + 9 }), 90_000, [over], 'over-already'],
    ['an end before the beginning', sample('pool_recovered', { at: noon - 1 }), 10, [exhausted], 'over-already'],
    ['the end of something unknown', sample('host_up'), 10, [], 'nothing-open'],
    ['a second end', sample('pool_recovered', { at: noon + 60_001 }), 60_001, [over], 'nothing-open'],
    ['a revival that nobody waits for', sample('cred_revived'), 10, [], 'nothing-open'],
    ['a failover from who has a notice', sample('cred_failover'), 10, [dead], 'told-by-credential'],
  ]
  it.each(rows)('%s', (_name, event, ms, incidents, why) => {
    expect(hear(announced(event), scene(noon + ms, incidents))).toBe(why)
  })

  it('does not leave out the recovery of a pool whose exhaustion is unknown', () => {
    const draft = draftOf(sample('pool_recovered'), scene(noon))
    expect(draft).toMatchObject({ why: 'opened', incident: { kind: 'pool_recovered', closedAt: noon } })
  })

  it('does not leave out the end of a told incident, however late it is found', () => {
    const draft = draftOf(sample('pool_recovered', { at: noon + 9 }), scene(noon + 2 * hour, [exhausted]))
    expect(draft).toMatchObject({ why: 'ended', incident: { closedAt: noon + 9 } })
  })
})

describe('who hears', () => {
  it('tells everybody what an operator did at the command line', () => {
    const draft = draftOf(sample('pool_rotated', { actor: 'operator:cli' }), scene(noon))
    expect(draft.channels).toEqual(['telegram:42', 'webhook'])
  })

  it('does not tell Telegram what was done through Telegram, where the reply was the answer', () => {
    const draft = draftOf(sample('pool_rotated', { actor: 'operator:telegram:7' }), scene(noon))
    expect(draft.channels).toEqual(['webhook'])
  })
})

describe('time', () => {
  const pool = {
    exhausted: true,
    retryAt: noon + 900_000,
    members: [
      { name: 'work', health: { state: 'healthy' } },
      { name: 'spare', health: { state: 'cooling', until: noon + 900_000 } },
    ],
  }

  it('ends a storm at its term and guessed keys after ten quiet minutes', () => {
    const storm = opened(sample('weak_storm'))
    expect(swept(storm, noon + 59_999, dedupeMs, null)).toBe(storm)
    expect(swept(storm, noon + 61_000, dedupeMs, null)).toMatchObject({ closedAt: noon + 60_000, why: 'ended' })
    const keys = opened(sample('keys_guessed'))
    expect(swept(keys, noon + 599_999, dedupeMs, null)).toBe(keys)
    expect(swept(keys, noon + 600_000, dedupeMs, null)).toMatchObject({ closedAt: noon + 600_000, why: 'ended' })
  })

  it('takes up the next recovery as the engine knows it now', () => {
    const exhausted = opened(sample('pool_exhausted'))
    expect(swept(exhausted, noon + 30_000, dedupeMs, pool)).toMatchObject({
      why: 'changed',
      subject: 'spare',
      event: { detail: { retryAt: noon + 900_000, first: 'spare' } },
    })
  })

  it('takes up the states of the members with it, of those that were told', () => {
    const exhausted = opened(sample('pool_exhausted', { detail: { why: { work: 'suspect', other: 'cooling' } } }))
    const closed = { ...pool, retryAt: null, members: [{ name: 'work', health: { state: 'disabled' } }] }
    expect(swept(exhausted, noon + 30_000, dedupeMs, closed)).toMatchObject({
      event: { detail: { why: { work: 'disabled', other: 'cooling' } } },
    })
  })

  it('does not take a pool that could serve again for one that never recovers', () => {
    const exhausted = opened(sample('pool_exhausted'))
    const idle = { ...pool, exhausted: false, retryAt: null }
    expect(swept(exhausted, noon + 29_999, dedupeMs, idle)).toBe(exhausted)
  })

  it('asks how the pool stands at most every 30 s, and not when it is over', () => {
    const exhausted = opened(sample('pool_exhausted'))
    expect(wantsPool(exhausted, noon + 29_999)).toBe(false)
    expect(wantsPool(exhausted, noon + 30_000)).toBe(true)
    expect(wantsPool({ ...exhausted, closedAt: noon }, noon + 30_000)).toBe(false)
  })

  it('keeps what is over for an hour and a quarter, or for the window if that is longer', () => {
    const over = { ...opened(sample('pool_exhausted')), closedAt: noon }
    expect(spentAt(over, dedupeMs)).toBe(noon + 4_500_000)
    expect(spentAt(over, 9_000_000)).toBe(noon + 9_000_000)
    expect(spentAt(opened(sample('pool_exhausted')), dedupeMs)).toBeNull()
  })

  it.each([
    ['pool_exhausted', 5],
    ['cred_needs_login', 1],
  ] as const)('tells %s again when it has been back for %d min', (kind, minutes) => {
    const back = { ...opened(sample(kind)), since: noon + 60_000, spells: 2, updatedAt: noon + 86_400_000 }
    const at = noon + 60_000 + minutes * 60_000
    expect(swept(back, at - 1, dedupeMs, null)).toBe(back)
    expect(swept(back, at, dedupeMs, null)).toMatchObject({ isBack: true, why: 'lasting' })
  })
})

describe('what the guard knows now', () => {
  const down = opened(sample('worker_down', { from: 'crawler', reason: 'deploy-locked' }))

  it('is looked up for open incidents of its own, half a minute after they were told, then ever more seldom', () => {
    expect([29_999, 30_000].map((ms) => wantsFacts(down, noon + ms))).toEqual([false, true])
    const told = { ...down, updatedAt: noon + 3_600_000 }
    expect([4_499_999, 4_500_000].map((ms) => wantsFacts(told, noon + ms))).toEqual([false, true])
    expect(wantsFacts({ ...down, closedAt: noon }, noon + 60_000)).toBe(false)
    expect(wantsFacts(opened(sample('pool_exhausted')), noon + 60_000)).toBe(false)
  })

  it('takes the place of what was told, with its reason, and changes nothing when it is the same', () => {
    const same = { pending: 214, since: noon, reason: 'deploy-locked' as const }
    expect(withFacts(down, same, noon + 30_000)).toBe(down)
    const changed = withFacts(down, { ...same, pending: 9, reason: 'storage-unreadable' }, noon + 30_000)
    expect(changed).toMatchObject({ why: 'changed', reason: 'storage-unreadable', version: down.version + 1 })
    expect(changed.event).toMatchObject({ reason: 'storage-unreadable', detail: { pending: 9, since: noon } })
  })
})
