import { describe, expect, it } from 'vitest'
import { Recent } from './recent.ts'

const hour = 3_600_000

describe('what is remembered', () => {
  it('is what was noted last', () => {
    const known = new Recent<string>({ most: 100, idleMs: hour })
    expect(known.get('one', 0)).toBeNull()
    known.note('one', 'a', 0)
    known.note('one', 'b', 1)
    known.note('two', 'a', 1)
    expect([known.get('one', 2), known.get('two', 2), known.size]).toEqual(['b', 'a', 2])
  })

  it('is forgotten an hour after it was last noted, not an hour after it was first', () => {
    const known = new Recent<string>({ most: 100, idleMs: hour })
    known.note('old', 'a', 0)
    known.note('kept', 'a', 0)
    known.note('kept', 'a', hour - 1)
    expect([known.get('old', hour - 1), known.get('old', hour)]).toEqual(['a', null])
    known.note('new', 'a', hour)
    expect([known.size, known.get('kept', hour)]).toEqual([2, 'a'])
  })

  it('is so much at most, and what has been idle longest goes first', () => {
    const known = new Recent<string>({ most: 2, idleMs: hour })
    for (const id of ['one', 'two', 'one', 'three']) known.note(id, id, 0)
    expect(['one', 'two', 'three'].map((id) => known.get(id, 0))).toEqual(['one', null, 'three'])
  })

  it('keeps its order when one in the middle, the oldest or the newest is noted again', () => {
    const known = new Recent<string>({ most: 3, idleMs: hour })
    for (const id of ['one', 'two', 'three', 'two', 'one', 'one']) known.note(id, id, 0)
    known.note('four', 'four', 0)
    known.note('five', 'five', 0)
    expect(['one', 'two', 'three', 'four', 'five'].map((id) => known.get(id, 0))).toEqual([
      'one',
      null,
      null,
      'four',
      'five',
    ])
  })
})
