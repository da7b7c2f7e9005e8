import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { type Command, Option } from 'commander'
import { Refusal } from '../../ops/client.ts'
import { absolute, type Cli, leaf, listing } from '../command.ts'
import { assignment, failing, remark, removal, type Shell, shells } from '../quoting.ts'

/** `env`, `apply` and `export`. */
export function setupCommands(program: Command, cli: Cli): void {
  env(program, cli)
  apply(program, cli)
  leaf(program, 'export', 'pools and credentials (references, never secrets) as YAML').action(
    (_options: object, command: Command) =>
      cli.withOps(command, async (ops) => {
        const { yaml } = await ops.exportConfig({})
        cli.screen.print(yaml.trimEnd())
      }),
  )
}

function env(program: Command, cli: Cli): void {
  listing(leaf(program, 'env <pool>', 'lines that point an agent at the pool: eval "$(spillway env openai)"'))
    .option('--key <name>', 'the client key (default: local)')
    .addOption(new Option('--shell <shell>', 'for which shell').choices(shells).default('sh'))
    .action(async (name: string, options: { key?: string; shell: Shell; json?: true }, command: Command) => {
      const { key, shell, json } = options
      try {
        await cli.withOps(command, async (ops) => {
          const found = await ops.env({ name, ...(key === undefined ? {} : { key }) })
          if (json) return cli.screen.json(found)
          for (const each of found.unset) cli.screen.print(removal(shell, each))
          for (const variable of found.variables) cli.screen.print(assignment(shell, variable.name, variable.value))
          if (found.notes.length > 0) cli.screen.print(found.notes.map(remark).join('\n'))
        })
      } catch (error) {
        // The output goes to eval, which succeeds with nothing: whatever follows would run without these variables.
        if (!json) cli.screen.print(failing(shell))
        throw error
      }
    })
}

function apply(program: Command, cli: Cli): void {
  const { screen, io } = cli
  listing(leaf(program, 'apply <file>', 'make pools and credentials as the YAML file says (- reads stdin)'))
    .option('--dry-run', 'say what would be done')
    .action(async (file: string, options: { dryRun?: true; json?: true }, command: Command) => {
      const manifest = await readManifest(cli, file)
      await cli.withOps(command, async (ops) => {
        const { dryRun, changes } = await ops.apply({ ...manifest, dryRun: options.dryRun ?? false })
        if (options.json) return screen.json({ dryRun, changes })
        for (const { kind, name, action, what } of changes) {
          const details = what.length === 0 ? '' : ` (${what.join(', ')})`
          screen.print(
            `${kind} ${name}: ${dryRun && action !== 'unchanged' ? `would ${action}` : done[action]}${details}`,
          )
        }
        if (changes.length === 0) screen.note(`${manifest.file} names no pool and no credential`)
      })
    })

  async function readManifest(cli: Cli, file: string): Promise<{ text: string; file: string; folder: string }> {
    if (file === '-') {
      let text = ''
      for await (const chunk of io.stdin) text += chunk
      return { text, file: 'stdin', folder: io.cwd }
    }
    const path = absolute(file, cli.io.cwd)
    try {
      return { text: readFileSync(path, 'utf8'), file, folder: dirname(path) }
    } catch (error) {
      const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
      throw new Refusal(
        missing ? 'not-found' : 'failed',
        missing ? `${file} does not exist` : `${file} cannot be read: ${String(error)}`,
      )
    }
  }
}

const done = { create: 'created', change: 'changed', unchanged: 'unchanged' } as const
