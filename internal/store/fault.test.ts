import { expect, test } from 'vitest'
import { Conflict, LeaseLost } from './store.ts'

test('a conflict carries the rows as they are and the number to try again with, a lost lease is known by its name', () => {
  const current = { writes: [{ drop: 'host' as const, host: 'h' }], number: 7 }
  expect(new Conflict(current)).toMatchObject({ name: 'Conflict', current })
  expect(new LeaseLost('gone')).toMatchObject({ name: 'LeaseLost', message: 'gone' })
})
