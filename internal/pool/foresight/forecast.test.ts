import { describe, expect, it } from 'vitest'
import { type Burn, burnAfter } from './burn.ts'
import { Demand, slotMs } from './demand.ts'
import { type Forecast, type ForecastInput, type ForecastMember, forecast } from './forecast.ts'
import type { Usage } from './usage.ts'

const hour = 3_600_000
const day = 24 * hour
/** A Wednesday noon. */
const now = Date.UTC(2026, 0, 7, 12)

function usage(window: string, usedPercent: number, more: Partial<Usage> = {}): Usage {
  return { window, usedPercent, resetAt: now + 4 * hour, seenAt: now, source: 'headers', ...more }
}

/** What is known after 20 percent, each of which took so many requests. */
function burning(window: string, perPercent: number, usedPercent = 20): [string, Burn] {
  const said = Array.from({ length: 21 }, (_, at) => usage(window, usedPercent - 20 + at))
  const burn = said.reduce<Burn | undefined>((known, each) => burnAfter(known, each, perPercent), undefined)
  return [window, burn as Burn]
}

function member(name: string, more: Partial<ForecastMember> = {}): ForecastMember {
  const burns = new Map([burning('5h', 6)])
  const rest = { tier: 1, weight: 1, opensAt: null, capOf: () => null }
  return { name, ...rest, windows: [usage('5h', 20)], burns, ...more }
}

/** Ten requests in each slot of the last three days: 120 an hour, 20 percent an hour of a member above. */
function steady(): Demand {
  const demand = new Demand()
  for (let at = now - 3 * day; at < now; at += slotMs) demand.add(at, 10)
  return demand
}

const demand = steady()
const foreseen = (members: readonly ForecastMember[], more: Partial<ForecastInput> = {}): Forecast =>
  forecast({ members, strategy: 'sticky', active: 'a', demand, offsetMs: 0, ...more }, now)
const inHours = (at: number | null) => at && Math.round(((at - now) / hour) * 10) / 10
const brief = ({ state, dryAt, reliefAt, reliefMember }: Forecast) => [
  state,
  inHours(dryAt),
  inHours(reliefAt),
  reliefMember,
]

describe('a forecast', () => {
  it('says when the last member is used up, and who is back first', () => {
    const found = foreseen([
      member('a', { windows: [usage('5h', 80)] }),
      member('b', { windows: [usage('5h', 60, { resetAt: now + 5 * hour })] }),
    ])
    expect(brief(found)).toEqual(['dry', 3, 4, 'a'])
    expect(found).toMatchObject({
      burnPercentPerHour: 20,
      basis: { fromAt: now - 3 * day, samples: 864 },
      until: found.dryAt,
    })
  })

  it('says how far it has seen where a pool lasts', () => {
    const found = foreseen([member('a'), member('b')])
    expect([found.state, inHours(found.until)]).toEqual(['enough', 60])
  })

  it.each<[string, Partial<ForecastInput>]>([
    ['no traffic', { demand: new Demand() }],
    ['little traffic', { demand: trafficOf(25) }],
    ['few samples', { demand: trafficOf(100, 50) }],
    ['very many members', { members: Array.from({ length: 1_001 }, (_, at) => member(`m${at}`)) }],
    ['a member of whose limits nothing is known', { members: [member('a', { windows: [], burns: new Map() })] }],
    [
      'a member that was never used, which comes next',
      { members: [member('a', { windows: [usage('5h', 95)] }), member('b', { windows: [], burns: new Map() })] },
    ],
    ['a limit that has hardly moved', { members: [member('a', { burns: hardly() })] }],
  ])('is unknown with %s', (_name, more) => {
    expect(foreseen(more.members ?? [member('a')], more)).toMatchObject({
      state: 'unknown',
      dryAt: null,
      reliefAt: null,
    })
  })

  it('is none for a pool without members, as nobody could serve', () => {
    expect(brief(foreseen([]))).toEqual(['dry', 0, null, null])
  })

  it('takes the rate of other members where a member has none of its own', () => {
    const found = foreseen([
      member('a', { windows: [usage('5h', 80)] }),
      member('b', { windows: [usage('5h', 80)], burns: hardly() }),
    ])
    expect(brief(found)).toEqual(['dry', 2, 4, 'a'])
  })

  it('takes the rate of other members for one that was looked at and never used', () => {
    const looked = member('b', { windows: [usage('5h', 80)], burns: new Map() })
    expect(brief(foreseen([member('a', { windows: [usage('5h', 80)] }), looked]))).toEqual(['dry', 2, 4, 'a'])
    expect(foreseen([looked], { active: 'b' }).state).toBe('unknown')
  })

  it('lets a limit without a reset begin anew after its length', () => {
    const shut = member('a', { windows: [usage('5h', 100, { resetAt: null })], opensAt: now + hour })
    expect(brief(foreseen([shut]))).toEqual(['dry', 0, 5, 'a'])
  })

  it('lets a limit that hardly moves pass where it lasts even so', () => {
    const slow = new Map([
      burning('5h', 60),
      ['7d', burnAfter(burnAfter(undefined, usage('7d', 1), 0), usage('7d', 1), 9_000)] as const,
    ])
    expect(foreseen([member('a', { windows: [usage('5h', 20), usage('7d', 1)], burns: slow })]).state).toBe('enough')
  })

  it('looks at long limits of the whole plan only', () => {
    const windows = [usage('5h', 20), usage('requests', 99), usage('7d_opus', 99, { isPartial: true })]
    expect(foreseen([member('a', { windows }), member('b')]).state).toBe('enough')
  })

  it('takes a limit that has reset since it was heard of for unused, unless the plan has it no longer', () => {
    const burns = new Map([burning('5h', 6), burning('7d', 60)])
    const stale = usage('5h', 99, { resetAt: now - 1 })
    expect(foreseen([member('a', { windows: [stale, usage('7d', 5)], burns }), member('b')]).state).toBe('enough')
    const old = new Map([['5h', { ...burning('5h', 6)[1], seenAt: now - day }] as const, burning('7d', 60)])
    expect(
      brief(foreseen([member('a', { windows: [usage('7d', 99, { resetAt: now + 30 * hour })], burns: old })])),
    ).toEqual(['dry', 0.5, 30, 'a'])
  })

  it('ends a member at its cap, and one at the end of its limit unless it serves past that', () => {
    const capped = member('a', { capOf: () => 40 })
    expect(brief(foreseen([capped]))).toEqual(['dry', 1, 4, 'a'])
    expect(foreseen([member('a', { windows: [usage('5h', 100)] })])).toMatchObject({
      state: 'enough',
      burnPercentPerHour: null,
    })
    const shut = member('a', { windows: [usage('5h', 100)], opensAt: now + 4 * hour })
    expect(brief(foreseen([shut]))).toEqual(['dry', 0, 4, 'a'])
    expect(brief(foreseen([member('a', { opensAt: Number.POSITIVE_INFINITY })]))).toEqual(['dry', 0, null, null])
  })

  it('knows no rate of the active member where there is none', () => {
    expect(foreseen([member('a'), member('b')], { active: null }).burnPercentPerHour).toBeNull()
    const two = new Map([burning('5h', 6), burning('7d', 60)])
    const slower = member('a', { windows: [usage('7d', 20), usage('5h', 20)], burns: two })
    expect(foreseen([slower, member('b')]).burnPercentPerHour).toBe(20)
  })
})

describe('strategies', () => {
  const low = (name: string, more: Partial<ForecastMember> = {}) =>
    member(name, { windows: [usage('5h', 60)], ...more })

  it.each<[ForecastInput['strategy'], (string | number | null)[]]>([
    ['sticky', ['dry', 4, 24, 'a']],
    ['expiring-first', ['dry', 4, 24, 'a']],
    ['ordered', ['dry', 4, 24, 'a']],
    ['round-robin', ['dry', 4, 24, 'a']],
    ['least-loaded', ['dry', 4, 24, 'a']],
    ['weighted', ['dry', 4, 24, 'a']],
  ])('%s uses up all members in the end', (strategy, found) => {
    const windows = [usage('5h', 60, { resetAt: now + 24 * hour })]
    expect(brief(foreseen([low('a', { windows }), low('b', { windows, weight: 3 })], { strategy }))).toEqual(found)
  })

  it('expiring-first uses what resets first, while it lasts', () => {
    const later = member('a', { windows: [usage('5h', 20, { resetAt: now + 5 * hour })] })
    const sooner = member('b', { windows: [usage('5h', 90, { resetAt: now + hour })] })
    const rested = member('c', { windows: [], burns: new Map([burning('5h', 6)]) })
    expect(brief(foreseen([rested, later, sooner], { strategy: 'expiring-first' }))[0]).toBe('enough')
  })

  it('leave tier 2 for when tier 1 is used up', () => {
    const backup = low('b', { tier: 2, windows: [], burns: new Map() })
    expect(foreseen([low('a'), backup]).state).toBe('unknown')
    const windows = [usage('5h', 60, { resetAt: now + 24 * hour })]
    expect(brief(foreseen([low('b', { windows, tier: 2 }), low('a', { windows })]))).toEqual(['dry', 4, 24, 'b'])
  })
})

/** Traffic for so many minutes, in one slot of `every` minutes. */
function trafficOf(minutes: number, every = 5): Demand {
  const found = new Demand()
  for (let at = now - minutes * 60_000; at < now; at += every * 60_000) found.add(at, 10)
  return found
}

function hardly(): ReadonlyMap<string, Burn> {
  return new Map([['5h', burnAfter(burnAfter(undefined, usage('5h', 20), 0), usage('5h', 20), 3)]])
}
