import { describe, expect, test } from 'vitest'
import { maskedDiff } from './diff.ts'

const lineOf = (line: string) =>
  maskedDiff({ path: '/f', before: '', after: `${line}\n` })
    .split('\n')
    .at(-1)

describe('a change is shown', () => {
  test('as a unified diff with three lines around it', () => {
    const before = '1\n2\n3\n4\n5\n6\n7\n8\n9\n'
    expect(maskedDiff({ path: '/home/me/f', before, after: before.replace('5', 'five') })).toBe(
      '--- /home/me/f\n+++ /home/me/f\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8',
    )
  })

  test('as a file that comes or goes', () => {
    expect(maskedDiff({ path: '/f', before: null, after: 'a\n' })).toBe('--- /dev/null\n+++ /f\n@@ -0,0 +1,1 @@\n+a')
    expect(maskedDiff({ path: '/f', before: 'a\n', after: null })).toBe('--- /f\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-a')
  })

  test('as nothing where nothing changes', () => {
    expect(maskedDiff({ path: '/f', before: 'a', after: 'a' })).toBe('')
  })
})

describe('a secret is masked', () => {
  test.each([
    [
      'a client key',
      '  "ANTHROPIC_AUTH_TOKEN": "sk-spillway-0123456789abcdef-xyz",',
      '  "ANTHROPIC_AUTH_TOKEN": "sk-spillway-…",',
    ],
    ["a provider's key in JSON", '"apiKey": "sk-ant-api03-abcdefgh"', '"apiKey": "sk-ant-…"'],
    ['a key in a dotenv', 'GEMINI_API_KEY=AIzaSyA-0123456789abcdefghijk', 'GEMINI_API_KEY=AIza…'],
    ['an exported one in quotes', "export OPENAI_API_KEY='abc def' # mine", "export OPENAI_API_KEY='…' # mine"],
    ['one of TOML', 'experimental_bearer_token = "t0ps3cret"', 'experimental_bearer_token = "…"'],
    ['a password with an escape', '{"password": "a\\"b", "x": 1}', '{"password": "…", "x": 1}'],
    [
      'a header',
      'http_headers = { "Authorization" = "Bearer abcdefghijkl" }',
      'http_headers = { "Authorization" = "Bearer …" }',
    ],
    ['a bearer in any string', '"args": ["-H", "X: Bearer abcdefghijkl"]', '"args": ["-H", "X: Bearer …"]'],
    ['a key under any name', 'command = "run --with sk-proj-abcdefghijkl"', 'command = "run --with sk-…"'],
    ['a token of GitHub', 'x = "ghp_0123456789abcdefghij"', 'x = "ghp_…"'],
    ['a JWT', 'x = "eyJhbGciOi.eyJzdWIiOi.c2ln"', 'x = "…"'],
  ])('%s', (_name, line, shown) => {
    expect(lineOf(line)).toBe(`+${shown}`)
  })

  test.each([
    ['a base URL', '"ANTHROPIC_BASE_URL": "http://127.0.0.1:8460/anthropic"'],
    ['the name of a variable', 'env_key = ""'],
    ['a number and a truth value', '"maxTokens": 4096, "hasKey": true'],
    ['a reference to a variable of nothing', 'apiKey: null'],
    ['an object', '"tokens": {'],
  ])('but not %s', (_name, line) => {
    expect(lineOf(line)).toBe(`+${line}`)
  })
})
