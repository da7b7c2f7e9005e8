import { describe, expect, it } from 'vitest'
import { Conversations } from './conversations.ts'

const hour = 3_600_000

describe('conversations', () => {
  it('are known by who served them last', () => {
    const known = new Conversations<string>()
    expect(known.seatOf('one', 0)).toBeNull()
    known.note('one', 'a', 0)
    known.note('one', 'b', 1)
    known.note('two', 'a', 1)
    expect([known.seatOf('one', 2), known.seatOf('two', 2), known.size]).toEqual(['b', 'a', 2])
  })

  it('are forgotten after an hour without a request, not after an hour', () => {
    const known = new Conversations<string>()
    known.note('old', 'a', 0)
    known.note('kept', 'a', 0)
    known.note('kept', 'a', hour - 1)
    expect([known.seatOf('old', hour - 1), known.seatOf('old', hour)]).toEqual(['a', null])
    known.note('new', 'a', hour)
    expect([known.size, known.seatOf('kept', hour)]).toEqual([2, 'a'])
  })

  it('are so many at most, and those that have been idle longest go first', () => {
    const known = new Conversations<string>(2)
    for (const id of ['one', 'two', 'one', 'three']) known.note(id, id, 0)
    expect(['one', 'two', 'three'].map((id) => known.seatOf(id, 0))).toEqual(['one', null, 'three'])
  })

  it('keep their order when one in the middle, the oldest or the newest is gone on with', () => {
    const known = new Conversations<string>(3)
    for (const id of ['one', 'two', 'three', 'two', 'one', 'one']) known.note(id, id, 0)
    known.note('four', 'four', 0)
    known.note('five', 'five', 0)
    expect(['one', 'two', 'three', 'four', 'five'].map((id) => known.seatOf(id, 0))).toEqual([
      'one',
      null,
      null,
      'four',
      'five',
    ])
  })
})
