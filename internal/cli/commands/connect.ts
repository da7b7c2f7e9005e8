import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { Argument, type Command } from 'commander'
import type { ClientName, FileChange, Pointer, World } from '../../connect/connect.ts'
import { Refusal } from '../../ops/client.ts'
import type { Ops } from '../../ops/ops.ts'
import { type Cli, leaf, listing, whereOf } from '../command.ts'
import { exitCodes } from '../exit.ts'
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
      await (options.undo ? undo : connect)(cli, name, options, command)
    })
}

async function connect(cli: Cli, name: ClientName, options: Options, command: Command): Promise<void> {
  const { io, screen } = cli
  const { connect, clientNamed } = await import('../../connect/connect.ts')
  const client = clientNamed(name)
  const { pointer, isLive } = await cli.withOps(command, (ops) => pointerFor(cli, ops, name, options, command))
  const site = { world: worldOf(cli), data: io.port.data(whereOf(command, io.cwd)), dryRun: options.dryRun ?? false }
  const { from, files, open } = connect(client, pointer, site)
  const isChanged = files.some(({ before, after }) => before !== after)
  const test = options.dryRun ? null : await tested(pointer, isLive)
  const shadows = client.shadows.filter((each) => io.env[each])
  const notes = [
    ...shadows.map(
      (each) => `${each} is set in this shell, and ${client.title} may prefer it to the file: unset ${each}`,
    ),
    ...open.map((path) => `${path} holds the client key now and others may read it: chmod 600 ${path}`),
    ...client.notes,
  ]
  if (test && !test.ok && isLive) cli.end(exitCodes.failed)
  if (options.json)
    return screen.json({
      client: name,
      pool: pointer.pool,
      baseUrl: pointer.baseUrl,
      from,
      changed: isChanged && !options.dryRun,
      dryRun: options.dryRun ?? false,
      files: await shown(files),
      test,
      notes,
    })
  await printFiles(cli, files)
  const target = `${pointer.pool} (${pointer.baseUrl})`
  if (!isChanged) screen.print(`${client.title} is connected to ${target} already`)
  else if (options.dryRun) screen.note('nothing was written')
  else
    screen.print(
      `${client.title} is connected to ${target}${from === null || from === pointer.pool ? '' : `, no longer to ${from}`}`,
    )
  if (test) screen.note(test.message)
  for (const note of notes) screen.note(note)
  if (isChanged && !options.dryRun) screen.note(`spillway connect ${name} --undo takes it back`)
}

async function pointerFor(
  { io }: Cli,
  ops: Ops,
  name: ClientName,
  { pool }: Options,
  command: Command,
): Promise<{ pointer: Pointer; isLive: boolean }> {
  const { clientNamed, fittingPool } = await import('../../connect/connect.ts')
  const found = fittingPool(clientNamed(name), await ops.poolList({}), pool ?? null)
  const { baseUrl, key: keyName, provider, shape } = await ops.env({ name: found.name })
  const { key } = await ops.keyShow({ name: keyName })
  const { startedAt } = await ops.status({})
  const [program, ...words] = io.port.invocation(whereOf(command, io.cwd)).absolute
  const keyCommand = [program, ...words, 'key', 'show', keyName] as const
  return { pointer: { pool: found.name, provider, shape, baseUrl, key, keyCommand }, isLive: startedAt !== null }
}

async function tested({ baseUrl, shape, key, pool }: Pointer, isLive: boolean): Promise<Asked> {
  if (!isLive) return { ok: false, status: null, message: 'not tested: no daemon runs; spillway serve starts it' }
  return askThrough({ baseUrl, shape, key, pool })
}

async function undo(cli: Cli, name: ClientName, options: Options, command: Command): Promise<void> {
  const { io, screen } = cli
  const { clientNamed, disconnect } = await import('../../connect/connect.ts')
  const client = clientNamed(name)
  const dryRun = options.dryRun ?? false
  const site = { world: worldOf(cli), data: io.port.data(whereOf(command, io.cwd)), dryRun }
  const { pool, files } = disconnect(client, site)
  const edited = files.filter(({ isExact }) => !isExact).map(({ path }) => path)
  const notes = edited.map((path) => `${path} was changed since: only what spillway had written is taken back`)
  if (options.json)
    return screen.json({
      client: name,
      pool,
      changed: pool !== null && !dryRun,
      dryRun,
      files: await shown(files),
      notes,
    })
  if (pool === null) return screen.print(`${client.title} is not connected`)
  await printFiles(cli, files)
  for (const note of notes) screen.note(note)
  if (dryRun) screen.note('nothing was written')
  else screen.print(`${client.title} is no longer connected to ${pool}`)
}

function worldOf({ io }: Cli): World {
  return { home: io.env.HOME || homedir(), env: io.env, exists: existsSync }
}

async function printFiles({ screen }: Cli, files: readonly FileChange[]): Promise<void> {
  const { maskedDiff } = await import('../../connect/connect.ts')
  for (const file of files) {
    const diff = maskedDiff(file)
    if (diff === '') continue
    screen.print(
      diff
        .split('\n')
        .map((line) => screen.paint(inkOf(line), line))
        .join('\n'),
    )
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
