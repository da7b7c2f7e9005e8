import type { Command } from 'commander'
import { type Cli, leaf, listing, whereOf } from '../command.ts'
import type { Started } from '../port.ts'
import { commandLine } from '../quoting.ts'

/** `init` and `serve`. */
export function daemonCommands(program: Command, cli: Cli): void {
  const { screen, io } = cli
  listing(leaf(program, 'init', 'create the data directory, the master key and the first client key')).action(
    async (options: { json?: true }, command: Command) => {
      const made = await io.port.init(whereOf(command, io.cwd))
      if (options.json) return screen.json(made)
      if (made.key === null) return screen.print(`${made.data} is set up already`)
      screen.print(`data directory: ${made.data}`)
      screen.print(`client key local: ${made.key}`)
      screen.note('the key is shown only now; spillway env POOL passes it to agents')
    },
  )
  leaf(program, 'serve', 'run the proxy')
    .option('--listen <host:port>', 'where agents reach it (default: server.listen)')
    .option('--admin-listen <host:port>', 'a TCP address for the admin API, too (default: admin.listen)')
    .action(async (options: { listen?: string; adminListen?: string }, command: Command) => {
      const { listen, adminListen } = options
      const code = await io.port.serve(
        whereOf(command, io.cwd),
        { listen: listen ?? null, adminListen: adminListen ?? null },
        (facts) => announce(cli, facts, commandLine(io.port.invocation(whereOf(command, io.cwd)).typed)),
      )
      cli.end(code)
    })
}

/** What a person who has just started it wants to know: where it is, and how to point an agent at it. */
function announce(cli: Cli, facts: Started, program: string): void {
  const { screen } = cli
  for (const warning of facts.warnings) screen.note(`warning: ${warning}`)
  const runtime = `Node ${facts.node}, ${facts.fastPath ? 'fast path' : 'without the fast path'}`
  screen.print(`spillway listens on ${screen.paint('bold', facts.origin)} (data in ${facts.data}; ${runtime})`)
  if (facts.firstKey !== null) screen.print(firstKeyText(facts.firstKey, program, cli.io.stdout.isTTY === true))
  for (const note of facts.notes) screen.print(note)
  screen.print(nextStep(facts, program))
}

/** What a service prints is kept in a log, where no key belongs; a terminal shows it. */
function firstKeyText(key: string, program: string, isTerminal: boolean): string {
  if (isTerminal) return `client key local: ${key} (${program} key show local shows it again)`
  return `a client key named local was made and is kept sealed: ${program} key show local prints it`
}

/** Commands that work as they stand in another terminal: `program` is what starts this very one. */
function nextStep({ credentials, pools }: Started, program: string): string {
  if (credentials === 0) return withoutCredential(program)
  if (pools.length === 0) return withoutPool(program)
  return [
    'point an agent at a pool, in its terminal:',
    ...pools.map(({ name }) => `  eval "$(${program} env ${name})"`),
    'or in its own configuration:',
    `  ${program} connect ${pools.length === 1 ? (clientOf[pools[0]?.provider ?? ''] ?? clients) : clients}`,
  ].join('\n')
}

const clients = 'codex|claude|gemini|opencode|qwen'
const clientOf: Readonly<Record<string, string>> = {
  openai: 'codex|opencode|qwen',
  codex: 'codex',
  anthropic: 'claude|opencode',
  gemini: 'gemini|opencode',
}

const withoutCredential = (program: string) => `there is no credential yet. In another terminal:
  ${program} cred add work --provider openai          asks for the key
  ${program} pool create openai --provider openai --members work
  eval "$(${program} env openai)"
or set OPENAI_API_KEY, ANTHROPIC_API_KEY or GEMINI_API_KEY (several keys with commas between them) and start again.`

const withoutPool = (program: string) => `there are credentials but no pool yet:
  ${program} pool create openai --provider openai --members A,B
  eval "$(${program} env openai)"`
