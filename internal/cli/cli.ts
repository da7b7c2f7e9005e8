/**
 * The command line: parses, calls the verbs, prints, and says with which exit code the program ends.
 * It gets what is around it (streams, environment, a Port to the rest of the program) as arguments, so that tests run it in-process.
 */
import { type Cli, whereOf } from './command.ts'
import { endingOf, exitCodes } from './exit.ts'
import { pathOf } from './help.ts'
import type { CliIo } from './port.ts'
import { screenOf } from './screen.ts'
import { commandTree } from './tree.ts'

export { Unreachable } from './exit.ts'
export type { CliIo, Invocation, Port, ServeOptions, Started, StoreReport } from './port.ts'
export { answerOf, remoteOps } from './remote.ts'

/** The commands with which an installation may begin; all others look at one, or change it. */
const makers: ReadonlySet<string> = new Set(['cred add', 'cred import', 'key create', 'apply'])

/** Runs one command line (without the program's name) and resolves with its exit code; never rejects. */
export async function runCli(argv: readonly string[], io: CliIo): Promise<number> {
  const screen = screenOf(io)
  let code: number = exitCodes.done
  const cli: Cli = {
    io,
    screen,
    async withOps(command, use) {
      const { ops, close } = await io.port.open(whereOf(command, io.cwd), { makes: makers.has(pathOf(command)) })
      try {
        return await use(ops)
      } finally {
        await close()
      }
    },
    end(found) {
      code = found
    },
  }
  try {
    // Both letters are usual for it.
    const words = argv.length === 1 && argv[0] === '-V' ? ['--version'] : argv
    const tree = await commandTree(cli, words)
    await tree.parseAsync(words, { from: 'user' })
    return code
  } catch (error) {
    const ending = endingOf(error)
    if (ending.message !== null) screen.complain(ending.message, ending.hint)
    return ending.code
  }
}
