import { describe, expect, it } from 'vitest'
import { Refusal } from './refusal.ts'

describe('Refusal', () => {
  it('is an error with a code, a sentence and a hint', () => {
    const refusal = new Refusal('conflict', 'the pool has one member', 'add one: spillway pool add work b')
    expect(refusal).toBeInstanceOf(Error)
    expect({ ...refusal, message: refusal.message }).toEqual({
      name: 'Refusal',
      code: 'conflict',
      message: 'the pool has one member',
      hint: 'add one: spillway pool add work b',
    })
  })

  it('has no hint where there is nothing to add', () => {
    expect(new Refusal('not-found', 'no pool is called work').hint).toBeNull()
  })
})
