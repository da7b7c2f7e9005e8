import { Argument, Command } from 'commander'
import { type Cli, leaf } from './command.ts'
import { auditCommands } from './commands/audit.ts'
import { credCommands } from './commands/cred.ts'
import { daemonCommands } from './commands/daemon.ts'
import { guardCommands } from './commands/guard.ts'
import { keyCommands } from './commands/key.ts'
import { poolCommands } from './commands/pool.ts'
import { runCommand } from './commands/run.ts'
import { setupCommands } from './commands/setup.ts'
import { statusCommands } from './commands/status.ts'
import { tokenCommand } from './commands/token.ts'
import {
  type CompletionShell,
  candidates,
  completeCommand,
  completionScript,
  completionShells,
  namesFrom,
} from './completion.ts'

/** The whole command line: every command, its flags and what it does. */
export function commandTree(cli: Cli): Command {
  const { io, screen } = cli
  const program = new Command('spillway')
    .description('a credential-pool failover proxy for AI agents')
    .version(io.port.version)
    .option('--data <dir>', "data directory (default: $SPILLWAY_DATA, else the platform's data folder)")
    .option('--config <file>', 'configuration file (default: spillway.yaml in the data directory)')
    .helpCommand(false)
    .showHelpAfterError(false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      outputError: (text) => complain(cli, text),
      getOutHasColors: () => screen.colour,
      getErrHasColors: () => false,
    })
  daemonCommands(program, cli)
  statusCommands(program, cli)
  setupCommands(program, cli)
  credCommands(program, cli)
  poolCommands(program, cli)
  keyCommands(program, cli)
  auditCommands(program, cli)
  tokenCommand(program, cli)
  runCommand(program, cli)
  guardCommands(program, cli)
  completionCommands(program, cli)
  return program
}

/** Commander's own sentence about the usage, said as we say things: `error: unknown option '--jsn'`, then the hint. */
function complain(cli: Cli, text: string): void {
  const [message = '', hint] = text
    .trim()
    .replace(/^error: /, '')
    .split('\n')
  cli.screen.complain(
    message,
    hint?.replace(/^\((.*)\)$/, '$1').replace(/^Did/, 'did') ?? 'spillway --help shows what there is',
  )
}

function completionCommands(program: Command, cli: Cli): void {
  leaf(program, 'completion', 'a script for your shell: source <(spillway completion bash)')
    .addArgument(new Argument('<shell>').choices(completionShells))
    .action((shell: CompletionShell) => cli.screen.print(completionScript(shell, program.name())))
  leaf(program, `${completeCommand} [words...]`, '').action(
    async (words: string[], _options: object, command: Command) => {
      const names = namesFrom((use) => cli.withOps(command, use))
      // Somebody is typing: whatever cannot be looked up is left out.
      const found = await candidates(program, words, names).catch(() => [])
      if (found.length > 0) cli.screen.print(found.join('\n'))
    },
  )
}
