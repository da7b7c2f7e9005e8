import { Readable, Writable } from 'node:stream'
import { beforeEach, expect, test } from 'vitest'
import { portWith } from '../../../test/fakes/rig/port.ts'
import { runCli, Unreachable } from '../cli.ts'

let said: string
let needs: unknown

beforeEach(() => {
  said = ''
  needs = undefined
})

function type(words: readonly string[]): Promise<number> {
  const sink = new Writable({
    write(chunk, _encoding, done) {
      said += String(chunk)
      done()
    },
  })
  const port = portWith({
    async open(_where, what) {
      needs = what
      throw new Unreachable('no daemon runs')
    },
  })
  return runCli(['run', ...words], { stdin: Readable.from([]), stdout: sink, stderr: sink, env: {}, cwd: '/', port })
}

test('needs a daemon that runs: 69 without one', async () => {
  expect(await type(['--pool', 'p', '--', 'true', '--pool', 'x'])).toBe(69)
  expect(needs).toEqual({ live: true })
  expect(said).toBe('spillway: error: no daemon runs\n')
})

test.each<[string, string[], string]>([
  ['no pool', ['--', 'true'], "required option '--pool <pool>' not specified"],
  ['no command', ['--pool', 'p'], "missing required argument 'command'"],
  ['a wait that is no range', ['--pool', 'p', '--backoff', '5s', '--', 'true'], 'such as 1s..5m.'],
  ['a range that ends before it begins', ['--pool', 'p', '--backoff', '5m..1s', '--', 'true'], 'such as 1s..5m.'],
  ['a range of three', ['--pool', 'p', '--backoff', '1s..2s..3s', '--', 'true'], 'such as 1s..5m.'],
  ['a first wait of nothing', ['--pool', 'p', '--backoff', '0s..1s', '--', 'true'], 'such as 1s..5m.'],
  ['a wait of more than a day', ['--pool', 'p', '--backoff', '1s..25h', '--', 'true'], 'such as 1s..5m.'],
  ['fewer retries than none', ['--pool', 'p', '--retries', '-1', '--', 'true'], 'Expected a whole number from 0.'],
  ['an unknown type', ['--pool', 'p', '--type', 'cron', '--', 'true'], 'Allowed choices are agent, shell.'],
])('is refused with %s', async (_name, words, sentence) => {
  expect(await type(words)).toBe(2)
  expect(said).toContain(sentence)
  expect(needs).toBeUndefined()
})

test.each([
  ['the defaults', []],
  ['no retries', ['--retries', '0']],
  ['a range in other units', ['--backoff', '500ms..1h30m']],
])('understands %s', async (_name, words) => {
  expect(await type(['--pool', 'p', ...words, '--', 'true'])).toBe(69)
})
