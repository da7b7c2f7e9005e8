import type { Command } from 'commander'
import { type Cli, leaf, whereOf } from '../command.ts'

/** `web`: the web view, entered with a link that works once. */
export function webCommand(program: Command, cli: Cli): void {
  const { io, screen } = cli
  leaf(program, 'web', 'open the web view with a link that works once, within 5 minutes')
    .option('--print', 'print the link instead')
    .action(async (options: { print?: true }, command: Command) => {
      const { ops, close } = await io.port.open(whereOf(command, io.cwd), { live: true })
      try {
        const { url } = await ops.webLink({})
        if (options.print) return screen.print(url)
        if (await io.port.browse(url)) return screen.note('the web view opens in your browser')
        screen.note('there is no browser here: open this link, which works once and for 5 minutes')
        screen.print(url)
      } finally {
        await close()
      }
    })
}
