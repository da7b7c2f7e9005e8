import { describe, expect, it } from 'vitest'
import { isUnder, stateOf, worst } from './path.ts'

describe('the state of a path', () => {
  it.each([
    ['ENOTCONN', 'stale'],
    ['EHUNG', 'hanging'],
    ['ENOENT', 'missing'],
    ['ENOTDIR', 'missing'],
    ['EIO', 'failing'],
    ['ESTALE', 'failing'],
    ['EACCES', 'failing'],
    [null, 'failing'],
  ])('of %s is %s', (code, state) => {
    expect(stateOf(code)).toBe(state)
  })

  it('of several is that of the worst', () => {
    const found = worst([{ state: 'readable' }, { state: 'stale' }, { state: 'missing' }])
    expect(found).toEqual({ state: 'stale' })
    expect(worst([])).toBeNull()
  })
})

describe('a path is under a root', () => {
  it.each([
    ['/srv/jobs', '/srv', true],
    ['/srv', '/srv', false],
    ['/srvjobs', '/srv', false],
    ['/srv', '/', true],
    ['/', '/', false],
  ])('%s under %s: %s', (path, root, under) => {
    expect(isUnder(path, root)).toBe(under)
  })
})
