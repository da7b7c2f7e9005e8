import { describe, expect, test } from 'vitest'
import { parseTarget } from './target.ts'

describe('a target that is forwarded', () => {
  test.each([
    ['path and query', '/openai/v1/chat?x=1&y=%20', { pool: 'openai', path: '/v1/chat', query: '?x=1&y=%20' }],
    ['the pool alone', '/openai', { pool: 'openai', path: '', query: '' }],
    ['the pool with a slash', '/openai/', { pool: 'openai', path: '/', query: '' }],
    ['an encoded slash inside a segment', '/or/openai%2Fgpt', { pool: 'or', path: '/openai%2Fgpt', query: '' }],
    [
      'dots inside a name',
      '/g/v1beta/models/gemini-2.5-pro:x',
      { pool: 'g', path: '/v1beta/models/gemini-2.5-pro:x', query: '' },
    ],
    ['three dots', '/p/...', { pool: 'p', path: '/...', query: '' }],
    ['a doubled slash after the pool', '/p//v1', { pool: 'p', path: '//v1', query: '' }],
    ['dot segments and backslashes in the query', '/p/a?to=/../\\', { pool: 'p', path: '/a', query: '?to=/../\\' }],
    ['a twice encoded dot, which is a name', '/p/%252e%252e/a', { pool: 'p', path: '/%252e%252e/a', query: '' }],
    ['an encoded pool name, which no pool has', '/%6fpenai/v1', { pool: '%6fpenai', path: '/v1', query: '' }],
    ['the root', '/', { pool: '', path: '', query: '' }],
  ])('%s', (_name, url, target) => {
    expect(parseTarget(url)).toEqual(target)
  })
})

describe('a target that is refused', () => {
  test.each([
    ['absolute form', 'http://evil/openai/v1', 'not-origin-form'],
    ['absolute form in capitals', 'HTTPS://evil/', 'not-origin-form'],
    ['asterisk form', '*', 'not-origin-form'],
    ['nothing', '', 'not-origin-form'],
    ['a leading double slash', '//evil/v1', 'authority'],
    ['a leading backslash', '/\\evil/v1', 'backslash'],
    ['an encoded leading backslash', '/%5Cevil/v1', 'backslash'],
    ['a backslash later', '/p/a\\b', 'backslash'],
    ['dot segments', '/p/../admin', 'dot-segment'],
    ['a single dot segment', '/p/./admin', 'dot-segment'],
    ['a dot segment at the end', '/p/..', 'dot-segment'],
    ['encoded dots', '/p/%2e%2e/admin', 'dot-segment'],
    ['dots encoded in capitals', '/p/%2E%2E/admin', 'dot-segment'],
    ['half-encoded dots', '/p/.%2e/admin', 'dot-segment'],
    ['dots before an encoded slash', '/p/..%2fadmin', 'dot-segment'],
    ['everything encoded', '/p/%2e%2e%2fadmin', 'dot-segment'],
    ['dots before a backslash', '/p/..\\admin', 'dot-segment'],
    ['dots before an encoded backslash', '/p/..%5cadmin', 'dot-segment'],
    ['dots with a path parameter', '/p/..;x/admin', 'dot-segment'],
    ['dots in place of the pool', '/../p', 'dot-segment'],
    ['a fragment', '/p/a#b', 'fragment'],
    ['a fragment in the query', '/p/a?x#b', 'fragment'],
  ])('%s', (_name, url, refused) => {
    expect(parseTarget(url)).toEqual({ refused })
  })
})
