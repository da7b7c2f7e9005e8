import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CommandLine, exitCodeOf, startChild, unstarted } from './child.ts'
import type { Ended } from './policy.ts'

let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'spillway-child-'))
  writeFileSync(join(folder, 'plain'), 'no program', { mode: 0o644 })
})
afterAll(() => rmSync(folder, { recursive: true }))

const node = (code: string): CommandLine => [process.execPath, '-e', code]
const run = (command: CommandLine) => startChild(command, { cwd: folder, env: process.env, stdio: 'ignore' })

describe('a child', () => {
  test.each<[string, () => CommandLine, Ended, number]>([
    ['ends well', () => node(''), { how: 'exit', code: 0 }, 0],
    ['ends with a code', () => node('process.exit(42)'), { how: 'exit', code: 42 }, 42],
    ['dies of a signal', () => node('process.kill(process.pid, "SIGKILL")'), { how: 'signal', signal: 'SIGKILL' }, 137],
    ['is not found', () => ['spillway-no-such-program'], { how: 'not-found' }, 127],
    ['is not executable', () => [join(folder, 'plain')], { how: 'not-executable' }, 126],
    ['has a name that no system takes', () => ['a\0b'], { how: 'not-executable' }, 126],
  ])('%s', async (_name, command, ended, code) => {
    const found = await run(command()).ended
    expect(found).toEqual(ended)
    expect(exitCodeOf(found)).toBe(code)
  })

  test('gets the signals that are passed on to it', async () => {
    const child = run(node('setInterval(() => undefined, 1000)'))
    child.kill('SIGTERM')
    expect(await child.ended).toEqual({ how: 'signal', signal: 'SIGTERM' })
  })

  test('gets its arguments as they are, without a shell', async () => {
    const child = run([process.execPath, '-e', 'process.exit(process.argv[1] === "$HOME; *" ? 0 : 1)', '$HOME; *'])
    expect(await child.ended).toEqual({ how: 'exit', code: 0 })
  })
})

test.each([
  ['ENOMEM', { how: 'infra', trouble: 'no-resources' }],
  ['EAGAIN', { how: 'infra', trouble: 'no-resources' }],
  ['EMFILE', { how: 'infra', trouble: 'no-resources' }],
  ['ENOTCONN', { how: 'infra', trouble: 'io-error' }],
  ['EIO', { how: 'infra', trouble: 'io-error' }],
  ['ESTALE', { how: 'infra', trouble: 'io-error' }],
  ['ENOENT', { how: 'not-found' }],
  ['ENOTDIR', { how: 'not-found' }],
  ['E2BIG', { how: 'not-executable' }],
])('a start that the system refuses with %s counts as such', (code, ended) => {
  expect(unstarted(Object.assign(new Error(code), { code }))).toEqual(ended)
})
