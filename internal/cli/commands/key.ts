import type { Command } from 'commander'
import type { Ops } from '../../ops/ops.ts'
import { type Cli, leaf, listing, names, whereOf } from '../command.ts'
import type { Cell } from '../screen.ts'
import { printListing } from '../view/listing.ts'
import { relative } from '../when.ts'

type KeyShape = Awaited<ReturnType<Ops['keyList']>>[number]

/** For so long a revoked key is listed: whoever looks for it may wonder why it does not work. */
const keptMs = 7 * 86_400_000

/** `key …`: what agents present to spillway. */
export function keyCommands(program: Command, cli: Cli): void {
  const { screen } = cli
  const key = program.command('key').description('client keys: what agents present to spillway')
  listing(leaf(key, 'create <name>', 'make a key; it is printed once'))
    .option('--pools <a,b>', 'pools that it may use (default: all)', names)
    .option('--keep', 'keep it sealed, so that env, run and connect can use it')
    .action((name: string, options: { pools?: string[]; keep?: true; json?: true }, command: Command) =>
      cli.withOps(command, async (ops) => {
        const { pools, keep = false } = options
        const made = await ops.keyCreate({ name, keep, ...(pools === undefined ? {} : { pools }) })
        if (options.json) return screen.json(made)
        screen.print(made.key)
        screen.note(
          keep ? `kept sealed: spillway key show ${name}` : `this is the only time that the key ${name} is shown`,
        )
      }),
    )
  listing(leaf(key, 'rotate <name>', 'put a new key in the place of one; it is printed once'))
    .option('--keep', 'keep it sealed, as local and those that were kept are anyway')
    .action((name: string, options: { keep?: true; json?: true }, command: Command) =>
      cli.withOps(command, async (ops) => {
        const made = await ops.keyRotate({ name, keep: options.keep ?? false })
        if (options.json) return screen.json(made)
        screen.print(made.key)
        if (made.revoked > 0) screen.note(`the key that ${name} was until now is revoked`)
        const connected = await connectedWith(cli, command)
        if (made.kept && connected.length > 0)
          screen.note(
            `clients that hold the old one: ${connected.map((each) => `spillway connect ${each}`).join('; ')}`,
          )
      }),
    )
  listing(leaf(key, 'show <name>', 'print a key that is kept (local), for tools that ask a command')).action(
    (name: string, options: { json?: true }, command: Command) =>
      cli.withOps(command, async (ops) => {
        const found = await ops.keyShow({ name })
        if (options.json) return screen.json(found)
        screen.print(found.key)
      }),
  )
  listing(leaf(key, 'list', 'all keys, without their secrets'))
    .option('--all', 'also those that were revoked more than a week ago')
    .action((options: { all?: true; json?: true }, command: Command) =>
      cli.withOps(command, (ops) => list(ops, options, command)),
    )

  async function list(ops: Ops, options: { all?: true; json?: true }, command: Command): Promise<void> {
    const known = await ops.keyList({})
    const now = cli.io.port.now()
    const all = options.all
      ? known
      : known.filter(({ revokedAt }) => revokedAt === null || now - Date.parse(revokedAt) < keptMs)
    if (options.json) return screen.json(all)
    if (known.length === 0) return screen.note('there are no keys; spillway key create makes one')
    const holders = await heldBy(cli, command)
    printListing(
      screen,
      ['NAME', 'STATE', 'POOLS', 'HELD BY', 'CREATED', 'ID'],
      all.map((one) => ({
        name: one.name,
        state: stateOf(one, now),
        facts: [
          one.pools === null ? 'all' : one.pools.join(', '),
          one.revokedAt === null && one.name === 'local' ? holders.join(', ') : '',
          relative(one.createdAt, now),
          one.id,
        ],
      })),
    )
    const left = known.length - all.length
    if (left > 0)
      screen.note(`${left === 1 ? 'one revoked key is' : `${left} revoked keys are`} not shown; --all shows them`)
  }
  leaf(key, 'revoke <name>', 'make a key worthless at once').action(
    (name: string, _options: object, command: Command) =>
      cli.withOps(command, async (ops) => {
        const { changed } = await ops.keyRevoke({ name })
        screen.print(changed ? `revoked ${name}` : `${name} is revoked already`)
        if (name === 'local') screen.note(`env, run and connect need it: spillway key rotate ${name}`)
      }),
  )
}

function stateOf({ revokedAt }: KeyShape, now: number): Cell {
  return revokedAt === null
    ? { text: 'in use', ink: 'green' }
    : { text: `revoked ${relative(revokedAt, now)}`, ink: 'dim' }
}

/** What uses the key `local`: commands of this program, and clients that are connected. */
async function heldBy({ io }: Cli, command: Command): Promise<string[]> {
  const { connectionsIn } = await import('../../connect/connect.ts')
  return ['env', 'run', ...connectionsIn(io.port.data(whereOf(command, io.cwd)))]
}

/** The clients that hold the key in a file of theirs. */
async function connectedWith({ io }: Cli, command: Command): Promise<string[]> {
  const { connectionsIn } = await import('../../connect/connect.ts')
  return connectionsIn(io.port.data(whereOf(command, io.cwd))).filter((client) => client !== 'codex')
}
