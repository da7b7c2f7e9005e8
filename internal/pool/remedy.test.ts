import { expect, test } from 'vitest'
import { pristine } from './member.ts'
import { remedyFor } from './remedy.ts'
import { disabled, needsLogin } from './transition.ts'

const cases = [
  { name: 'a lapsed login', health: needsLogin('refresh-rejected', 1), types: 'spillway cred login work' },
  { name: 'a secret that cannot be read', health: needsLogin('unreadable', 1), types: 'spillway cred show work' },
  {
    name: 'what the upstream closed',
    health: disabled('auth-rejected', 'upstream', 1),
    types: 'spillway cred enable work',
  },
  { name: 'whoever waits for nobody', health: pristine, types: null },
]
test.each(cases)('what a person types for $name', ({ health, types }) => {
  expect(remedyFor('work', health)).toBe(types)
})
