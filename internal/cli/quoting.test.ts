import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { assignment, commandLine, failing, remark, removal, type Shell } from './quoting.ts'

const nasty = ['plain', 'http://127.0.0.1:8460/a/v1', `it's`, '$HOME `id` "x" \\', 'a b;c', '', "back\\'slash", 'ünï']

describe('a value of any kind', () => {
  test.each(nasty)('reaches a program through sh unchanged: %s', (value) => {
    const script = `${assignment('sh', 'VALUE', value)}\n${remark('a\n\nremark `id`')}\nexec printenv VALUE`
    expect(spawnSync('sh', ['-c', script], { encoding: 'utf8' }).stdout).toBe(`${value}\n`)
  })

  test.each<[Shell, string]>([
    ['fish', `set -gx V 'it\\'s \\\\'`],
    ['powershell', `$env:V = 'it''s \\'`],
  ])('is quoted as %s has it', (shell, line) => {
    expect(assignment(shell, 'V', `it's \\`)).toBe(line)
  })
})

test('a remark is one on every line', () => {
  expect(remark('a\n\nb')).toBe('# a\n#\n# b')
})

test.each<[Shell, string]>([
  ['bash', 'unset V'],
  ['fish', 'set -e V'],
  ['powershell', 'Remove-Item Env:V -ErrorAction Ignore'],
])('a variable is taken away in %s', (shell, line) => {
  expect(removal(shell, 'V')).toBe(line)
})

test('what could not be made fails in the shell that evaluates it', () => {
  expect(spawnSync('sh', ['-c', `eval '${failing('zsh')}'`]).status).toBe(1)
  expect(failing('powershell')).toMatch(/^throw /)
})

test('words become one command line', () => {
  expect(commandLine(['node', '/a b/c.js', '--data', '/d'])).toBe("node '/a b/c.js' --data /d")
})
