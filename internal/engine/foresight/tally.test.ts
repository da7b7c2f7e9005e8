import { expect, it } from 'vitest'
import { burners, noShares, sharesAfter } from '../../pool/pool.ts'
import { Tally } from './tally.ts'

it('what a limit grew by is divided among those who asked since it last grew', () => {
  const tally = new Tally()
  tally.count('codex', 'ci')
  tally.grew(3)
  tally.count('codex', 'ci')
  tally.count('codex', 'me')
  tally.grew(1)
  tally.grew(5)
  tally.count('codex', 'me')
  expect(tally.take()).toEqual([
    { pool: 'codex', key: 'ci', requests: 2, percent: 3.5 },
    { pool: 'codex', key: 'me', requests: 2, percent: 0.5 },
  ])
  tally.grew(2)
  expect(tally.take()).toEqual([])
})

it('one heavy key is seen to burn, in whole percents and over a day, where keys ask at times of their own', () => {
  const tally = new Tally()
  let shares = noShares
  let used = 0
  let told = 0
  for (let at = 0; at < 288; at++) {
    const [key, percent] = at % 12 < 4 ? ['heavy', 0.9] : ['light', 0.05]
    for (let asked = 0; asked < 5; asked++) {
      tally.count('codex', key as string)
      used += percent as number
      if (Math.floor(used) > told) tally.grew(Math.floor(used) - told)
      told = Math.floor(used)
    }
    shares = sharesAfter(shares, tally.take(), at * 300_000)
  }
  // Of 20 requests of the one and 40 of the other an hour, 18 and 2 percent.
  expect(burners(shares)).toEqual([
    { key: 'heavy', share: expect.closeTo(0.9, 1) },
    { key: 'light', share: expect.closeTo(0.1, 1) },
  ])
})

it('keys beyond the eight largest are counted together', () => {
  const tally = new Tally()
  for (let key = 0; key < 12; key++) for (let at = 0; at <= key; at++) tally.count('codex', `k${key}`)
  const work = tally.take()
  expect(work).toHaveLength(9)
  expect(work[0]).toMatchObject({ key: 'k11', requests: 12 })
  expect(work.at(-1)).toEqual({ pool: 'codex', key: null, requests: 1 + 2 + 3 + 4, percent: 0 })
})
