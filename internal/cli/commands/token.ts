import type { Command } from 'commander'
import { type Cli, leaf, listing } from '../command.ts'

/** `token`: a secret that can be used now, for tools that would otherwise refresh it themselves. */
export function tokenCommand(program: Command, cli: Cli): void {
  listing(
    leaf(
      program,
      'token <name>',
      'a current access token of a pool, or of a credential; exit 75 or 77 when there is none',
    ),
  ).action((name: string, options: { json?: true }, command: Command) =>
    cli.withOps(command, async (ops) => {
      const found = await ops.token({ name })
      if (options.json) return cli.screen.json(found)
      cli.screen.print(found.token)
    }),
  )
}
