import { PassThrough, Writable } from 'node:stream'
import type { Command } from 'commander'
import { expect, test } from 'vitest'
import { portWith } from '../../test/fakes/rig/port.ts'
import { runCli } from './cli.ts'
import type { Cli } from './command.ts'
import { examples } from './examples.ts'
import { commandAt } from './help.ts'
import { screenOf } from './screen.ts'
import { commandTree } from './tree.ts'

const sink = new Writable()
const io = { stdin: new PassThrough(), stdout: sink, stderr: sink, env: {}, cwd: '/', port: portWith({}) }
const tree = await commandTree({ io, screen: screenOf(io) } as unknown as Cli)

/** The words of every command that people see. */
function paths(command: Command, before: readonly string[] = []): string[] {
  return command.commands
    .filter((one) => !one.name().startsWith('__') && !(before.length > 0 && one.name() === 'help'))
    .flatMap((one) => [[...before, one.name()].join(' '), ...paths(one, [...before, one.name()])])
}

test('every command has an example, and every example is of a command', () => {
  expect(Object.keys(examples).sort()).toEqual(['', ...paths(tree)].sort())
})

test.each(Object.entries(examples).filter(([path]) => path !== ''))(
  'the examples of %s are commands with flags that exist',
  (_, lines) => {
    for (const line of lines) {
      const words =
        line
          .split(' -- ')[0]
          ?.split(/ [<>|&]/)[0]
          ?.split(' ') ?? []
      const end = words.findIndex((_, at) => commandAt(tree, words.slice(0, at + 1)) === null)
      const command = commandAt(tree, words.slice(0, end === -1 ? words.length : end))
      const known = [...(command?.options ?? []), ...tree.options].flatMap(({ long, short }) => [long, short])
      expect(command?.commands.length, line).toBe(0)
      expect(
        words.filter((word) => word.startsWith('-') && word !== '-').filter((word) => !known.includes(word)),
      ).toEqual([])
    }
  },
)

async function typed(...argv: string[]): Promise<{ code: number; said: string }> {
  let said = ''
  const into = new Writable({
    write(text, _encoding, done) {
      said += String(text)
      done()
    },
  })
  return { code: await runCli(argv, { ...io, stdout: into, stderr: into }), said }
}

test.each<[string[], number, RegExp]>([
  [['help'], 0, /^Usage: spillway .*\n[\s\S]*\nStart:\n {2}init[\s\S]*\nJobs:\n/],
  [['help', 'pool', 'rotate'], 0, /Usage: spillway pool rotate .*[\s\S]*Examples:\n {2}spillway pool rotate team\n/],
  [['help', 'pool', 'nothing'], 3, /no command pool nothing/],
  [['version'], 0, /^1\.2\.3\n$/],
  [['-v'], 0, /^1\.2\.3\n$/],
  [['-V'], 0, /^1\.2\.3\n$/],
  [
    ['pool', 'rotate'],
    2,
    /hint: usage: spillway pool rotate \[options\] <name>\n.*hint: spillway pool rotate --help shows more/,
  ],
  [['pool', 'rotate', 'a', '--tu', 'b'], 2, /hint: did you mean --to\?/],
  [['start'], 2, /unknown command 'start'\n.*hint: spillway serve runs the proxy/],
  [
    ['pool', 'remove', 'a'],
    2,
    /unknown command 'remove'\n.*hint: did you mean one of these\?\n.*spillway pool delete: .*\n.*spillway pool drop: /,
  ],
  [['pool', 'pause', 'a', 'b'], 2, /hint: did you mean this\?\n.*spillway pool park: /],
  [['credentials', 'list'], 2, /hint: did you mean this\?\n.*spillway cred: /],
  [['pool', 'rotat', 'a'], 2, /hint: did you mean rotate\?/],
  [['serve', '--port', '1'], 2, /unknown option '--port'\n.*hint: --listen HOST:PORT/],
])('spillway %s', async (argv, code, said) => {
  const found = await typed(...argv)
  expect(found.said).toMatch(said)
  expect(found.code).toBe(code)
})

test('what completion asks is not in the help', async () => {
  expect((await typed('--help')).said).not.toContain('__complete')
})
