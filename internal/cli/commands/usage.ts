import type { Command } from 'commander'
import { type Cli, leaf, listing } from '../command.ts'
import { printUsage } from '../view/usageview.ts'

interface UsageOptions {
  readonly since: string
  readonly by: string
  readonly json?: true
}

/** `usage`: what went through, and what it costs by list price. */
export function usageCommand(program: Command, cli: Cli): void {
  const { screen } = cli
  listing(leaf(program, 'usage', 'what went through: requests, tokens, and their cost by list price'))
    .option('--since <time>', 'from then on: 1h, 7d or an RFC 3339 instant', '7d')
    .option('--by <dimensions>', 'added up by these: key, member, model, pool', 'key,member,model')
    .action(({ since, by, json }: UsageOptions, command: Command) =>
      cli.withOps(command, async (ops) => {
        const rows = await ops.usage({ since, by })
        return json ? screen.json(rows) : printUsage(screen, rows)
      }),
    )
}
