import { expect, it } from 'vitest'
import { tuningOf, untuned } from './tuning.ts'

it('the tuning of whatever carries one is that alone', () => {
  expect(tuningOf({ ...untuned, tier: 2, ...{ member: 'a' } })).toEqual({ ...untuned, tier: 2 })
})
