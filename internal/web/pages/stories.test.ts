import { describe, expect, it } from 'vitest'
import { storiesIn } from './stories.ts'

const start = Date.UTC(2026, 0, 5, 14, 0, 0)

/** A row some minutes after the start. */
function row(seq: number, minutes: number, kind: string, pool = 'p', from: string | null = null) {
  const at = new Date(start + minutes * 60_000).toISOString()
  return { seq, at, kind, pool, from, to: null, reason: null, actor: 'spillway', suppressed: 0, detail: {} }
}

const told = (rows: readonly ReturnType<typeof row>[]) =>
  storiesIn(rows).map(({ kind, openedAt, closedAt, rows: own }) => ({
    kind,
    minutes: (Date.parse(openedAt) - start) / 60_000,
    isOver: closedAt !== null,
    rows: own.map(({ seq }) => seq),
  }))

describe('the story of an exhaustion', () => {
  it('begins with who went out before, and ends with the recovery', () => {
    const rows = [
      row(1, 0, 'cred_cooled', 'p', 'a'),
      row(2, 0, 'cred_cooled', 'q', 'z'),
      row(3, 1, 'member_parked', 'p', 'c'),
      row(4, 5, 'cred_cooled', 'p', 'b'),
      row(5, 5, 'pool_exhausted'),
      row(6, 7, 'pool_recovered'),
      row(7, 8, 'cred_cooled', 'p', 'a'),
    ]
    expect(told(rows)).toEqual([{ kind: 'pool_exhausted', minutes: 5, isOver: true, rows: [1, 4, 5, 6] }])
  })

  it('takes nothing from before the last recovery, and nothing older than ten minutes', () => {
    const rows = [
      row(1, 0, 'cred_cooled', 'p', 'a'),
      row(2, 20, 'cred_cooled', 'p', 'b'),
      row(3, 21, 'pool_recovered'),
      row(4, 22, 'cred_cooled', 'p', 'b'),
      row(5, 23, 'pool_exhausted'),
    ]
    expect(told(rows)).toEqual([{ kind: 'pool_exhausted', minutes: 23, isOver: false, rows: [4, 5] }])
    expect(told([row(1, 0, 'cred_cooled'), row(2, 11, 'pool_exhausted')])[0]?.rows).toEqual([2])
  })
})

it('a member that is disabled has a story of its own', () => {
  const rows = [
    row(1, 0, 'cred_cooled', 'p', 'a'),
    row(2, 1, 'cred_disabled', 'p', 'a'),
    row(3, 2, 'cred_revived', 'p', 'a'),
  ]
  expect(told(rows)).toEqual([{ kind: 'cred_disabled', minutes: 1, isOver: true, rows: [2, 3] }])
})
