import { expect, test } from 'vitest'
import { instant, readPrinted, splitCommand } from './command.ts'

const lines = [
  {
    name: 'blanks separate',
    line: '  gcloud auth  print-access-token ',
    words: ['gcloud', 'auth', 'print-access-token'],
  },
  {
    name: 'single quotes take everything literally',
    line: 'sh -c \'echo "$HOME\\n"\'',
    words: ['sh', '-c', 'echo "$HOME\\n"'],
  },
  { name: 'double quotes group and a backslash escapes them', line: 'a "b \\"c\\" \\d"', words: ['a', 'b "c" \\d'] },
  {
    name: 'a backslash outside quotes takes a blank literally',
    line: '/opt/my\\ tool x',
    words: ['/opt/my tool', 'x'],
  },
  { name: 'empty quotes are an empty word', line: 'a "" b', words: ['a', '', 'b'] },
  { name: 'nothing is expanded', line: 'a $HOME `b` *;c|d', words: ['a', '$HOME', '`b`', '*;c|d'] },
]
test.each(lines)('a command line is split into words: $name', ({ line, words }) => {
  expect(splitCommand(line)).toEqual(words)
})

test.each(['', '   ', '""', 'a "b', "a 'b"])(
  'a command line that names no program or leaves a quote open is refused: %j',
  (line) => {
    expect(() => splitCommand(line)).toThrow(/empty|open/)
  },
)

const at = Date.UTC(2026, 0, 5, 15)
const outputs = [
  { name: 'plain text', output: ' sk-1\n', printed: { secret: 'sk-1', kind: null, expiresAt: null } },
  {
    name: 'a token with an RFC 3339 end',
    output: '{"token":"t","expires_at":"2026-01-05T15:00:00Z"}',
    printed: { secret: 't', kind: 'bearer-token', expiresAt: at },
  },
  {
    name: 'an access token with an end in seconds',
    output: `{"access_token":"t","expiry":${at / 1000}}`,
    printed: { secret: 't', kind: 'bearer-token', expiresAt: at },
  },
  {
    name: 'an access token with an end in milliseconds',
    output: `{"access_token":"t","expiry":${at}}`,
    printed: { secret: 't', kind: 'bearer-token', expiresAt: at },
  },
  {
    name: 'an API key without an end',
    output: '{"api_key":"k","more":1}',
    printed: { secret: 'k', kind: 'api-key', expiresAt: null },
  },
]
test.each(outputs)('what a command prints is understood: $name', ({ output, printed }) => {
  expect(readPrinted(output)).toEqual(printed)
})

test.each([
  '',
  '{"x":"sk-1"}',
  '{"token":"sk-1"',
  '{"token":"sk-1","expiry":"soon"}',
  'sk-1\nsk-2',
  '{"token":["sk-1"]}',
])('output that names no secret is refused without quoting it: %j', (output) => {
  expect(() => readPrinted(output)).toThrow(/^((?!sk-1).)+$/s)
})

test('a negative or unreadable instant is refused', () => {
  for (const value of [-1, 0, 'tomorrow', null, {}, Number.POSITIVE_INFINITY])
    expect(() => instant(value)).toThrow('expiry')
})
