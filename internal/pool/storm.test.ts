import { describe, expect, it } from 'vitest'
import { Storm } from './storm.ts'

const silent = { calm: false, started: false }
const begins = { calm: true, started: true }
const goesOn = { calm: true, started: false }

function weak(storm: Storm, failures: readonly (readonly [string, number])[], members: number) {
  return failures.map(([member, at]) => storm.weakFailure(member, members, at))
}

describe('Storm', () => {
  it('begins when three quarters of a pool fail within five seconds', () => {
    const seen = weak(
      new Storm(),
      [
        ['a', 0],
        ['b', 2_000],
        ['c', 5_000],
      ],
      4,
    )
    expect(seen).toEqual([silent, silent, begins])
  })

  it.each([
    {
      name: 'the first failure is older than five seconds',
      failures: [
        ['a', 0],
        ['b', 2_000],
        ['c', 5_001],
      ],
      members: 4,
    },
    {
      name: 'one member fails again and again',
      failures: [
        ['a', 0],
        ['a', 1],
        ['a', 2],
        ['a', 3],
      ],
      members: 4,
    },
    {
      name: 'fewer than three quarters fail',
      failures: [
        ['a', 0],
        ['b', 1],
        ['c', 2],
      ],
      members: 5,
    },
    {
      name: 'the pool has three members',
      failures: [
        ['a', 0],
        ['b', 1],
        ['c', 2],
      ],
      members: 3,
    },
  ] as const)('does not begin when $name', ({ failures, members }) => {
    expect(weak(new Storm(), failures, members)).toEqual(failures.map(() => silent))
  })

  it('keeps a repeated failure at its newest instant', () => {
    const seen = weak(
      new Storm(),
      [
        ['a', 0],
        ['b', 4_000],
        ['a', 4_500],
        ['c', 9_000],
      ],
      4,
    )
    expect(seen).toEqual([silent, silent, silent, begins])
  })

  it('lasts a minute and begins again only with new failures', () => {
    const storm = new Storm()
    weak(
      storm,
      [
        ['a', 0],
        ['b', 0],
        ['c', 0],
      ],
      4,
    )
    expect(storm.until).toBe(60_000)
    expect(
      weak(
        storm,
        [
          ['d', 59_999],
          ['d', 60_000],
          ['a', 60_000],
          ['b', 60_000],
        ],
        4,
      ),
    ).toEqual([goesOn, silent, silent, begins])
    expect(storm.until).toBe(120_000)
  })
})
