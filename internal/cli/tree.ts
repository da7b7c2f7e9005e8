import { Argument, Command } from 'commander'
import { Refusal } from '../ops/client.ts'
import { type Cli, leaf } from './command.ts'
import {
  type CompletionShell,
  candidates,
  completeCommand,
  completionScript,
  completionShells,
  namesFrom,
} from './completion.ts'
import { commandAt, polish } from './help.ts'

type Register = (program: Command, cli: Cli) => void

/**
 * The commands, by what loads them, in the order of the help. A run loads what it is asked for and nothing else, as most of
 * its time would go into that.
 */
const groups: readonly { readonly names: readonly string[]; load(): Promise<Register> }[] = [
  { names: ['init', 'serve'], load: async () => (await import('./commands/daemon.ts')).daemonCommands },
  {
    names: ['status', 'statusline', 'check', 'doctor'],
    load: async () => (await import('./commands/status.ts')).statusCommands,
  },
  { names: ['export', 'env', 'apply'], load: async () => (await import('./commands/setup.ts')).setupCommands },
  { names: ['connect'], load: async () => (await import('./commands/connect.ts')).connectCommand },
  { names: ['cred'], load: async () => (await import('./commands/cred.ts')).credCommands },
  { names: ['pool'], load: async () => (await import('./commands/pool.ts')).poolCommands },
  { names: ['key'], load: async () => (await import('./commands/key.ts')).keyCommands },
  { names: ['audit'], load: async () => (await import('./commands/audit.ts')).auditCommands },
  { names: ['usage'], load: async () => (await import('./commands/usage.ts')).usageCommand },
  { names: ['token'], load: async () => (await import('./commands/token.ts')).tokenCommand },
  { names: ['run'], load: async () => (await import('./commands/run.ts')).runCommand },
  { names: ['guard'], load: async () => (await import('./commands/guard.ts')).guardCommands },
  { names: ['web'], load: async () => (await import('./commands/web.ts')).webCommand },
  { names: ['notices'], load: async () => (await import('./commands/notices.ts')).noticesCommands },
  { names: ['service', 'logs'], load: async () => (await import('./commands/service.ts')).serviceCommands },
  { names: ['config'], load: async () => (await import('./commands/config.ts')).configCommands },
  {
    names: ['backup', 'restore', 'master-key'],
    load: async () => (await import('./commands/backup.ts')).backupCommands,
  },
  { names: ['store'], load: async () => (await import('./commands/store.ts')).storeCommands },
  { names: ['demo'], load: async () => (await import('./commands/demo.ts')).demoCommand },
]

/** The command line as far as `argv` needs it: the command that it names, or every command when it names none. */
export async function commandTree(cli: Cli, argv: readonly string[] = []): Promise<Command> {
  const word = firstWord(argv)
  const asked = groups.filter(({ names }) => names.includes(word))
  const needed = asked.length > 0 || isVersion(word) ? asked : groups
  const registers = await Promise.all(needed.map(({ load }) => load()))
  const program = root(cli)
  for (const register of registers) register(program, cli)
  completionCommands(program, cli)
  aboutCommands(program, cli)
  polish(program, cli.screen)
  return program
}

const isVersion = (word: string): boolean => ['version', '--version', '-v', '-V'].includes(word)

/** The first word that is neither a global flag nor its value; empty when there is none. */
function firstWord([word = '', ...rest]: readonly string[]): string {
  if (word === '--data' || word === '--config') return firstWord(rest.slice(1))
  return /^--(data|config)=/.test(word) ? firstWord(rest) : word
}

function root(cli: Cli): Command {
  const { io, screen } = cli
  return new Command('spillway')
    .description('a credential-pool failover proxy for AI agents')
    .version(io.port.version, '-v, --version')
    .option('--data <dir>', "data directory (default: $SPILLWAY_DATA, else the platform's data folder)")
    .option('--config <file>', 'configuration file (default: spillway.yaml in the data directory)')
    .helpCommand(false)
    .showHelpAfterError(false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      getOutHasColors: () => screen.colour,
      getErrHasColors: () => false,
    })
}

function completionCommands(program: Command, cli: Cli): void {
  leaf(program, 'completion', 'a script for your shell: source <(spillway completion bash)')
    .addArgument(new Argument('<shell>').choices(completionShells))
    .action((shell: CompletionShell) => cli.screen.print(completionScript(shell, program.name())))
  leaf(program, `${completeCommand} [words...]`, 'what may stand at the place of the last word').action(
    async (words: string[], _options: object, command: Command) => {
      const names = namesFrom((use) => cli.withOps(command, use))
      // Somebody is typing: whatever cannot be looked up is left out.
      const found = await candidates(program, words, names).catch(() => [])
      if (found.length > 0) cli.screen.print(found.join('\n'))
    },
  )
}

/** `help` and `version`, as words. */
function aboutCommands(program: Command, cli: Cli): void {
  leaf(program, 'help [command...]', 'the help of a command').action((words: string[]) => {
    const command = commandAt(program, words)
    if (command === null) throw new Refusal('not-found', `no command ${words.join(' ')}`, 'spillway help lists them')
    command.outputHelp()
  })
  leaf(program, 'version', 'the version of this program').action(() => cli.screen.print(cli.io.port.version))
}
