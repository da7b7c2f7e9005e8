import { describe, expect, it } from 'vitest'
import { matcher } from './glob.ts'

describe('a pattern', () => {
  it.each([
    ['**', 'a', true],
    ['**/*.jsonl', 'a.jsonl', true],
    ['**/*.jsonl', '2026/01/a.jsonl', true],
    ['**/*.jsonl', '2026/01/a.jsonl.bak', false],
    ['*.jsonl', '2026/a.jsonl', false],
    ['2026/**', '2026/01/a', true],
    ['2026/**', '2025/01/a', false],
    ['a?.{log,txt}', 'ab.txt', true],
    ['a?.{log,txt}', 'ab.md', false],
    ['a+(b).log', 'a+(b).log', true],
    ['a.log', 'axlog', false],
    ['**/.cache/*', '.cache/x', true],
    ['{a', '{a', true],
    ['*', 'line\nend', true],
  ])('%s and %s: %s', (pattern, path, matches) => {
    expect(matcher(pattern)(path)).toBe(matches)
  })
})
