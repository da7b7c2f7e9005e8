import { expect, test } from 'vitest'
import { pristine } from './member.ts'
import { remedyFor } from './remedy.ts'
import { disabled, needsLogin, unreadable } from './transition.ts'

const cases = [
  { name: 'a lapsed login is a login', health: needsLogin('refresh-rejected', 1), verb: 'login' },
  {
    name: 'a secret that cannot be read is to look at what is wrong with its source',
    health: unreadable(1),
    verb: 'show',
  },
  {
    name: 'a key that the upstream rejects for good is to replace it',
    health: disabled('auth-rejected', 'upstream', 1),
    verb: 'replace',
  },
  {
    name: 'an account that the upstream closed is to replace its key',
    health: disabled('account-closed', 'upstream', 1),
    verb: 'replace',
  },
  {
    name: 'what an operator closed is to enable it',
    health: disabled('operator', 'operator', 1),
    verb: 'enable',
  },
]
test.each(cases)('the remedy of $name', ({ health, verb }) => {
  expect(remedyFor('work', health)).toEqual({ verb, name: 'work' })
})

test('whoever waits for nobody has none', () => {
  expect(remedyFor('work', pristine)).toBe(null)
})
