import type { Command } from 'commander'
import type { Loaded, LoadOptions } from '../../config/config.ts'
import { Refusal } from '../../ops/client.ts'
import { absolute, type Cli, leaf, listing, whereOf } from '../command.ts'

/** `config …`: the settings, as a start here and now would take them. */
export function configCommands(program: Command, cli: Cli): void {
  const { screen, io } = cli
  const config = program.command('config').description('the settings: what is in force, and what is wrong with a file')
  const optionsOf = (command: Command) => io.port.loading(whereOf(command, io.cwd))
  listing(leaf(config, 'show', 'every setting, as a start here and now would take it'))
    .option('--origin', 'where each value was written: a line of the file, or a variable')
    .action(async (options: { origin?: true; json?: true }, command: Command) => {
      const loaded = await valid(optionsOf(command))
      const waiting = await waitingOf(cli, command)
      const settings = loaded.settings().map((setting) => ({ ...setting, waits: waiting.has(setting.key) }))
      if (options.json) return screen.json(settings)
      screen.table(
        ['SETTING', 'VALUE', ...(options.origin ? ['FROM'] : [])],
        settings.map(({ key, value, place, waits }) => [
          key,
          waits ? { text: `${shown(value)} (with the next start)`, ink: 'yellow' } : shown(value),
          ...(options.origin ? [place ?? 'default'] : []),
        ]),
      )
      if (waiting.size > 0) screen.note('the daemon that runs has other values until it is started again')
    })
  leaf(config, 'check [file]', 'say what is wrong with a file, all of it; exit 2 when something is').action(
    async (named: string | undefined, _options: object, command: Command) => {
      const usual = optionsOf(command)
      const options = named === undefined ? usual : { ...usual, file: absolute(named, io.cwd), explicit: true }
      const { formatProblems } = await import('../../config/config.ts')
      const { file, warnings, references } = await valid(options)
      const { problems, open } = references()
      if (problems.length > 0) throw new Refusal('invalid', formatProblems(problems))
      const doubtful = [...warnings, ...open.map(({ place }) => place)]
      if (doubtful.length > 0) screen.note(formatProblems(doubtful).replace(/^/gm, 'warning: '))
      screen.print(file === null ? `there is no ${options.file}: every setting is at its default` : `${file} is well`)
    },
  )
  leaf(config, 'schema', 'the JSON Schema of spillway.yaml, for editors').action(async () => {
    const { configJsonSchema } = await import('../../config/config.ts')
    screen.json(configJsonSchema())
  })
}

/** The settings that the running daemon takes with its next start; none where none runs. */
async function waitingOf({ io }: Cli, command: Command): Promise<ReadonlySet<string>> {
  try {
    const { ops, close } = await io.port.open(whereOf(command, io.cwd), { live: true })
    try {
      return new Set((await ops.configWaiting({})).settings)
    } finally {
      await close()
    }
  } catch {
    return new Set()
  }
}

/** The configuration; refuses with every problem. */
async function valid(options: LoadOptions): Promise<Loaded & { ok: true }> {
  // Loaded here, so that no other command pays for it.
  const { formatProblems, loadConfig } = await import('../../config/config.ts')
  const loaded = loadConfig(options)
  if (!loaded.ok) throw new Refusal('invalid', formatProblems(loaded.problems))
  return loaded
}

function shown(value: unknown): string {
  if (value === null) return '-'
  return typeof value === 'string' ? value : JSON.stringify(value)
}
