import { expect, it } from 'vitest'
import { burners, noShares, sharesAfter } from './shares.ts'

const hour = 3_600_000
const work = (key: string | null, requests: number, percent = 0) => ({ key, requests, percent })

it('keys burn by percent, the largest first; what nobody knows and crumbs are left out', () => {
  const shares = sharesAfter(
    noShares,
    [work('ci', 5, 6.2), work('me', 90, 3.8), work(null, 4, 1), work('x', 1, 0.01)],
    1,
  )
  expect(burners(shares)).toEqual([
    { key: 'ci', share: expect.closeTo(0.62, 2) },
    { key: 'me', share: expect.closeTo(0.38, 2) },
  ])
})

it('keys burn by requests while no percentage has grown; of equals the first by name is first', () => {
  expect(burners(sharesAfter(noShares, [work('b', 1), work('a', 1)], 1))).toEqual([
    { key: 'a', share: 0.5 },
    { key: 'b', share: 0.5 },
  ])
  expect(burners(sharesAfter(noShares, [work('a', 1), work('b', 1)], 1)).map(({ key }) => key)).toEqual(['a', 'b'])
  expect(burners(noShares)).toEqual([])
})

it('what is older counts less, and is forgotten in the end', () => {
  const old = sharesAfter(noShares, [work('old', 8, 8)], hour)
  const mixed = sharesAfter(old, [work('new', 4, 4), work('old', 0, 0)], 7 * hour)
  expect(burners(mixed)).toEqual([
    { key: 'new', share: 0.5 },
    { key: 'old', share: 0.5 },
  ])
  expect(burners(sharesAfter(old, [work('new', 1, 1)], 200 * hour))).toEqual([{ key: 'new', share: 1 }])
  expect(sharesAfter(old, [work('old', 1, 1)], hour).keys.get('old')).toEqual({ percent: 9, requests: 9 })
})
