import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { Argument, type Command } from 'commander'
import type { Client, ClientName, FileChange, Pointer, Site } from '../../connect/connect.ts'
import { Refusal } from '../../ops/client.ts'
import type { Ops } from '../../ops/ops.ts'
import { type Cli, leaf, listing, whereOf } from '../command.ts'
import { exitCodes } from '../exit.ts'
import type { CliIo } from '../port.ts'
import { type Asked, askThrough } from '../reachability.ts'

// Named here as well, so that no command but this one loads what changes files.
const clients = ['codex', 'claude', 'gemini', 'opencode', 'qwen'] as const satisfies readonly ClientName[]

interface Options {
  readonly pool?: string
  readonly dryRun?: true
  readonly undo?: true
  readonly json?: true
}

/** `connect`: another program's own configuration goes through a pool. */
export function connectCommand(program: Command, cli: Cli): void {
  listing(leaf(program, 'connect', "point a client's own configuration at a pool, or take that back"))
    .addArgument(new Argument('<client>').choices(clients))
    .option('--pool <pool>', "the pool (default: the one of the client's provider)")
    .option('--dry-run', 'show what would be written')
    .option('--undo', 'put back what was there before')
    .action(async (name: ClientName, options: Options, command: Command) => {
      if (options.undo && options.pool !== undefined)
        throw new Refusal('invalid', '--undo takes no --pool', `spillway connect ${name} --undo`)
      const { clientNamed } = await import('../../connect/connect.ts')
      const { io } = cli
      const where = whereOf(command, io.cwd)
      const call: Call = {
        cli,
        client: clientNamed(name),
        options,
        site: {
          world: { home: io.env.HOME || homedir(), env: io.env, exists: existsSync },
          data: io.port.data(where),
          dryRun: options.dryRun ?? false,
        },
      }
      if (options.undo) return undo(call)
      const [program, ...words] = io.port.invocation(where).absolute
      const asking = (key: string) => [program, ...words, 'key', 'show', key] as const
      const aim = await cli.withOps(command, (ops) => aimed(ops, call, asking))
      await connect(call, aim)
    })
}

/** One call of the command. */
interface Call {
  readonly cli: Cli
  readonly client: Client
  readonly options: Options
  readonly site: Site
}

/** Where the client is to go, and whether a daemon answers there. */
interface Aim {
  readonly pointer: Pointer
  readonly isLive: boolean
}

async function aimed(
  ops: Ops,
  { client, options }: Call,
  asking: (key: string) => Pointer['keyCommand'],
): Promise<Aim> {
  const { fittingPool } = await import('../../connect/connect.ts')
  const { name: pool } = fittingPool(client, await ops.poolList({}), options.pool ?? null)
  const { baseUrl, key: name, provider, shape } = await ops.env({ name: pool })
  const { key } = await ops.keyShow({ name })
  const { startedAt } = await ops.status({})
  return { pointer: { pool, provider, shape, baseUrl, key, keyCommand: asking(name) }, isLive: startedAt !== null }
}

async function connect({ cli, client, options, site }: Call, { pointer, isLive }: Aim): Promise<void> {
  const { connect, rivalsIn } = await import('../../connect/connect.ts')
  const { pool, baseUrl } = pointer
  const { dryRun } = site
  const { from, files, open } = connect(client, pointer, site)
  const isChanged = files.some(({ before, after }) => before !== after)
  const test = dryRun ? null : isLive ? await askThrough(pointer) : notTested
  const notes = [...rivalsIn(client, files), ...warnings(client, cli.io.env, open), ...client.notes]
  if (test && !test.ok && isLive) cli.end(exitCodes.failed)
  if (options.json) {
    const changed = isChanged && !dryRun
    return cli.screen.json({
      client: client.name,
      pool,
      baseUrl,
      from,
      changed,
      dryRun,
      files: await shown(files),
      test,
      notes,
    })
  }
  await printFiles(cli, files)
  const target = `${client.title} is connected to ${pool} (${baseUrl})`
  if (!isChanged) cli.screen.print(`${target} already`)
  else if (dryRun) cli.screen.note('nothing was written')
  else cli.screen.print(from === null || from === pool ? target : `${target}, no longer to ${from}`)
  if (test) cli.screen.note(test.message)
  for (const note of notes) cli.screen.note(note)
  if (isChanged && !dryRun) cli.screen.note(`spillway connect ${client.name} --undo takes it back`)
}

const notTested: Asked = { ok: false, status: null, message: 'not tested: no daemon runs; spillway serve starts it' }

function warnings({ title, shadows }: Client, env: CliIo['env'], open: readonly string[]): string[] {
  const set = shadows.filter((name) => env[name])
  return [
    ...set.map((name) => `${name} is set in this shell, and ${title} may prefer it to the file: unset ${name}`),
    ...open.map((path) => `${path} holds the client key now and others may read it: chmod 600 ${path}`),
  ]
}

async function undo({ cli, client, options, site }: Call): Promise<void> {
  const { disconnect } = await import('../../connect/connect.ts')
  const { screen } = cli
  const { dryRun } = site
  const { pool, files } = disconnect(client, site)
  const edited = files.filter(({ isExact }) => !isExact)
  const notes = edited.map(({ path }) => `${path} was changed since: only what spillway had written is taken back`)
  if (options.json) {
    const changed = pool !== null && !dryRun
    return screen.json({ client: client.name, pool, changed, dryRun, files: await shown(files), notes })
  }
  if (pool === null) return screen.print(`${client.title} is not connected`)
  await printFiles(cli, files)
  for (const note of notes) screen.note(note)
  if (dryRun) screen.note('nothing was written')
  else screen.print(`${client.title} is no longer connected to ${pool}`)
}

async function printFiles({ screen }: Cli, files: readonly FileChange[]): Promise<void> {
  const { maskedDiff } = await import('../../connect/connect.ts')
  for (const file of files) {
    const diff = maskedDiff(file)
    if (diff === '') continue
    const lines = diff.split('\n').map((line) => screen.paint(inkOf(line), line))
    screen.print(lines.join('\n'))
  }
}

function inkOf(line: string): 'green' | 'red' | 'dim' {
  return /^\+(?!\+\+)/.test(line) ? 'green' : /^-(?!--)/.test(line) ? 'red' : 'dim'
}

async function shown(files: readonly FileChange[]) {
  const { maskedDiff } = await import('../../connect/connect.ts')
  return files.map((file) => {
    const { path, before, after } = file
    const action = before === after ? 'unchanged' : before === null ? 'create' : after === null ? 'remove' : 'change'
    return { path, action, diff: maskedDiff(file) }
  })
}
