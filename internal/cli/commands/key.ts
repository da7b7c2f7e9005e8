import type { Command } from 'commander'
import { type Cli, leaf, listing, names } from '../command.ts'
import { relative } from '../when.ts'

/** `key …`: what agents present to spillway. */
export function keyCommands(program: Command, cli: Cli): void {
  const { screen } = cli
  const key = program.command('key').description('client keys: what agents present to spillway')
  listing(leaf(key, 'create <name>', 'make a key; it is printed once'))
    .option('--pools <a,b>', 'pools that it may use (default: all)', names)
    .action((name: string, options: { pools?: string[]; json?: true }, command: Command) =>
      cli.withOps(command, async (ops) => {
        const made = await ops.keyCreate({ name, ...(options.pools === undefined ? {} : { pools: options.pools }) })
        if (options.json) return screen.json(made)
        screen.print(made.key)
        screen.note(`this is the only time that the key ${name} is shown`)
      }),
    )
  listing(leaf(key, 'list', 'all keys, without their secrets')).action((options: { json?: true }, command: Command) =>
    cli.withOps(command, async (ops) => {
      const all = await ops.keyList({})
      if (options.json) return screen.json(all)
      if (all.length === 0) return screen.note('there are no keys; spillway key create makes one')
      const now = cli.io.port.now()
      screen.table(
        ['NAME', 'ID', 'POOLS', 'CREATED', 'REVOKED'],
        all.map((one) => [
          one.name,
          one.id,
          one.pools === null ? 'all' : one.pools.join(', '),
          relative(one.createdAt, now),
          one.revokedAt === null ? '-' : relative(one.revokedAt, now),
        ]),
      )
    }),
  )
  leaf(key, 'revoke <name>', 'make a key worthless at once').action(
    (name: string, _options: object, command: Command) =>
      cli.withOps(command, async (ops) => {
        const { changed } = await ops.keyRevoke({ name })
        screen.print(changed ? `revoked ${name}` : `${name} is revoked already`)
      }),
  )
}
