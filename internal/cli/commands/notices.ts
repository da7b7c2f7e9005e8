import type { Command } from 'commander'
import { type Cli, leaf, listing } from '../command.ts'
import { exitCodes } from '../exit.ts'

/** `notices …`: whether people are told. */
export function noticesCommands(program: Command, cli: Cli): void {
  const { screen } = cli
  const notices = program.command('notices').description('who is told what happens')
  listing(leaf(notices, 'test', 'send one notice over each channel; exit 1 if one does not arrive')).action(
    (options: { json?: true }, command: Command) =>
      cli.withOps(command, async (ops) => {
        const reports = await ops.noticesTest({})
        if (reports.some(({ problem }) => problem !== null)) cli.end(exitCodes.failed)
        if (options.json) return screen.json(reports)
        for (const { channel, problem } of reports) screen.print(`${channel}: ${problem ?? 'delivered'}`)
      }),
  )
}
