import { Argument, Command } from 'commander'
import { type Cli, leaf } from './command.ts'
import {
  type CompletionShell,
  candidates,
  completeCommand,
  completionScript,
  completionShells,
  namesFrom,
} from './completion.ts'

type Register = (program: Command, cli: Cli) => void

/**
 * The commands, by what loads them, in the order of the help. A run loads what it is asked for and nothing else, as most of
 * its time would go into that.
 */
const groups: readonly { readonly names: readonly string[]; load(): Promise<Register> }[] = [
  { names: ['init', 'serve'], load: async () => (await import('./commands/daemon.ts')).daemonCommands },
  { names: ['status', 'check', 'doctor'], load: async () => (await import('./commands/status.ts')).statusCommands },
  { names: ['export', 'env', 'apply'], load: async () => (await import('./commands/setup.ts')).setupCommands },
  { names: ['connect'], load: async () => (await import('./commands/connect.ts')).connectCommand },
  { names: ['cred'], load: async () => (await import('./commands/cred.ts')).credCommands },
  { names: ['pool'], load: async () => (await import('./commands/pool.ts')).poolCommands },
  { names: ['key'], load: async () => (await import('./commands/key.ts')).keyCommands },
  { names: ['audit'], load: async () => (await import('./commands/audit.ts')).auditCommands },
  { names: ['token'], load: async () => (await import('./commands/token.ts')).tokenCommand },
  { names: ['run'], load: async () => (await import('./commands/run.ts')).runCommand },
  { names: ['guard'], load: async () => (await import('./commands/guard.ts')).guardCommands },
  { names: ['notices'], load: async () => (await import('./commands/notices.ts')).noticesCommands },
  { names: ['demo'], load: async () => (await import('./commands/demo.ts')).demoCommand },
]

/** The command line as far as `argv` needs it: the command that it names, or every command when it names none. */
export async function commandTree(cli: Cli, argv: readonly string[] = []): Promise<Command> {
  const asked = groups.filter(({ names }) => names.includes(commandIn(argv) ?? ''))
  const needed = asked.length > 0 || isVersion(argv) ? asked : groups
  const registers = await Promise.all(needed.map(({ load }) => load()))
  const program = root(cli)
  for (const register of registers) register(program, cli)
  completionCommands(program, cli)
  return program
}

const isVersion = (argv: readonly string[]): boolean =>
  argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')

/** The first word that is neither a global flag nor its value; null where another flag comes first. */
function commandIn(argv: readonly string[]): string | null {
  const [word, ...rest] = argv
  if (word === undefined) return null
  if (word === '--data' || word === '--config') return commandIn(rest.slice(1))
  if (/^--(data|config)=/.test(word)) return commandIn(rest)
  return word.startsWith('-') ? null : word
}

function root(cli: Cli): Command {
  const { io, screen } = cli
  return new Command('spillway')
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
